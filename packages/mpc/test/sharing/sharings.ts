/** Shamir sharings made in the clear, and what t corrupt parties can do to them, over all three algebras. */
import { type AlgebraName, asGf16, asGr64, asGr128, type Batches, ELEMENT_BYTES } from '@keyquorum/kernel/batch';
import { createKernel } from '@keyquorum/kernel/kernel';
import type { Prng } from '../../src/simulate/prng.ts';
import type { PartyId } from '../../src/transport.ts';

export const kernel = createKernel();
export const ALGEBRAS: readonly AlgebraName[] = ['gr64', 'gr128', 'gf16'];
export const SIZES = [
  { n: 4, t: 1 },
  { n: 7, t: 2 },
  { n: 13, t: 4 },
];

export function partiesUpTo(n: number): PartyId[] {
  return Array.from({ length: n }, (_, index) => index + 1);
}

export function asBatch<A extends AlgebraName>(algebra: A, bytes: Uint8Array): Batches[A] {
  const batch = algebra === 'gf16' ? asGf16(bytes) : algebra === 'gr64' ? asGr64(bytes) : asGr128(bytes);
  return batch as Batches[A];
}

export function randomBatch<A extends AlgebraName>(algebra: A, count: number, random: Prng): Batches[A] {
  const bytes = random.bytes(count * ELEMENT_BYTES[algebra]);
  return asBatch(algebra, algebra === 'gf16' ? bytes.map((byte) => byte & 15) : bytes);
}

export function one<A extends AlgebraName>(algebra: A): Batches[A] {
  return asBatch(algebra, Uint8Array.of(1, ...new Uint8Array(ELEMENT_BYTES[algebra] - 1)));
}

/** Shares of every party, and the coefficients of the polynomials, the secret first. */
export interface Sharing<A extends AlgebraName> {
  readonly coefficients: readonly Batches[A][];
  readonly shares: Map<PartyId, Batches[A]>;
}

export function share<A extends AlgebraName>(
  algebra: A,
  secret: Batches[A],
  { n, degree, random }: { n: number; degree: number; random: Prng },
): Sharing<A> {
  const count = secret.length / ELEMENT_BYTES[algebra];
  const coefficients = [secret, ...partiesUpTo(degree).map(() => randomBatch(algebra, count, random))];
  return {
    coefficients,
    shares: new Map(partiesUpTo(n).map((party) => [party, evaluate(algebra, coefficients, party)])),
  };
}

export function evaluate<A extends AlgebraName>(
  algebra: A,
  coefficients: readonly Batches[A][],
  point: number,
): Batches[A] {
  const ring = kernel[algebra] as unknown as { evaluate(c: readonly Batches[A][], point: number): Batches[A] };
  return ring.evaluate(coefficients, point);
}

export function add<A extends AlgebraName>(algebra: A, left: Batches[A], right: Batches[A]): Batches[A] {
  const ring = kernel[algebra] as unknown as { add(left: Batches[A], right: Batches[A]): Batches[A] };
  return ring.add(left, right);
}

/** Multiplies by 2^w, so that only the bits from w on are touched. GF(16) has no such elements: unchanged. */
export function raise<A extends AlgebraName>(algebra: A, batch: Batches[A], w: number): Batches[A] {
  if (algebra === 'gf16') return batch;
  const wordBytes = ELEMENT_BYTES[algebra] / 4;
  const out = new Uint8Array(batch.length);
  for (let at = 0; at < batch.length; at += wordBytes) {
    let word = 0n;
    for (let k = wordBytes - 1; k >= 0; k--) word = (word << 8n) | BigInt(batch[at + k]!);
    word = BigInt.asUintN(8 * wordBytes, word << BigInt(w));
    for (let k = 0; k < wordBytes; k++) out[at + k] = Number((word >> BigInt(8 * k)) & 255n);
  }
  return asBatch(algebra, out);
}

/** The same batch with one element replaced by its sum with `offset`. */
export function shift<A extends AlgebraName>(
  algebra: A,
  batch: Batches[A],
  at: number,
  offset: Batches[A],
): Batches[A] {
  const bytes = ELEMENT_BYTES[algebra];
  const out = new Uint8Array(batch);
  const element = asBatch(algebra, batch.slice(at * bytes, (at + 1) * bytes));
  out.set(add(algebra, element, offset), at * bytes);
  return asBatch(algebra, out);
}

/**
 * Coefficients of delta * prod_{z in zeros} (X - alpha_z), an own codeword that vanishes at `zeros`. One element each.
 */
export function vanishing<A extends AlgebraName>(
  algebra: A,
  zeros: readonly PartyId[],
  delta: Batches[A],
): Batches[A][] {
  let coefficients = [delta];
  for (const zero of zeros) {
    const minusZero = negatePoint(algebra, zero);
    const scaled = coefficients.map((c) => multiply(algebra, c, minusZero));
    const none = asBatch(algebra, new Uint8Array(delta.length));
    coefficients = [...scaled, none].map((c, k) => (k === 0 ? c : add(algebra, c, coefficients[k - 1]!)));
  }
  return coefficients;
}

function multiply<A extends AlgebraName>(algebra: A, left: Batches[A], right: Batches[A]): Batches[A] {
  const ring = kernel[algebra] as unknown as { mul(left: Batches[A], right: Batches[A]): Batches[A] };
  return ring.mul(left, right);
}

function negatePoint<A extends AlgebraName>(algebra: A, party: PartyId): Batches[A] {
  if (algebra === 'gf16') return asBatch(algebra, Uint8Array.of(party));
  const wordBytes = ELEMENT_BYTES[algebra] / 4;
  const out = new Uint8Array(ELEMENT_BYTES[algebra]);
  for (let k = 0; k < 4; k++) if ((party >> k) & 1) out.fill(255, k * wordBytes, (k + 1) * wordBytes); // -1
  return asBatch(algebra, out);
}
