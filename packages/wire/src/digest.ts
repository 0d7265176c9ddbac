/**
 * Digests of public material: SHAKE-256 over an 8-byte ASCII label and the bytes, 32 bytes out. The label keeps digests
 * of different kinds of objects apart. Same rule and labels as the KMS core.
 */
import { shake256 } from '@noble/hashes/sha3.js';
import { WireError } from './error.ts';

export const DIGEST_BYTES = 32;
const LABEL = /^[\x21-\x7e]{8}$/;

/** Labels that other programs compute with too. */
export const DIGEST_LABEL = {
  /** Over the safe_serialize bytes of a key. */
  key: 'PDAT_KEY',
  /** Over the safe_serialize bytes of a common reference string. */
  crs: 'PDAT_CRS',
  /** Over keys inside signcrypted answers. */
  signcryption: 'SIGNCRYP',
} as const;

/** A digest of bytes that come in pieces; `digest` may be called once. */
export interface LabelledDigest {
  update(piece: Uint8Array): LabelledDigest;
  digest(): Uint8Array;
}

/** Starts SHAKE256(label || ...). Server keys are half a gigabyte: feed them piece by piece. */
export function createLabelledDigest(label: string): LabelledDigest {
  if (!LABEL.test(label)) {
    throw new WireError('LABEL_MALFORMED', `digest label: got ${JSON.stringify(label)}, want 8 ASCII characters`);
  }
  const hash = shake256.create({ dkLen: DIGEST_BYTES }).update(new TextEncoder().encode(label));
  const running: LabelledDigest = {
    update(piece) {
      hash.update(piece);
      return running;
    },
    digest: () => hash.digest(),
  };
  return running;
}

/** SHAKE256(label || bytes), 32 bytes. */
export function labelledDigest(label: string, bytes: Uint8Array): Uint8Array {
  return createLabelledDigest(label).update(bytes).digest();
}

/** The digest under which a serialised key is announced, stored and signed. */
export function keyDigest(bytes: Uint8Array): Uint8Array {
  return labelledDigest(DIGEST_LABEL.key, bytes);
}
