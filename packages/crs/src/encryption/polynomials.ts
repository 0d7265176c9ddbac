/**
 * The public polynomials of a proof of encryption, their values at z, and the scalars of the sums that the prover may
 * have left to the verifier. In compact mode all random vectors are powers of one number, so that products with the
 * matrices of the public key are recurrences of d steps and everything is linear in n.
 *
 * All values are public, so BigInt it is: about 60,000 products modulo r, 30 ms, of a verification that takes seconds.
 */
import { R } from '@keyquorum/kernel/bls446-encoding';
import {
  type EncryptionStatement,
  MODULUS_LOG2,
  NORMS,
  plaintextBits,
  signedWords,
  type WitnessSizes,
} from './statement.ts';
import type { Challenges } from './transcript.ts';

export interface Evaluations {
  readonly h1: bigint;
  readonly h2: bigint;
  readonly h3: bigint;
  readonly t: bigint;
  readonly omega: bigint;
}

export interface PublicPolynomials extends Evaluations {
  /** Of the sum cHatH3, by falling powers of alpha from the n-th. */
  readonly h3Coefficients: readonly bigint[];
  /** <theta, (c1, c2)>: what the linear relation must come to. */
  readonly linear: bigint;
}

/** n: size of the reference string. */
export function publicPolynomials(
  statement: EncryptionStatement,
  sizes: WitnessSizes,
  challenges: Challenges,
  n: number,
): PublicPolynomials {
  const { dimension, blocks } = statement;
  const { theta, omega, t, z } = challenges;
  const noises = dimension + blocks;
  const thetas = powers(theta, noises);
  const signed = signedSums(challenges, noises);
  const h1 = h1Coefficients(statement, sizes, challenges, thetas);
  const h2 = h2Coefficients(challenges, { n, noises, thetas, signed });
  const h3 = h3Coefficients(challenges, { noises, thetas, signed });
  const words = [...signedWords(statement.c1), ...signedWords(statement.c2)];
  return {
    h1: falling(h1, z, n),
    h2: falling(h2, z, n),
    h3: falling(h3, z, n),
    t: rising(powers(t, n), z),
    omega: rising(powers(omega, noises + 4), z),
    h3Coefficients: h3,
    linear: modulo(words.reduce((sum, word, index) => sum + word * thetas[index]!, 0n)),
  };
}

/** Of bits: that they are bits, that they are those of the norms, and what they come to in the linear relation. */
function h1Coefficients(
  statement: EncryptionStatement,
  { witnessBits, normBits }: WitnessSizes,
  { xi, y, t, delta }: Challenges,
  thetas: readonly bigint[],
): bigint[] {
  const [, deltaDec, deltaEq, deltaY, deltaTheta] = delta as [bigint, bigint, bigint, bigint, bigint];
  const count = witnessBits + NORMS * normBits;
  const linear = linearMap(statement, thetas);
  const [ys, ts] = [powers(y, count), powers(t, count)];
  const digits = powers(xi, NORMS).flatMap((power) => digitWeights(power, normBits));
  return ys.map((each, j) => {
    const relation = j < witnessBits ? deltaTheta * linear[j]! : deltaDec * digits[j - witnessBits]!;
    return modulo(relation + modulo(deltaEq * ts[j]! - deltaY) * each);
  });
}

/** Of a number in two's complement: the last digit counts negatively. */
function digitWeights(factor: bigint, digits: number): bigint[] {
  return Array.from({ length: digits }, (_, digit) =>
    digit < digits - 1 ? factor << BigInt(digit) : -factor << BigInt(digit),
  );
}

interface Vectors {
  /** d + k. */
  readonly noises: number;
  readonly thetas: readonly bigint[];
  readonly signed: readonly bigint[];
}

/** Of the noise and four squares that fill its norm up to the bound. */
function h2Coefficients(
  { omega, delta }: Challenges,
  { n, noises, thetas, signed }: Vectors & { readonly n: number },
): bigint[] {
  const [deltaR, , , , deltaTheta, deltaE] = delta as [bigint, bigint, bigint, bigint, bigint, bigint];
  return powers(omega, n).map((each, j) => {
    const linear = j < noises ? deltaTheta * thetas[j]! : 0n;
    const norms = j < noises + 4 ? deltaR * signed[j]! : 0n;
    return modulo(linear + norms + deltaE * each);
  });
}

