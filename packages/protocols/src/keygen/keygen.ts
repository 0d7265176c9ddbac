/**
 * Distributed key generation (docs/protocols/key-generation.md, steps K1..K6): the secret keys of a parameter set as
 * shared bits, and the compact public key. Nobody ever holds a key; every message is a function of the session's PRSS
 * keys, so a lie is found by recomputation.
 *  K1 PRSS-Init makes fresh keys for this session, bound to fresh nonces of the parties (SPEC R2, R6);
 *  K2 the public seed is opened: a joint random value, fixed after the PRSS keys and before any noise (SPEC R11);
 *  K3 all secret bits are made in one opening of degree 2t and agreed on;
 *  K4 the body of the public key is opened at degree 2t, with noise and zero sharing;
 *  K5 the shares are durable, then COMPLETE is signed over the opened body: a quorum activates the key;
 *  K6 the session's PRSS keys are erased: from them every secret and every noise could be computed.
 */
import { asGr128, type Gr64, type Gr128 } from '@keyquorum/kernel/batch';
import type { Kernel } from '@keyquorum/kernel/kernel';
import { encodeCertificate } from '@keyquorum/mpc/agreement/certificate';
import { enterSession } from '@keyquorum/mpc/agreement/decision';
import { familyA2, familyC } from '@keyquorum/mpc/prss/family';
import { initPrss, type PrssInit, prssInitSubject } from '@keyquorum/mpc/prss/init';
import { createPrss, type Prss } from '@keyquorum/mpc/prss/prss';
import type { Session } from '@keyquorum/mpc/session';
import { openCoin } from '@keyquorum/mpc/sharing/coin';
import type { PartyId } from '@keyquorum/mpc/transport';
import { compactPublicKeyBytes, compressedCompactPublicKeyBytes } from '@keyquorum/tfhe/compact-public-key';
import { createMaskStream, keyStreamSeedData } from '@keyquorum/tfhe/csprng';
import { lweDimensionOf, type ParameterSet } from '@keyquorum/tfhe/parameters';
import { prssInitTimes } from '../ceremony/starting.ts';
import type { Proof } from '../closed/burn.ts';
import { OpeningError, openClosed } from '../closed/opening.ts';
import { digestOf } from '../digest.ts';
import { labels } from '../labels.ts';
import type { PublicObject } from '../services.ts';
import { blame } from './blame.ts';
import { bitsPerSample, type JointNoise, jointNoise } from './noise.ts';
import { bodyMessage, modulo64, openBody } from './public-key-body.ts';
import {
  type BitCounts,
  bitsMessage,
  bitsMessageBytes,
  finishSecretBits,
  openBits,
  type SecretBits,
} from './secret-bits.ts';

export const BITS_TAG = 'bits';
export const BODY_TAG = 'body';
const SEED_BYTES = 16;
const GR128_BYTES = 64;

/** Shares modulo 2^128 of the bits of the three secret keys, in the order in which they stand in their LWE form. */
export interface SecretKeyShares {
  readonly pke: Gr128;
  readonly small: Gr128;
  readonly big: Gr128;
}

export interface KeygenInput {
  readonly parameters: ParameterSet;
  /** What the parties agreed on before they began; part of the session's context. */
  readonly context: Uint8Array;
  /** All parties that are not proven corrupt. */
  readonly expected: readonly PartyId[];
  /** Agreed start of the first broadcast round, and the length of a round. */
  readonly startMs: number;
  readonly roundMs: number;
  readonly deadlineMs: number;
  readonly onPhase: (phase: KeygenPhase) => void;
  readonly onWaiting: (parties: readonly PartyId[]) => void;
  /** Makes the shares durable, still inactive. Called before this party shows anything that depends on them (K4). */
  readonly keep: (shares: SecretKeyShares) => Promise<void>;
}

export const KEYGEN_PHASES = ['prss-init', 'seed', 'bits', 'public-key', 'erase'] as const;
export type KeygenPhase = (typeof KEYGEN_PHASES)[number];

export interface GeneratedKey {
  readonly seed: Uint8Array;
  readonly objects: readonly PublicObject[];
  /** COMPLETE of a quorum over the public key's body, encoded. */
  readonly certificate: Uint8Array;
}

/** What a burnt session is recomputed from: the public choices of the run. */
export interface KeygenPlan {
  readonly parameters: ParameterSet;
  readonly counts: BitCounts;
  readonly noise: JointNoise;
}

