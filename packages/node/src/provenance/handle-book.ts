/**
 * Which ciphertext every handle named when it was first decrypted under a production key, durably. Nodes sign handles,
 * so a handle that means one ciphertext for ever makes an answer one about that ciphertext. A second ciphertext that is
 * shown to be genuine under the same handle is a contradiction: some coprocessor signed both, or one of them under the
 * handle of a proven input, which follows from its bytes. It is refused and raises an alarm (SPEC R13); the key is not
 * stopped, for then any requester could stop it.
 *
 * The oldest are forgotten beyond `limits.keptHandles`, half a kilobyte of memory each: this is the second lock, behind
 * the check of where each ciphertext comes from.
 */
import { createHash } from 'node:crypto';
import type { Journal } from '@keyquorum/mpc/session';
import { ApiError } from '../errors/api-error.ts';
import { LABELS } from '../labels.ts';
import type { Ciphertext } from '../requests/content.ts';
import { StoreError } from '../store/store-error.ts';

export interface HandleBook {
  /** Throws HANDLE_CONFLICT if the handle named another ciphertext; remembers nothing. */
  check(keyId: string, ciphertext: Ciphertext): void;
  /**
   * Remembers what the handles name, in order; durable with the next `sync` of any table. Call it once it is shown
   * where the ciphertexts come from. Throws HANDLE_CONFLICT.
   */
  bind(keyId: string, ciphertexts: readonly Ciphertext[]): void;
}

interface Options {
  readonly table: Journal;
  /** Most handles that are remembered. */
  readonly kept: number;
  now(): number;
  /** The alarm: two ciphertexts, both shown to be genuine, under one handle. */
  onConflict(conflict: { readonly keyId: string; readonly handle: string; readonly digests: readonly string[] }): void;
}

const DIGEST_BYTES = 32;
const MS_BYTES = 8;

export function openHandleBook({ table, kept, now, onConflict }: Options): HandleBook {
  const restored = table.keys('').map((name) => ({ name, boundMs: boundMsOf(table.get(name)) }));
  const oldestFirst = new Set(restored.sort((one, other) => one.boundMs - other.boundMs).map(({ name }) => name));

  /** Digest of the other ciphertext that the handle named, hex. */
  function conflictWith(name: string, digest: Buffer): string | undefined {
    const known = table.get(name)?.subarray(0, DIGEST_BYTES);
    return known === undefined || digest.equals(known) ? undefined : Buffer.from(known).toString('hex');
  }

  function remember(name: string, digest: Buffer): void {
    if (oldestFirst.has(name)) return;
    for (const oldest of oldestFirst) {
      if (oldestFirst.size < kept) break;
      oldestFirst.delete(oldest);
      table.delete(oldest);
    }
    const boundMs = Buffer.alloc(MS_BYTES);
    boundMs.writeDoubleBE(now());
    table.set(name, Buffer.concat([digest, boundMs]));
    oldestFirst.add(name);
  }

  return {
    check(keyId, ciphertext) {
      const { handle } = ciphertext;
      if (conflictWith(nameOf(keyId, handle), digestOf(ciphertext)) !== undefined) throw conflictOf(handle);
    },
    bind(keyId, ciphertexts) {
      for (const ciphertext of ciphertexts) {
        const { handle } = ciphertext;
        const name = nameOf(keyId, handle);
        const digest = digestOf(ciphertext);
        const other = conflictWith(name, digest);
        if (other !== undefined) {
          onConflict({ keyId, handle, digests: [other, digest.toString('hex')] });
          throw conflictOf(handle);
        }
        remember(name, digest);
      }
    },
  };
}

function boundMsOf(record: Uint8Array = new Uint8Array()): number {
  if (record.length === DIGEST_BYTES + MS_BYTES) return Buffer.from(record).readDoubleBE(DIGEST_BYTES);
  throw new StoreError('STORE_TAMPERED', 'a record of a handle was written by another version of this program');
}

const nameOf = (keyId: string, handle: string) => `${keyId}/${handle}`;

function conflictOf(handle: string): ApiError {
  return new ApiError('HANDLE_CONFLICT', `handle ${handle} named another ciphertext when it was first decrypted`);
}

/** Of all that decides what a decryption tells. */
function digestOf({ format, slot, bytes }: Ciphertext): Buffer {
  return createHash('sha256').update(`${LABELS.namedCiphertext}|${format}|${slot}|`).update(bytes).digest();
}
