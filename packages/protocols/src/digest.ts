/** SHA-256 over a domain label and length-prefixed parts: injective, so equal digests mean equal parts. */
import { createHash } from 'node:crypto';
import { toHex } from '@keyquorum/mpc/bytes';
import type { SessionId } from '@keyquorum/mpc/transport';
import type { Label } from './labels.ts';

export function digestOf(label: Label, ...parts: readonly Uint8Array[]): Uint8Array {
  const hash = createHash('sha256').update(label);
  for (const part of parts) hash.update(new Uint8Array(Uint32Array.of(part.length).buffer)).update(part);
  return new Uint8Array(hash.digest());
}

/** The same digest as a session id. */
export function sessionIdOf(label: Label, ...parts: readonly Uint8Array[]): SessionId {
  return toHex(digestOf(label, ...parts));
}
