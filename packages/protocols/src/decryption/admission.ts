/**
 * What a party computes when it admits a request, alone: its shares of every value, as they will be opened. A value
 * modulo 2^64 gives phases that wait for material; a squashed one gives flooded sums that may be sent at once.
 */
import type { Kernel } from '@keyquorum/kernel/kernel';
import {
  type CiphertextValue,
  isSquashed,
  messageMasks,
  type Value64,
  type Value128,
} from '@keyquorum/tfhe/ciphertext';
import type { EpochKeys } from '../epoch/epoch.ts';
import type { LoadedKey } from '../keygen/key-store.ts';
import { floodedShares, type KeyIdentity, maskSession, requireFloodingBound } from './flooding.ts';
import { DecryptionError, type DecryptionJob, type Output } from './job.ts';
import type { BoundValue, FloodedValue, JobValue } from './jobs.ts';
import { liftMasks, liftSession } from './lifting.ts';
import { phaseShares } from './online.ts';
import { BLOCKS_PER_LIFT } from './proposal.ts';
import { layoutOf } from './user-shares.ts';

export interface AdmissionModules {
  readonly kernel: Kernel;
  /** A key that this node holds shares of. */
  readonly key: (keyId: string) => LoadedKey | undefined;
  /** The PRSS keys that noise and masks are drawn from; undefined until the epoch has started. */
  readonly epochKeys: () => EpochKeys | undefined;
}

/** What all values of a request are admitted under. */
interface Context {
  readonly kernel: Kernel;
  readonly key: LoadedKey;
  readonly identity: KeyIdentity;
  readonly epoch: EpochKeys;
  readonly output: Output;
}

/** Bundles of the pool that the values take: squashed ones none. */
export function bundlesFor(values: readonly CiphertextValue[], output: Output): number {
  const blocks = values.filter((value) => !isSquashed(value)).map(({ blockBits }) => blockBits.length);
  const lent = (count: number) => (output === 'user' ? Math.ceil(count / BLOCKS_PER_LIFT) : 0);
  return blocks.reduce((sum, count) => sum + count + lent(count), 0);
}

/** Shares of each value. @throws DecryptionError before anything is computed */
export function admitValues(
  { kernel, key: keyOf, epochKeys }: AdmissionModules,
  { keyId, values }: Pick<DecryptionJob, 'keyId' | 'values'>,
  output: Output,
): JobValue[] {
  const key = keyOf(keyId);
  if (key === undefined) throw new DecryptionError('KEY_UNKNOWN', `this node holds no share of key ${keyId}`);
  for (const value of values) requirePart(keyId, key, value);
  const epoch = epochKeys();
  if (epoch === undefined) throw new DecryptionError('POOL_EMPTY', 'the epoch has not started on this node');
  if (values.some(isSquashed)) requireFloodingBound(epoch.keys.family.subsets.length);
  const { parameters, session } = key;
  const context = { kernel, key, identity: { keyId, parameters, session }, epoch, output };
  return values.map((value) => (isSquashed(value) ? floodedValue(context, value) : boundValue(context, value)));
}

/** Every key has the big key; others come with parts that a key can be generated without. */
function requirePart(keyId: string, key: LoadedKey, value: CiphertextValue): void {
  const isHeld = isSquashed(value) ? key.shares128.has(value.key) : key.shares64.has(value.key);
  if (!isHeld) throw new DecryptionError('KEY_PART_MISSING', `key ${keyId} was generated without a ${value.key} key`);
}

function floodedValue({ kernel, key, identity, epoch }: Context, value: Value128): FloodedValue {
  const mask = maskSession(value, identity, epoch.start);
  const secrets = { key: key.shares128.get(value.key)!, prss: epoch.keys, session: mask };
  return { kind: 'flooded', layout: layoutOf(value), shares: floodedShares(kernel, value, secrets), mask };
}

function boundValue({ kernel, key, identity, epoch, output }: Context, value: Value64): BoundValue {
  const { pieces } = value;
  const masks = () => {
    const session = liftSession(value, identity, epoch.epoch);
    return liftMasks(kernel, { prss: epoch.keys, session, pieces: pieces.length });
  };
  return {
    ...{ kind: 'bound', layout: layoutOf(value), wanted: messageMasks(value), pieces },
    shares: phaseShares(kernel, value, key.shares64.get(value.key)!),
    liftMasks: output === 'user' ? masks() : undefined,
  };
}