/** Of the multiples of q that reduce the linear relation. */
function h3Coefficients({ delta }: Challenges, { noises, thetas, signed }: Vectors): bigint[] {
  const [deltaR, , , , deltaTheta] = delta as [bigint, bigint, bigint, bigint, bigint];
  const modulus = modulo(deltaTheta << MODULUS_LOG2);
  return thetas.map((theta, j) => modulo(deltaR * signed[noises + 4 + j]! - modulus * theta));
}

/** phi^T R: for each column of R the sum of its signs times the powers of phi. */
function signedSums({ phi, signs }: Challenges, noises: number): bigint[] {
  const phis = powers(phi, NORMS);
  return Array.from({ length: 2 * noises + 4 }, (_, column) => {
    let sum = 0n;
    for (let row = 0; row < NORMS; row++) {
      const sign = signs[column * NORMS + row]!;
      if (sign > 0) sum += phis[row]!;
      else if (sign < 0) sum -= phis[row]!;
    }
    return modulo(sum);
  });
}

/**
 * The transposed linear map of encryption, applied to the powers of theta: first d values for the randomness, which
 * both polynomials of the key are multiplied with in Z[X]/(X^d + 1), then those of each plaintext's bits.
 */
function linearMap(statement: EncryptionStatement, thetas: readonly bigint[]): bigint[] {
  const { dimension: d, plaintextModulus } = statement;
  const masks = maskTerms(signedWords(statement.a), thetas);
  const bodies = bodyTerms(signedWords(statement.b), thetas);
  const scale = (1n << MODULUS_LOG2) / BigInt(plaintextModulus);
  const bits = Array.from({ length: plaintextBits(statement) }, (_, bit) => scale << BigInt(bit));
  const plaintexts = thetas.slice(d).flatMap((theta) => bits.map((weight) => modulo(weight * theta)));
  return [...masks.map((mask, j) => modulo(mask + bodies[j]!)), ...plaintexts];
}

/**
 * S_j = sum_i a_(i-j) theta^i, where a_-m stands for -a_(d-m) as X^d = -1. From j to j+1 every power moves up by one;
 * the last comes round to the front, with the other sign.
 */
function maskTerms(a: BigInt64Array, thetas: readonly bigint[]): bigint[] {
  const d = a.length;
  const theta = thetas[1]!;
  const around = modulo(1n + thetas[d - 1]! * theta);
  const reversed = (j: number): bigint => (j === 0 ? a[0]! : -a[d - j]!);
  let term = 0n;
  for (let j = 0; j < d; j++) term = modulo(term * theta - reversed(j));
  return Array.from({ length: d }, (_, j) => {
    term = modulo(term * theta + reversed(j) * around);
    return term;
  });
}

/** T_j = sum_(l<k) b_(d-1-j-l) theta^(d+l), indices as above; computed from the last j down. */
function bodyTerms(b: BigInt64Array, thetas: readonly bigint[]): bigint[] {
  const d = b.length;
  const blocks = thetas.length - d;
  const theta = thetas[1]!;
  const [lowest, beyond] = [thetas[d]!, modulo(thetas[d + blocks - 1]! * theta)];
  const at = (index: number): bigint => (index >= 0 ? b[index]! : -b[index + d]!);
  const terms = new Array<bigint>(d);
  let term = 0n;
  for (let l = 0; l < blocks; l++) term += at(-l) * thetas[d + l]!;
  terms[d - 1] = term = modulo(term);
  for (let j = d - 2; j >= 0; j--) {
    term = modulo(term * theta + at(d - 1 - j) * lowest - at(d - 1 - j - blocks) * beyond);
    terms[j] = term;
  }
  return terms;
}

export function powers(base: bigint, count: number): bigint[] {
  let power = 1n;
  return Array.from({ length: count }, () => {
    const current = power;
    power = (power * base) % R;
    return current;
  });
}

/** sum_j coefficients_j z^(n-j) */
function falling(coefficients: readonly bigint[], z: bigint, n: number): bigint {
  const value = coefficients.reduce((sum, coefficient) => modulo(sum * z + coefficient), 0n);
  return modulo(value * powers(z, n - coefficients.length + 2).at(-1)!);
}

/** sum_j coefficients_j z^(j+1) */
function rising(coefficients: readonly bigint[], z: bigint): bigint {
  return modulo(coefficients.reduceRight((sum, coefficient) => modulo(sum * z + coefficient), 0n) * z);
}

export function modulo(value: bigint): bigint {
  const rest = value % R;
  return rest < 0n ? rest + R : rest;
}
