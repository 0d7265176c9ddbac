/**
 * A proven list as its proofs see it: the ciphertexts of each part as they stand in the file, and the proof that goes
 * with them. `readCiphertext` cuts values out of the same bytes; verifying is for @keyquorum/crs.
 */
import { MAX_CIPHERTEXT_BYTES } from './ciphertext.ts';
import { CiphertextError, translatingCodecErrors } from './ciphertext-error.ts';
import { type ListParameters, requireListParameters } from './compact-list.ts';
import { wrongObject } from './parameter-checks.ts';
import { readEnvelope, TYPE_NAME } from './safe-serialize.ts';
import { provenCompactCiphertextList } from './schema/ciphertexts.ts';
import type { CompactPkeProof } from './schema/proof.ts';

const WORD_BYTES = 8;

/** Views into the file. */
export interface ProvenPart {
  /** Of each chunk of at most N ciphertexts, N coefficients, u64 little endian. */
  readonly masks: Uint8Array;
  /** One u64 per ciphertext. */
  readonly bodies: Uint8Array;
  readonly proof: CompactPkeProof;
}

/**
 * All parts of a ProvenCompactCiphertextList under these parameters: no value of the list is outside of them.
 * @throws CiphertextError
 */
export function readProvenParts(file: Uint8Array, parameters: ListParameters): readonly ProvenPart[] {
  const limit = MAX_CIPHERTEXT_BYTES['proven-list'];
  if (file.length > limit) {
    throw new CiphertextError('CIPHERTEXT_TOO_LARGE', `proven-list: got ${file.length} bytes, want at most ${limit}`);
  }
  return translatingCodecErrors(() => {
    const envelope = readEnvelope(file);
    if (envelope.typeName !== TYPE_NAME.provenCompactCiphertextList) {
      throw wrongObject(envelope.typeName, 'ProvenCompactCiphertextList');
    }
    const { lists } = envelope.open(provenCompactCiphertextList).inner.proved;
    requireListParameters({ parts: lists.map(({ blocks }) => blocks) }, parameters);
    return lists.map(({ blocks: { lwe }, proof }) => {
      const bodiesAt = lwe.data.length - lwe.count * WORD_BYTES;
      return { masks: lwe.data.subarray(0, bodiesAt), bodies: lwe.data.subarray(bodiesAt), proof };
    });
  });
}