export function keygenPlan(parameters: ParameterSet, noiseSets: number): KeygenPlan {
  const noise = jointNoise(parameters.pke.noiseBoundLog2, noiseSets);
  const key = parameters.pke.dimension + parameters.lwe.dimension + lweDimensionOf(parameters.glwe);
  return { parameters, noise, counts: { key, noise: parameters.pke.dimension * bitsPerSample(noise) } };
}

/** The session was given up because somebody lied; `proofs` name who, if a quorum took part in finding out. */
export class KeygenBurntError extends Error {
  override readonly name = 'KeygenBurntError';
  readonly code = 'KEYGEN_BURNT';
  readonly proofs: readonly Proof[];
  constructor(proofs: readonly Proof[], cause: OpeningError) {
    const names = proofs.map(({ party }) => `party ${party}`).join(', ');
    super(`${cause.message}; ${names ? `proven corrupt: ${names}` : 'nobody could be proven corrupt'}`, { cause });
    this.proofs = proofs;
  }
}

/**
 * Runs the ceremony in the announced session. @throws OpeningError, KeygenBurntError, PrssInitError, the session's
 * reason
 */
export async function generateKey(session: Session, input: KeygenInput): Promise<GeneratedKey> {
  const { roster } = session;
  const families = [familyC(roster), familyA2(roster)];
  enterSession(session.journal, session.id);

  input.onPhase('prss-init'); // K1
  const init = await initPrss(session, { families, context: input.context, ...prssInitTimes(input, session.t) });
  const noiseSets = families[1]!.subsets.length;
  const run: KeygenRun = { plan: keygenPlan(input.parameters, noiseSets), noiseSets };
  // Agreed by the certificate: everybody leaves out the same parties.
  const expected = input.expected.filter((party) => !init.proven.includes(party));
  try {
    return await generateWith(session, { input: { ...input, expected }, init, run });
  } catch (error) {
    if (!(error instanceof OpeningError) || error.code !== 'OPENING_INCONSISTENT') throw error;
    const messageOf = (kernel: Kernel, prss: SessionPrss) => stepMessage(kernel, prss, run, error.tag);
    throw new KeygenBurntError(await blame(session, { failure: error, init, messageOf }), error);
  } finally {
    eraseInit(init);
  }
}

/** What all parties know of a run: enough, with a party's PRSS keys, to recompute each of its messages. */
interface KeygenRun {
  readonly plan: KeygenPlan;
  readonly noiseSets: number;
  seed?: Uint8Array;
  bitsValues?: Uint8Array;
}

async function generateWith(
  session: Session,
  { input, init, run }: { input: KeygenInput; init: PrssInit; run: KeygenRun },
): Promise<GeneratedKey> {
  const { kernel } = session;
  const prss = prssOf(kernel, init);
  input.onPhase('seed'); // K2
  run.seed = await openSeed(session, prss.c, init);
  input.onPhase('bits'); // K3
  const bits = await generateBits(session, prss.c, { run, input });
  const shares = splitKeys(bits.key, input.parameters);
  await input.keep(shares);
  input.onPhase('public-key'); // K4, K5
  const message = publicKeyMessage(kernel, prss, run, { key: shares.pke, noise: bits.noise });
  bits.noise.fill(0);
  const opened = await openPublicKey(session, message, { run, input });
  input.onPhase('erase'); // K6
  return {
    seed: run.seed,
    objects: publicObjects(input.parameters, run.seed, opened.body),
    certificate: opened.certificate,
  };
}

/** The message of the party that holds these keys in the given step; for a burnt session. */
function stepMessage(kernel: Kernel, prss: SessionPrss, run: KeygenRun, tag: string): Uint8Array {
  const { message, secrets } = bitsMessage(kernel, prss.c, run.plan.counts);
  if (tag === BITS_TAG) return message;
  const bits = finishSecretBits(kernel, secrets, run.bitsValues!, run.plan.counts);
  return publicKeyMessage(kernel, prss, run, { key: splitKeys(bits.key, run.plan.parameters).pke, noise: bits.noise });
}

interface SessionPrss {
  readonly c: Prss;
  readonly a2: Prss;
}

function prssOf(kernel: Kernel, init: PrssInit): SessionPrss {
  const make = (family: 'C' | 'A2'): Prss => {
    const keys = init.keys.get(family);
    if (keys === undefined) throw new Error(`PRSS-Init made no keys of family ${family}`);
    return createPrss(kernel, keys);
  };
  return { c: make('C'), a2: make('A2') };
}

/**
 * K2: a coin that is tossed only once the PRSS keys are certified to be fixed, hashed to the seed of the public stream.
 */
