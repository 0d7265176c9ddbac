/**
 * Signatures of distinct parties, one spelling per set. Layout: signers u16 LE, bit i-1 = party i | 64 bytes per signer
 * in ascending order. At most 2 + 15 * 64 bytes.
 */
import type { Reader } from '@keyquorum/codec/reader';
import type { Writer } from '@keyquorum/codec/writer';
import { SIGNATURE_BYTES } from '../runtime/identity.ts';
import type { PartyId } from '../transport.ts';

export type SignatureSet = ReadonlyMap<PartyId, Uint8Array>;

/** Parties are 1..15, so the top bit stays clear. */
const PARTY_MAX = 15;
export const SIGNATURE_SET_BYTES_MAX = 2 + PARTY_MAX * SIGNATURE_BYTES;

export function writeSignatureSet(writer: Writer, signatures: SignatureSet): void {
  const signers = [...signatures.keys()].sort((left, right) => left - right);
  let mask = 0;
  for (const signer of signers) mask |= 1 << (signer - 1);
  writer.u8(mask & 0xff);
  writer.u8(mask >> 8);
  for (const signer of signers) writer.raw(signatures.get(signer) ?? new Uint8Array(SIGNATURE_BYTES));
}

/** Copies the signatures out of the message. @throws CodecError */
export function readSignatureSet(reader: Reader): Map<PartyId, Uint8Array> {
  const at = reader.offset;
  const mask = reader.u8() | (reader.u8() << 8);
  if (mask >> PARTY_MAX) throw reader.error('CODEC_VALUE', `got a signer above ${PARTY_MAX}`, at);
  const signatures = new Map<PartyId, Uint8Array>();
  for (let party = 1; party <= PARTY_MAX; party++) {
    if (mask & (1 << (party - 1))) signatures.set(party, new Uint8Array(reader.take(SIGNATURE_BYTES)));
  }
  return signatures;
}
