/**
 * Batches: plain bytes in the layout that also goes over the wire, branded so that rings cannot be mixed up.
 * Gr64 and Gr128 are the Galois rings (Z/2^64)[X]/(X^4+X+1) and (Z/2^128)[X]/(X^4+X+1): 4 little-endian coefficients
 * per element, low degree first. Gf16 is their residue field, ONE element per byte (0..15), x^4+x+1.
 */
import { KernelError } from './errors.ts';

// Exists for the type checker only: no value ever has this property.
declare const algebra: unique symbol;

/** 32 bytes per element. */
export type Gr64 = Uint8Array & { readonly [algebra]: 'GR(2^64,4)' };
/** 64 bytes per element. */
export type Gr128 = Uint8Array & { readonly [algebra]: 'GR(2^128,4)' };
/** 1 byte per element. */
export type Gf16 = Uint8Array & { readonly [algebra]: 'GF(2^4)' };

/** Which batch type a name stands for. */
export interface Batches {
  readonly gr64: Gr64;
  readonly gr128: Gr128;
  readonly gf16: Gf16;
}
export type AlgebraName = keyof Batches;

/** Public constants, row-major: element (r, c) is at index r*cols + c. */
export interface Matrix<E> {
  readonly rows: number;
  readonly cols: number;
  readonly elements: E;
}

export const ELEMENT_BYTES: Readonly<Record<AlgebraName, number>> = { gr64: 32, gr128: 64, gf16: 1 };

/** The same bytes, not a copy. Throws BATCH_LENGTH unless they are whole elements. */
export function asGr64(bytes: Uint8Array): Gr64 {
  return wholeElements(bytes, 'gr64') as Gr64;
}

/** The same bytes, not a copy. Throws BATCH_LENGTH unless they are whole elements. */
export function asGr128(bytes: Uint8Array): Gr128 {
  return wholeElements(bytes, 'gr128') as Gr128;
}

/** The same bytes, not a copy. Throws NOT_AN_ELEMENT if a byte exceeds 15. */
export function asGf16(bytes: Uint8Array): Gf16 {
  let bits = 0; // no early exit: elements may be secret
  for (let i = 0; i < bytes.length; i++) bits |= bytes[i]!;
  if (bits > 15) throw new KernelError('NOT_AN_ELEMENT', 'gf16 batch: a byte exceeds 15; unpack packed bytes first');
  return bytes as Gf16;
}

function wholeElements(bytes: Uint8Array, name: AlgebraName): Uint8Array {
  if (bytes.length % ELEMENT_BYTES[name] !== 0) {
    throw new KernelError(
      'BATCH_LENGTH',
      `${name} batch: ${bytes.length} bytes, want a multiple of ${ELEMENT_BYTES[name]}`,
    );
  }
  return bytes;
}
