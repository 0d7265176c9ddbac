/** The three algebras that shares live in, behind one name, with their encoding on the wire. */
import { type AlgebraName, asGr64, asGr128, type Batches, ELEMENT_BYTES, type Matrix } from '@keyquorum/kernel/batch';
import type { Kernel } from '@keyquorum/kernel/kernel';
import { openingMatrix } from '@keyquorum/kernel/lagrange';
import type { Opening } from '@keyquorum/kernel/ring';
import type { PartyId } from '../transport.ts';

export type { AlgebraName, Batches };

/** Bytes of `count` elements on the wire: two GF(16) elements per byte, ring elements as they are. */
export function wireBytes(algebra: AlgebraName, count: number): number {
  return algebra === 'gf16' ? Math.ceil(count / 2) : count * ELEMENT_BYTES[algebra];
}

export function elementCount(algebra: AlgebraName, batch: Uint8Array): number {
  return batch.length / ELEMENT_BYTES[algebra];
}

export function elementAt<A extends AlgebraName>(algebra: A, batch: Batches[A], index: number): Batches[A] {
  const bytes = ELEMENT_BYTES[algebra];
  return batch.slice(index * bytes, (index + 1) * bytes) as Uint8Array as Batches[A];
}

/** A copy: slow links still queue it when the owner erases the shares. */
export function toWire<A extends AlgebraName>(kernel: Kernel, algebra: A, batch: Batches[A]): Uint8Array {
  return algebra === 'gf16' ? kernel.gf16.pack(batch as Batches['gf16']) : new Uint8Array(batch);
}

/** @throws KernelError when the bytes are no `count` elements */
export function fromWire<A extends AlgebraName>(
  kernel: Kernel,
  algebra: A,
  bytes: Uint8Array,
  count: number,
): Batches[A] {
  if (algebra === 'gf16') return kernel.gf16.unpack(bytes, count) as Batches[A];
  return (algebra === 'gr64' ? asGr64(bytes) : asGr128(bytes)) as Batches[A];
}

/** A batch of shares per party. */
export type Shares<A extends AlgebraName> = readonly (readonly [PartyId, Batches[A]])[];

/** Interpolates at 0 from the first degree+1 shares and checks all others against them. */
export function openShares<A extends AlgebraName>(
  kernel: Kernel,
  algebra: A,
  shares: Shares<A>,
  degree: number,
): Opening<Batches[A]> {
  return operationsOf(kernel, algebra).open(matrixOf(algebra, shares, degree), shares.map(batchOf));
}

/** Each share beyond the first degree+1, with what these say that it should be. */
export function predictShares<A extends AlgebraName>(
  kernel: Kernel,
  algebra: A,
  shares: Shares<A>,
  degree: number,
): (readonly [share: Batches[A], prediction: Batches[A]])[] {
  const known = shares.slice(0, degree + 1).map(batchOf);
  const [, ...predictions] = operationsOf(kernel, algebra).multiply(matrixOf(algebra, shares, degree), known);
  return predictions.map((prediction, index) => [shares[degree + 1 + index]![1], prediction] as const);
}

/** What rings and field do alike. */
interface Operations<E> {
  open(matrix: Matrix<E>, shares: readonly E[]): Opening<E>;
  multiply(matrix: Matrix<E>, columns: readonly E[]): E[];
}

function operationsOf<A extends AlgebraName>(kernel: Kernel, algebra: A): Operations<Batches[A]> {
  return kernel[algebra] as unknown as Operations<Batches[A]>; // TypeScript cannot relate the two lookups by name
}

function matrixOf<A extends AlgebraName>(algebra: A, shares: Shares<A>, degree: number): Matrix<Batches[A]> {
  const points = shares.map(([party]) => party);
  return openingMatrix(points, degree, algebra);
}

function batchOf<E>([, batch]: readonly [PartyId, E]): E {
  return batch;
}
