/**
 * Which shares of one element are wrong, over GF(16) (docs/protocols/sharing.md). Shares of degree d at m points are a
 * generalised Reed-Solomon codeword; with at most (m-d-1)/2 wrong ones the syndromes determine their places: Berlekamp
 * and Massey find the shortest recurrence, its roots are the places (Massey 1969). Public values only: tables inside.
 */
import { field16Inverse, field16Mul } from './field16.ts';

/**
 * Indices of the wrong entries of `word`, whose entry i belongs to the point `points[i]` (1..15, distinct). Undefined
 * when no codeword of this degree is within half the distance.
 */
export function locateErrors(points: readonly number[], word: readonly number[], degree: number): number[] | undefined {
  const syndromes = syndromesOf(points, word, degree);
  const recurrence = shortestRecurrence(syndromes);
  const errors = recurrence.length - 1;
  if (2 * errors > syndromes.length) return undefined;
  const places = points.flatMap((point, index) => (valueAt(recurrence, field16Inverse(point)) === 0 ? [index] : []));
  return places.length === errors ? places : undefined;
}

const COORDINATES = 4;

/**
 * Errors of ring elements, reduced to GF(16) at the lowest bit where any of them shows: a lie may live in the high bits
 * only. `pairs`: equally long elements of 4 coordinates, of `wordBytes` little-endian bytes each, as they came and as
 * they were expected. The result is one difference per pair, all zero only if all pairs are equal.
 */
export function lowestDifferences(pairs: readonly (readonly [Uint8Array, Uint8Array])[], wordBytes: number): number[] {
  const differences = pairs.map(([left, right]) => left.map((byte, index) => byte ^ right[index]!));
  for (let bit = 0; bit < 8 * wordBytes; bit++) {
    const digits = differences.map((difference) => {
      let digit = 0;
      for (let coordinate = 0; coordinate < COORDINATES; coordinate++) {
        digit |= ((difference[coordinate * wordBytes + (bit >> 3)]! >> (bit & 7)) & 1) << coordinate;
      }
      return digit;
    });
    if (digits.some((digit) => digit !== 0)) return digits;
  }
  return differences.map(() => 0);
}

/** S_k = sum_i word_i alpha_i^k / prod_{j != i} (alpha_i - alpha_j), k < m-d-1: all zero exactly for codewords. */
function syndromesOf(points: readonly number[], word: readonly number[], degree: number): number[] {
  const syndromes = new Array<number>(points.length - degree - 1).fill(0);
  points.forEach((point, index) => {
    const spread = points.reduce(
      (product, other) => (other === point ? product : field16Mul(product, point ^ other)),
      1,
    );
    let term = field16Mul(word[index]!, field16Inverse(spread));
    for (let k = 0; k < syndromes.length; k++) {
      syndromes[k] = syndromes[k]! ^ term;
      term = field16Mul(term, point);
    }
  });
  return syndromes;
}

/** Coefficients 1, c_1, .., c_L of the shortest recurrence: s_k = sum_j c_j s_{k-j} for all k >= L. */
function shortestRecurrence(sequence: readonly number[]): number[] {
  let current = [1];
  let previous = [1];
  let length = 0;
  let gap = 1;
  let previousDiscrepancy = 1;
  for (let k = 0; k < sequence.length; k++) {
    const discrepancy = current.reduce((sum, c, j) => (j > k ? sum : sum ^ field16Mul(c, sequence[k - j]!)), 0);
    if (discrepancy === 0) {
      gap++;
      continue;
    }
    const next = addShifted(current, field16Mul(discrepancy, field16Inverse(previousDiscrepancy)), previous, gap);
    if (2 * length > k) {
      gap++;
    } else {
      [previous, previousDiscrepancy, gap] = [current, discrepancy, 1];
      length = k + 1 - length;
    }
    current = next;
  }
  return Array.from({ length: length + 1 }, (_, index) => current[index] ?? 0);
}

/** current + factor * x^shift * other. */
function addShifted(current: readonly number[], factor: number, other: readonly number[], shift: number): number[] {
  const sum = Array.from({ length: Math.max(current.length, other.length + shift) }, (_, index) => current[index] ?? 0);
  other.forEach((coefficient, index) => {
    sum[index + shift] = sum[index + shift]! ^ field16Mul(factor, coefficient);
  });
  return sum;
}

/** sum_j coefficients[j] * x^j. */
function valueAt(coefficients: readonly number[], x: number): number {
  return coefficients.reduceRight((value, coefficient) => field16Mul(value, x) ^ coefficient, 0);
}
