/**
 * Codewords of least weight of the Shamir code over GR(2^k, 4) = Z_2^k[X]/(X^4+X+1) and GF(16), by BigInt: for tests
 * only. f(X) = delta * prod over a set Z of `degree` honest parties of (X - alpha_j) vanishes on Z and nowhere else, so
 * it has weight n - degree, the distance of the code.
 */
import type { PartyId } from '../../transport.ts';
import type { Prng } from '../prng.ts';
import type { ElementRing } from '../share-message.ts';

export interface CodewordOptions {
  readonly n: number;
  readonly degree: number;
  /** Parties that must not be in Z: the colluders. */
  readonly support: readonly PartyId[];
  readonly self: PartyId;
  /** Draws the same at every colluder. */
  readonly random: Prng;
  readonly highBitsOnly: boolean;
}

/** Coordinates modulo 2^bits. */
type Element = readonly [bigint, bigint, bigint, bigint];

/** Elements of one message that are changed; a batch check must find even a few among many. */
const CHANGED_MAX = 16;

/** The elements plus this party's coordinate of fresh codewords, at positions all colluders choose alike. */
export function addCodeword(elements: Uint8Array, ring: ElementRing, options: CodewordOptions): Uint8Array {
  const { n, degree, support, self, random, highBitsOnly } = options;
  const changed = new Uint8Array(elements);
  const layout = layoutOf(ring);
  const count = layout.count(elements);
  if (count === 0) return changed;
  const others = Array.from({ length: n }, (_, index) => index + 1).filter((party) => !support.includes(party));
  for (let round = 0; round < Math.min(count, CHANGED_MAX); round++) {
    const at = random.below(count);
    const zeros = random.sample(others, degree);
    const delta = nonZero(random, layout.bits, highBitsOnly);
    const offset = zeros.reduce(
      (product, zero) => multiply(product, subtract(point(self), point(zero)), layout.bits),
      delta,
    );
    layout.add(changed, at, offset);
  }
  return changed;
}

interface Layout {
  /** Bits of one coordinate. */
  readonly bits: number;
  /** Elements that may be changed: the last half byte of GF(16) may be padding, which must stay 0. */
  count(bytes: Uint8Array): number;
  /** bytes[at] += offset. */
  add(bytes: Uint8Array, at: number, offset: Element): void;
}

function layoutOf(ring: ElementRing): Layout {
  if (ring.kind === 'gf16') {
    return {
      bits: 1,
      count: (bytes) => Math.max(0, 2 * bytes.length - 1),
      add(bytes, at, offset) {
        const nibble = offset.reduce((sum, bit, index) => sum | (Number(bit) << index), 0);
        bytes[at >> 1] = (bytes[at >> 1] ?? 0) ^ (nibble << (4 * (at & 1)));
      },
    };
  }
  const { coordinateBytes } = ring;
  return {
    bits: 8 * coordinateBytes,
    count: (bytes) => Math.floor(bytes.length / (4 * coordinateBytes)),
    add(bytes, at, offset) {
      offset.forEach((value, coordinate) => {
        const start = (4 * at + coordinate) * coordinateBytes;
        addLittleEndian(bytes.subarray(start, start + coordinateBytes), value);
      });
    },
  };
}

function addLittleEndian(word: Uint8Array, value: bigint): void {
  let carry = value;
  word.forEach((byte, index) => {
    const sum = BigInt(byte) + (carry & 0xffn);
    word[index] = Number(sum & 0xffn);
    carry = (carry >> 8n) + (sum >> 8n);
  });
}

/** The lift of party i's point: its binary digits as coefficients. */
function point(party: PartyId): Element {
  const bit = (index: number) => BigInt((party >> index) & 1);
  return [bit(0), bit(1), bit(2), bit(3)];
}

function subtract(left: Element, right: Element): Element {
  return [left[0] - right[0], left[1] - right[1], left[2] - right[2], left[3] - right[3]];
}

/** Product modulo X^4 + X + 1, that is X^4 = -X - 1, and 2^bits. */
function multiply(left: Element, right: Element, bits: number): Element {
  const raw = Array.from({ length: 7 }, () => 0n);
  left.forEach((a, i) => {
    right.forEach((b, j) => {
      raw[i + j] = (raw[i + j] ?? 0n) + a * b;
    });
  });
  for (let high = 6; high >= 4; high--) {
    const value = raw[high] ?? 0n;
    raw[high - 3] = (raw[high - 3] ?? 0n) - value;
    raw[high - 4] = (raw[high - 4] ?? 0n) - value;
  }
  const coordinate = (index: number) => BigInt.asUintN(bits, raw[index] ?? 0n);
  return [coordinate(0), coordinate(1), coordinate(2), coordinate(3)];
}

function nonZero(random: Prng, bits: number, highBitsOnly: boolean): Element {
  const shift = BigInt(bits - 1);
  const coordinate = () => BigInt.asUintN(bits, BigInt(random.below(2 ** 32)) | 1n); // odd: a unit in its coordinate
  const delta: Element = [coordinate(), coordinate(), 0n, 0n];
  return highBitsOnly ? [BigInt.asUintN(bits, delta[0] << shift), 0n, 0n, 0n] : delta;
}
