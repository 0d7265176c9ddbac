/**
 * The FHE types that clients of the KMS core read after a re-encryption, by their number (the type byte of a handle):
 * the same eight that public decryption on chain knows.
 */
import { WireError } from './error.ts';

/** Width of the plaintext by type number. */
const TYPE_BITS: ReadonlyMap<number, number> = new Map([
  [0, 1], //   bool
  [2, 8],
  [3, 16],
  [4, 32],
  [5, 64],
  [6, 128],
  [7, 160], // address
  [8, 256],
]);
export const BOOL_TYPE = 0;
/** A bool counts as one block of two bits in the limit of a request. */
const BOOL_COUNTED_BITS = 2;
/** Of all values of one request together; contracts and SDKs have the same limit. */
export const REQUEST_BITS_MAX = 2048;
/** That many bools. */
export const REQUEST_VALUES_MAX = REQUEST_BITS_MAX / BOOL_COUNTED_BITS;

/** @throws WireError TYPE_UNSUPPORTED */
export function bitsOfUserType(fheType: number): number {
  const bits = TYPE_BITS.get(fheType);
  if (bits === undefined) {
    const known = [...TYPE_BITS.keys()].join(', ');
    throw new WireError('TYPE_UNSUPPORTED', `FHE type ${fheType}: want one of ${known}`);
  }
  return bits;
}

/** @throws WireError TYPE_UNSUPPORTED, BITS_TOO_MANY */
export function requireBits(fheTypes: readonly number[]): void {
  const bits = fheTypes.reduce((sum, type) => {
    return sum + (type === BOOL_TYPE ? BOOL_COUNTED_BITS : bitsOfUserType(type));
  }, 0);
  if (bits > REQUEST_BITS_MAX) {
    throw new WireError('BITS_TOO_MANY', `values of ${bits} bits in one request, want at most ${REQUEST_BITS_MAX}`);
  }
}
