/** The three algebras that shares live in, behind one name, with their encoding on the wire. */
import { asGf16, asGr64, asGr128, type AlgebraName, type Batches } from '@keyquorum/kernel/batch';
import type { Kernel } from '@keyquorum/kernel/kernel';
import { openingMatrix } from '@keyquorum/kernel/lagrange';
import type { PartyId } from '../transport.ts';

export type { AlgebraName, Batches };

/** Bytes of `count` elements on the wire: two GF(16) elements per byte, ring elements as they are. */
export function wireBytes(algebra: AlgebraName, count: number): number {
  return algebra === 'gf16' ? Math.ceil(count / 2) : count * (algebra === 'gr64' ? 32 : 64);
}

export function elementCount(kernel: Kernel, algebra: AlgebraName, batch: Uint8Array): number {
  return algebra === 'gf16' ? batch.length : kernel[algebra].count(batch as never);
}

export function toWire<A extends AlgebraName>(kernel: Kernel, algebra: A, batch: Batches[A]): Uint8Array {
  return algebra === 'gf16' ? kernel.gf16.pack(batch as Batches['gf16']) : (batch as Uint8Array);
}

/** @throws KernelError when the bytes are no `count` elements */
export function fromWire<A extends AlgebraName>(kernel: Kernel, algebra: A, bytes: Uint8Array, count: number): Batches[A] {
  if (algebra === 'gf16') return kernel.gf16.unpack(bytes, count) as Batches[A];
  return (algebra === 'gr64' ? asGr64(bytes) : asGr128(bytes)) as Batches[A];
}

export interface OpenedShares<E> {
  readonly values: E;
  /** Index of the first element whose shares are on no polynomial of that degree; -1 when all are. */
  readonly firstInconsistent: number;
}

/** Interpolates at 0 from the first degree+1 shares and checks all others against them. */
export function openShares<A extends AlgebraName>(
  kernel: Kernel,
  algebra: A,
  shares: readonly (readonly [PartyId, Batches[A]])[],
  degree: number,
): OpenedShares<Batches[A]> {
  const matrix = openingMatrix(
    shares.map(([party]) => party),
    degree,
    algebra,
  );
  const ring = kernel[algebra] as unknown as {
    open(matrix: unknown, shares: readonly Batches[A][]): OpenedShares<Batches[A]>;
  }; // the ring of the algebra; TypeScript cannot relate the two lookups
  return ring.open(
    matrix,
    shares.map(([, batch]) => batch),
  );
}
