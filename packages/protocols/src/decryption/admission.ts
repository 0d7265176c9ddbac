/**
 * What a party computes when it admits a request, alone: its shares of every value, as they will be opened. A value
 * modulo 2^64 gives phases that wait for material; a squashed one gives flooded sums that may be sent at once.
 */
import type { Kernel } from '@keyquorum/kernel/kernel';
import { type CiphertextValue, isSquashed, type Value128 } from '@keyquorum/tfhe/ciphertext';
import type { LoadedKey } from '../keygen/key-store.ts';
import { type EpochKeys, floodedShares, maskSession, requireFloodingBound } from './flooding.ts';
import { DecryptionError } from './job.ts';
import type { ValueShares } from './jobs.ts';
import { phaseShares } from './online.ts';

export interface AdmissionModules {
  readonly kernel: Kernel;
  /** A key that this node holds shares of. */
  readonly key: (keyId: string) => LoadedKey | undefined;
  /** The PRSS keys that noise is drawn from; undefined until the epoch has started. */
  readonly epochKeys: () => EpochKeys | undefined;
}

/** Shares of each value. @throws DecryptionError before anything is computed */
export function admitValues(
  modules: AdmissionModules,
  { keyId, values }: { keyId: string; values: readonly CiphertextValue[] },
): ValueShares[] {
  const key = modules.key(keyId);
  if (key === undefined) throw new DecryptionError('KEY_UNKNOWN', `this node holds no share of key ${keyId}`);
  for (const value of values) requirePart(keyId, key, value);
  return values.map((value): ValueShares => {
    if (isSquashed(value)) return flooded(modules, { keyId, key, value });
    return { kind: 'phases', shares: phaseShares(modules.kernel, value, key.shares64.get(value.key)!) };
  });
}

/** Every key has the big key; others come with parts that a key can be generated without. */
function requirePart(keyId: string, key: LoadedKey, value: CiphertextValue): void {
  const isHeld = isSquashed(value) ? key.shares128.has(value.key) : key.shares64.has(value.key);
  if (!isHeld) throw new DecryptionError('KEY_PART_MISSING', `key ${keyId} was generated without a ${value.key} key`);
}

function flooded(
  { kernel, epochKeys }: AdmissionModules,
  { keyId, key, value }: { keyId: string; key: LoadedKey; value: Value128 },
): ValueShares {
  const epoch = epochKeys();
  if (epoch === undefined) throw new DecryptionError('POOL_EMPTY', 'the epoch has not started on this node');
  requireFloodingBound(epoch.keys.family.subsets.length);
  const mask = maskSession(value, { keyId, parameters: key.parameters, session: key.session }, epoch.epoch);
  const secrets = { key: key.shares128.get(value.key)!, prss: epoch.keys, session: mask };
  return { kind: 'flooded', shares: floodedShares(kernel, value, secrets), mask };
}
