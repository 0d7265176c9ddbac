/**
 * A trial of a key before it is signed (docs/protocols/key-generation.md, step K5): public parts and shares must belong
 * together. Every node encrypts known values under the new public key, computes on them with the new server key, and
 * the network decrypts the results; only bits that everybody knows are opened. A key that fails is signed by no honest
 * node. It is a check of our own program: lies are found before, by the closed openings.
 *
 * All randomness comes from a hash of what was opened, so all nodes make the same ciphertexts, byte for byte. Knowing
 * it helps nobody: a decryption opens the messages and nothing else.
 * Tried: the compact key, casting, bootstrapping, key switching and re-randomisation. Not tried: OPRF, compression and
 * noise squashing, whose rows come from the same code; tfhe-rs tries those in the conformance tests.
 */
import type { KeySwitchingKey } from '@keyquorum/kernel/bootstrap';
import { encryptCompact } from '@keyquorum/kernel/compact-encryption';
import type { Kernel } from '@keyquorum/kernel/kernel';
import { createKeystream } from '@keyquorum/kernel/keystream';
import { equalBytes, toHex } from '@keyquorum/mpc/bytes';
import { bootstrappingKeyOf, keySwitchingKeyOf } from '@keyquorum/tfhe/bootstrap-keys';
import type { CiphertextValue } from '@keyquorum/tfhe/ciphertext';
import { createMaskStream, type KeyStreamComponent, keyStreamSeedData } from '@keyquorum/tfhe/csprng';
import type { KeySetComponent } from '@keyquorum/tfhe/key-set-components';
import { lweDimensionOf } from '@keyquorum/tfhe/parameters';
import type { DecryptionJob, DecryptionOutcome } from '../decryption/job.ts';
import { digestOf } from '../digest.ts';
import { labels } from '../labels.ts';
import type { BodyStore } from './bodies.ts';
import type { BodyChunk } from './chunks.ts';
import type { KeygenPlan } from './material.ts';

/** Ciphertexts of each kind. */
const BLOCKS = 4;
const WORD_BYTES = 8;
const STREAM_KEY_BYTES = 16;
const IDENTITY = Array.from({ length: 16 }, (_, value) => value);

/** The public parts and the shares of a new key do not belong together. */
export class KeyTrialError extends Error {
  override readonly name = 'KeyTrialError';
  readonly code = 'KEYGEN_TRIAL_FAILED';
}

export interface TrialKey {
  readonly keyId: string;
  readonly plan: KeygenPlan;
  readonly seed: Uint8Array;
  readonly bodies: BodyStore;
  /** What COMPLETE will be signed over. */
  readonly digest: Uint8Array;
}

/** Resolves when the key has worked. @throws KeyTrialError, DecryptionError when the network does not answer */
export async function tryKey(
  kernel: Kernel,
  key: TrialKey,
  decrypt: (job: DecryptionJob) => Promise<DecryptionOutcome>,
): Promise<void> {
  const { values, messages } = await makeTrial(kernel, key);
  const contentHash = digestOf(labels.keyTrial, key.digest, ...values.flatMap(({ masks, bodies }) => [masks, bodies]));
  const job = { requestId: toHex(digestOf(labels.keyTrial, key.digest)), keyId: key.keyId, contentHash, values };
  const outcome = await decrypt(job);
  const right =
    outcome.messages.length === messages.length &&
    messages.every((each, index) => equalBytes(each, outcome.messages[index]!));
  if (!right) throw new KeyTrialError('values encrypted under the new key decrypt to other values; it was not signed');
}

interface Trial {
  readonly values: readonly CiphertextValue[];
  /** Per value, the message of each ciphertext. */
  readonly messages: readonly Uint8Array[];
}

