/**
 * AES-256-GCM (NIST SP 800-38D) around one secret: nonce 12 | ciphertext | tag 16. The label and the name are
 * additional data, so that a box moved to another place does not open. Nonces are random; one key seals far fewer than
 * 2^32 boxes.
 */
import { createCipheriv, createDecipheriv, createHash } from 'node:crypto';

export const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
export const BOX_OVERHEAD_BYTES = NONCE_BYTES + TAG_BYTES;
const ALGORITHM = 'aes-256-gcm';

export interface Place {
  readonly label: string;
  readonly name: string;
}

function additionalData({ label, name }: Place): Buffer {
  return createHash('sha256').update(`${label}|${name}`).digest();
}

export function seal(key: Uint8Array, nonce: Uint8Array, secret: Uint8Array, place: Place): Buffer {
  if (nonce.length !== NONCE_BYTES) throw new RangeError(`nonce: ${nonce.length} bytes, want ${NONCE_BYTES}`);
  const cipher = createCipheriv(ALGORITHM, key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(additionalData(place));
  return Buffer.concat([nonce, cipher.update(secret), cipher.final(), cipher.getAuthTag()]);
}

/** The secret in an array of its own, which the caller erases; undefined when the box does not open. */
export function unseal(key: Uint8Array, box: Uint8Array, place: Place): Uint8Array | undefined {
  if (box.length < BOX_OVERHEAD_BYTES) return undefined;
  const decipher = createDecipheriv(ALGORITHM, key, box.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES });
  decipher.setAAD(additionalData(place));
  decipher.setAuthTag(box.subarray(-TAG_BYTES));
  const opened = decipher.update(box.subarray(NONCE_BYTES, -TAG_BYTES));
  try {
    decipher.final();
    return new Uint8Array(opened);
  } catch {
    return undefined; // the one way GCM says no
  } finally {
    opened.fill(0);
  }
}

/** A nonce for `seal`, from the store's random source. */
export function freshNonce(random: (bytes: number) => Uint8Array): Uint8Array {
  return random(NONCE_BYTES);
}
