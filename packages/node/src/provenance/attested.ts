/**
 * A ciphertext that coprocessors attested: enough of those that the application names signed key, handle, format, slot
 * and digest of the exact bytes for this network (wire/ciphertext-attestation.ts). Cost: 0.7 ms per signature, and
 * 70 ms of hashing per MiB, in pieces between which other work is done.
 */
import { setImmediate } from 'node:timers/promises';
import {
  attestationDigest,
  type Coprocessors,
  createCiphertextDigest,
  requireAttestations,
} from '@keyquorum/wire/ciphertext-attestation';
import type { SigningDomain } from '@keyquorum/wire/eip712';
import type { Provenance } from './provenance.ts';

/** About 5 ms of hashing. */
const PIECE_BYTES = 64 * 1024;

export function attested(domain: SigningDomain, coprocessors: Coprocessors): Provenance {
  return {
    kind: 'attested',
    offered: ({ provenance }) => provenance.attestations.length > 0,
    async verify({ key, ciphertext: { handle, format, slot, bytes, provenance } }) {
      const subject = { keyId: bytesOf(key.keyId), handle: bytesOf(handle), format, slot };
      const digest = attestationDigest(domain, { ...subject, digest: await digestOf(bytes) });
      requireAttestations(digest, provenance.attestations, coprocessors);
    },
  };
}

async function digestOf(bytes: Uint8Array): Promise<Uint8Array> {
  const running = createCiphertextDigest();
  for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
    running.update(bytes.subarray(at, at + PIECE_BYTES));
    await setImmediate();
  }
  return running.digest();
}

const bytesOf = (hex: string) => new Uint8Array(Buffer.from(hex, 'hex'));