async function makeTrial(kernel: Kernel, key: TrialKey): Promise<Trial> {
  const { parameters, parts } = key.plan.choice;
  const messages = digestOf(labels.keyTrial, key.digest, Uint8Array.of(0))
    .slice(0, BLOCKS)
    .map((byte) => byte & 15);
  const publicKey = await openPublicKey(key, 'compact-public-key');
  const list = encryptCompact(kernel, publicKey, [...messages], streamOf(key, 1));
  const big = await compute(kernel, key, list);
  const values = [blocksOf(big, lweDimensionOf(parameters.glwe))];
  if (parts.includes('rerandomization')) {
    const derived = await openPublicKey(key, 'rerandomization-key');
    const zeros = encryptCompact(kernel, derived, [...messages], streamOf(key, 2));
    values.push(blocksOf(zeros, lweDimensionOf(parameters.glwe)));
  }
  return { values, messages: values.map(() => messages) };
}

/** Cast, bootstrapped, switched back and bootstrapped again: the same plaintexts under the big key. */
async function compute(kernel: Kernel, key: TrialKey, list: Uint8Array): Promise<Uint8Array> {
  const { evaluator } = kernel;
  const [cast, back] = [await switchingKey(key, 'casting-key'), await switchingKey(key, 'key-switching-key')];
  const { component, bodies } = await readComponent(key, 'bootstrapping-key');
  const { parameters } = key.plan.choice;
  const bootstrap = (ciphertexts: Uint8Array): Uint8Array => {
    const masked = bootstrappingKeyOf(parameters, component, key.seed, bodies); // the stream of its masks is read once
    return evaluator.bootstrap(ciphertexts, masked, IDENTITY);
  };
  const first = bootstrap(evaluator.keySwitch(list, cast));
  return bootstrap(evaluator.keySwitch(first, back));
}

async function switchingKey(key: TrialKey, name: 'casting-key' | 'key-switching-key'): Promise<KeySwitchingKey> {
  const { component, bodies } = await readComponent(key, name);
  return keySwitchingKeyOf(component, key.seed, bodies);
}

async function openPublicKey(key: TrialKey, name: 'compact-public-key' | 'rerandomization-key') {
  const { component, bodies } = await readComponent(key, name);
  const mask = createMaskStream(keyStreamSeedData(key.seed), component.position).read(component.maskBytes);
  return { mask, body: bodies, noiseBoundLog2: component.noiseBoundLog2 };
}

/** All bodies of a component, at most 30 MB for those that are tried. */
async function readComponent(
  { plan, bodies: store }: TrialKey,
  name: KeyStreamComponent,
): Promise<{ component: KeySetComponent; bodies: Uint8Array }> {
  const chunks: readonly BodyChunk[] = plan.chunks.filter(({ component }) => component.component === name);
  const { component } = chunks[0]!;
  const bodies = new Uint8Array(component.bodyBytes);
  let at = 0;
  for (const { index } of chunks) {
    const values = await store.get(index);
    if (values === undefined) throw new Error(`chunk ${index} of the new key is missing on this disk`);
    const used = values.subarray(0, component.bodyBytes - at); // the last element may be padded
    bodies.set(used, at);
    at += used.length;
  }
  return { component, bodies };
}

function streamOf({ digest }: TrialKey, number: number) {
  return createKeystream(digestOf(labels.keyTrial, digest, Uint8Array.of(number)).slice(0, STREAM_KEY_BYTES));
}

/** Rows of dimension + 1 words as a value of 4-bit messages. */
function blocksOf(rows: Uint8Array, dimension: number): CiphertextValue {
  const [maskBytes, step] = [dimension * WORD_BYTES, (dimension + 1) * WORD_BYTES];
  const blocks = rows.length / step;
  const [masks, bodies] = [new Uint8Array(blocks * maskBytes), new Uint8Array(blocks * WORD_BYTES)];
  for (let block = 0; block < blocks; block++) {
    masks.set(rows.subarray(block * step, block * step + maskBytes), block * maskBytes);
    bodies.set(rows.subarray(block * step + maskBytes, (block + 1) * step), block * WORD_BYTES);
  }
  return {
    ...{ type: { kind: 'uint', bits: 4 * blocks }, key: 'big', deltaLog2: 59, dimension, masks, bodies },
    blockBits: Array.from({ length: blocks }, () => 4),
    pieces: Array.from({ length: blocks }, (_, block) => ({ block, shift: 0, bits: 4 })),
  };
}