async function openSeed(session: Session, prss: Prss, init: PrssInit): Promise<Uint8Array> {
  const fixed = prssInitSubject(session.id, init.transcript);
  const coin = await openCoin(session, prss, { tag: 'seed', count: 64, fixed, certificate: init.certificate });
  return digestOf(labels.keygenSeed, init.transcript, coin).slice(0, SEED_BYTES);
}

/** K3. */
async function generateBits(
  session: Session,
  prss: Prss,
  { run, input }: { run: KeygenRun; input: KeygenInput },
): Promise<SecretBits> {
  const { kernel, t } = session;
  const { counts } = run.plan;
  const { message, secrets } = bitsMessage(kernel, prss, counts);
  const opened = await openClosed(session, {
    tag: BITS_TAG,
    message,
    expected: input.expected,
    decode: (messages) => openBits(kernel, messages, { counts, expected: input.expected, t }),
    valuesBytesMax: bitsMessageBytes(counts),
    seal: 'ok',
    deadlineMs: input.deadlineMs,
    onWaiting: input.onWaiting,
  });
  run.bitsValues = opened.values;
  const bits = finishSecretBits(kernel, secrets, opened.values, counts);
  secrets.key.fill(0);
  secrets.noise.fill(0);
  return bits;
}

/** The bits in the order of the keys: public-key encryption, small, big. */
function splitKeys(bits: Gr128, { pke, lwe, glwe }: ParameterSet): SecretKeyShares {
  let at = 0;
  const take = (count: number): Gr128 => {
    const part = bits.slice(at * GR128_BYTES, (at + count) * GR128_BYTES);
    at += count;
    return asGr128(part);
  };
  const shares = { pke: take(pke.dimension), small: take(lwe.dimension), big: take(lweDimensionOf(glwe)) };
  bits.fill(0);
  return shares;
}

/** K4: this party's shares of the public key's body, of degree 2t. */
function publicKeyMessage(
  kernel: Kernel,
  prss: SessionPrss,
  run: KeygenRun,
  bits: { key: Gr128; noise: Gr64 },
): Uint8Array {
  const { parameters, noise } = run.plan;
  const mask = publicKeyMask(parameters, run.seed!);
  const key = modulo64(kernel, bits.key);
  const families = { zero: prss.c, noise: prss.a2, noiseFamilySize: run.noiseSets };
  const message = bodyMessage(kernel, families, { mask, key, noiseBits: bits.noise, noise });
  key.fill(0);
  return message;
}

/** K4, K5. */
async function openPublicKey(
  session: Session,
  message: Uint8Array,
  { run, input }: { run: KeygenRun; input: KeygenInput },
): Promise<{ body: Uint8Array; certificate: Uint8Array }> {
  const opened = await openClosed(session, {
    tag: BODY_TAG,
    message,
    expected: input.expected,
    decode: (messages) => {
      const body = openBody(session.kernel, messages, { expected: input.expected, t: session.t });
      return body && publicKeyValues(run.seed!, body);
    },
    valuesBytesMax: SEED_BYTES + message.length,
    seal: 'complete',
    deadlineMs: input.deadlineMs,
    onWaiting: input.onWaiting,
  });
  return { body: opened.values.slice(SEED_BYTES), certificate: encodeCertificate(opened.certificate) };
}

/** What COMPLETE is signed over: seed and body determine every public object. */
export function publicKeyValues(seed: Uint8Array, body: Uint8Array): Uint8Array {
  const values = new Uint8Array(SEED_BYTES + body.length);
  values.set(seed);
  values.set(body, SEED_BYTES);
  return values;
}

/** The polynomial A stands first in the key set's one public stream. */
function publicKeyMask({ pke }: ParameterSet, seed: Uint8Array): Uint8Array {
  return createMaskStream(keyStreamSeedData(seed)).read(8 * pke.dimension);
}

/** Every public object of the key, from the two values that were agreed on. */
export function publicObjects(parameters: ParameterSet, seed: Uint8Array, body: Uint8Array): PublicObject[] {
  const mask = publicKeyMask(parameters, seed);
  return [
    { type: 'CompactPublicKey', bytes: compactPublicKeyBytes({ parameters, mask, body }) },
    {
      type: 'CompressedCompactPublicKey',
      bytes: compressedCompactPublicKeyBytes({ parameters, seed, streamIndex: 0, body }),
    },
  ];
}

function eraseInit(init: PrssInit): void {
  for (const keys of init.keys.values()) for (const key of keys.bySubset.values()) key.fill(0);
  init.contributions.erase();
}
