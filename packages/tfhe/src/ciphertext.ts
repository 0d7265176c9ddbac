/**
 * The door through which foreign ciphertexts come in: serialised bytes of a stated format in, one value ready for
 * decryption out, or a CiphertextError. Whatever passes has exactly the parameters of the key, at most nominal
 * noise, no trailing bytes and known type and width (SPEC R13); who made it is checked elsewhere.
 * Cost: linear in the value's blocks (u64: 1 MB of masks, below 1 ms; squashed 1.6 MB); seeded values 16 KiB of AES per
 * block.
 */
import { CiphertextError, translatingCodecErrors } from './ciphertext-error.ts';
import type { CiphertextValue } from './ciphertext-value.ts';
import { readListValue, readProvenListValue } from './compact-list.ts';
import { readCompressedListValue } from './compressed-list.ts';
import type { ParameterSet } from './parameters.ts';
import { readRadixValue, readSeededRadixValue } from './radix-ciphertext.ts';
import { readEnvelope } from './safe-serialize.ts';
import { readSquashedValue } from './squashed.ts';
import { readSquashedListValue } from './squashed-list.ts';

export { CiphertextError, type CiphertextErrorCode } from './ciphertext-error.ts';
export {
  type CiphertextValue,
  isSquashed,
  messageMasks,
  type Piece,
  recompose,
  type Value64,
  type Value128,
} from './ciphertext-value.ts';
export { allFheTypes, type FheType, fheTypeId, fheTypeName, fheTypeOfId, parseFheType } from './fhe-type.ts';

export type CiphertextFormat =
  | 'compact-list'
  | 'proven-list'
  | 'fhe'
  | 'compressed-fhe'
  | 'compressed-list'
  | 'squashed'
  | 'compressed-squashed-list';

/**
 * Most bytes of one object. The widest type has 1024 blocks: 16,500 bytes each when expanded, about 200 when seeded.
 * A list has 8 bytes per ciphertext, 16 KiB per chunk of 2048, and about 3 KiB per proof; a compressed one has at most
 * 2 KiB per 256 blocks. A squashed block has 65,700 bytes, or 98,500 when it was taken out of a list: 1024 bits fit.
 * Wider values come in squashed lists, with 100 KiB per 256 blocks.
 */
export const MAX_CIPHERTEXT_BYTES: Readonly<Record<CiphertextFormat, number>> = {
  'compact-list': 2 ** 21,
  'proven-list': 2 ** 21,
  fhe: 17 * 2 ** 20,
  'compressed-fhe': 2 ** 19,
  'compressed-list': 2 ** 20,
  squashed: 17 * 2 ** 20,
  'compressed-squashed-list': 17 * 2 ** 20,
};

export interface ReadOptions {
  /** Parameter set of the key that the ciphertext must be under. */
  readonly parameters: ParameterSet;
  /** Index of the value in a list; default 0. Other objects hold one value, number 0. */
  readonly slot?: number;
}

/**
 * Cuts one value out of a serialised object. The result owns its bytes.
 * @throws CiphertextError
 */
export function readCiphertext(format: CiphertextFormat, bytes: Uint8Array, options: ReadOptions): CiphertextValue {
  const { parameters, slot = 0 } = options;
  const limit = MAX_CIPHERTEXT_BYTES[format];
  if (bytes.length > limit) {
    throw new CiphertextError('CIPHERTEXT_TOO_LARGE', `${format}: got ${bytes.length} bytes, want at most ${limit}`);
  }
  if (!Number.isSafeInteger(slot) || slot < 0) {
    throw new CiphertextError('CIPHERTEXT_SLOT', `slot: got ${slot}, want an index from 0`);
  }
  return translatingCodecErrors(() => {
    const envelope = readEnvelope(bytes);
    if (format === 'compact-list') return readListValue(envelope, parameters, slot);
    if (format === 'proven-list') return readProvenListValue(envelope, parameters, slot);
    if (format === 'compressed-list') return readCompressedListValue(envelope, parameters, slot);
    if (format === 'compressed-squashed-list') return readSquashedListValue(envelope, parameters, slot);
    if (slot !== 0) throw new CiphertextError('CIPHERTEXT_SLOT', `slot: got ${slot}, but ${format} holds one value`);
    if (format === 'squashed') return readSquashedValue(envelope, parameters);
    return format === 'fhe' ? readRadixValue(envelope, parameters) : readSeededRadixValue(envelope, parameters);
  });
}
