/**
 * Shared random bits from opened squares (SPEC R9; docs/protocols/sharing.md). Every party's message is a^2 + a + z: a
 * is a uniform PRSS value, z a zero sharing of degree 2t. The opened v has exactly two roots, a and -1-a, and nobody
 * knows which of them a is: b = 1 if it is the canonical one and 0 otherwise. One opening of degree 2t, which must be a
 * detected one.
 *
 * A bit that is needed modulo 2^(8k) only takes 4k bytes on the wire. Its share modulo 2 is a GF(16) share of it.
 */
import type { AlgebraName, Batches } from '@keyquorum/kernel/batch';
import type { Kernel } from '@keyquorum/kernel/kernel';
import { eraseBuffer } from '@keyquorum/kernel/release';
import type { Ring } from '@keyquorum/kernel/ring';
import type { Prss } from '../prss/prss.ts';

export type BitAlgebra = Exclude<AlgebraName, 'gf16'>;

export interface BitFormat<A extends BitAlgebra> {
  readonly algebra: A;
  readonly count: number;
  /** Bytes per coefficient: the bits are exact modulo 2^(8*coefficientBytes). */
  readonly coefficientBytes: number;
}

export function bitMessageBytes({
  count,
  coefficientBytes,
}: Pick<BitFormat<BitAlgebra>, 'count' | 'coefficientBytes'>): number {
  return 4 * coefficientBytes * count;
}

/** The message of this party, in wire form, and the shares `a` that it keeps until the values are opened. */
export function bitMessage<A extends BitAlgebra>(
  kernel: Kernel,
  prss: Prss,
  label: string,
  { algebra, count, coefficientBytes }: BitFormat<A>,
): { message: Uint8Array; a: Batches[A] } {
  const ring = ringOf(kernel, algebra);
  const wide = algebra === 'gr128';
  const a = (wide ? prss.random128(label, count) : prss.random64(label, count)) as Batches[A];
  const zero = (wide ? prss.zero128(label, count) : prss.zero64(label, count)) as Batches[A];
  const square = ring.mul(a, a);
  const opening = ring.add(ring.add(square, a), zero);
  const message = ring.toWire(opening, coefficientBytes);
  for (const secret of [square, zero, opening]) eraseBuffer(secret); // the message without its mask would give a away
  return { message, a };
}

/** A received message as shares for a detected opening of degree 2t. */
export function readBitMessage<A extends BitAlgebra>(
  kernel: Kernel,
  message: Uint8Array,
  { algebra, coefficientBytes }: Pick<BitFormat<A>, 'algebra' | 'coefficientBytes'>,
): Batches[A] {
  return ringOf(kernel, algebra).fromWire(message, coefficientBytes);
}

/** The opened values in wire form, from what the opening of such shares gave. */
export function bitValues<A extends BitAlgebra>(
  kernel: Kernel,
  opened: Batches[A],
  { algebra, coefficientBytes }: Pick<BitFormat<A>, 'algebra' | 'coefficientBytes'>,
): Uint8Array {
  const ring = ringOf(kernel, algebra);
  return ring.toWire(ring.lowBits(opened, coefficientBytes), coefficientBytes);
}

/**
 * Shares of the bits, from the own `a` and the opened values.
 * @throws KernelError ROOT_MISSING, which cannot happen after a correct opening: stop the session
 */
export function finishBits<A extends BitAlgebra>(
  kernel: Kernel,
  a: Batches[A],
  values: Uint8Array,
  { algebra, coefficientBytes }: Pick<BitFormat<A>, 'algebra' | 'coefficientBytes'>,
): Batches[A] {
  const ring = ringOf(kernel, algebra);
  return ring.bitShares(a, ring.lowBits(ring.fromWire(values, coefficientBytes), coefficientBytes), coefficientBytes);
}

function ringOf<A extends BitAlgebra>(kernel: Kernel, algebra: A): Ring<Batches[A]> {
  return kernel[algebra] as unknown as Ring<Batches[A]>; // TypeScript cannot relate the two lookups by name
}
