/** Elements of batches, for the local parts of a key generation: views, places, powers of two. */
import type { Gr64, Gr128 } from '@keyquorum/kernel/batch';
import { eraseBuffer } from '@keyquorum/kernel/release';
import type { Ring } from '@keyquorum/kernel/ring';

/** A view of one element. */
export function element<E extends Gr64 | Gr128>(ring: Ring<E>, batch: E, index: number): E {
  return slice(ring, batch, index, 1);
}

/** A view of `count` elements. */
export function slice<E extends Gr64 | Gr128>({ bytesPerElement }: Ring<E>, batch: E, first: number, count: number): E {
  return batch.subarray(first * bytesPerElement, (first + count) * bytesPerElement) as Uint8Array as E;
}

/** Puts elements in their place and erases the copy. */
export function replace<E extends Gr64 | Gr128>({ bytesPerElement }: Ring<E>, batch: E, at: number, elements: E): void {
  batch.set(elements, at * bytesPerElement);
  eraseBuffer(elements);
}

/** 2^exponent as one element of a ring modulo 2^(8 * wordBytes). */
export function powerOfTwo<E extends Gr64 | Gr128>(ring: Ring<E>, wordBytes: number, exponent: number): E {
  const word = new Uint8Array(wordBytes);
  word[exponent >> 3] = 1 << (exponent & 7);
  return ring.embed(word);
}
