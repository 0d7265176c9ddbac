/**
 * Distributed key generation (docs/protocols/key-generation.md, steps K1..K6): the secret keys of a key set as shared
 * bits, and every public part of it. Nobody ever holds a key; every message is a function of the session's PRSS keys,
 * so a lie is found by recomputation.
 *  K1 PRSS-Init makes fresh keys for this session, bound to fresh nonces of the parties (SPEC R2, R6);
 *  K2 the public seed is opened: a joint random value, fixed after the PRSS keys and before any noise (SPEC R11);
 *  K3 all secret bits are made in one opening of degree 2t and agreed on; the shares of the keys become durable;
 *  K4 the bodies of all public parts are opened at degree 2t, with noise and zero sharing, chunk by chunk;
 *  K5 the key is tried, and COMPLETE is signed over the seed and the opened bodies: a quorum activates the key;
 *  K6 the session's PRSS keys are erased: from them every secret and every noise could be computed.
 */
import type { Kernel } from '@keyquorum/kernel/kernel';
import { encodeCertificate } from '@keyquorum/mpc/agreement/certificate';
import type { PrssInit } from '@keyquorum/mpc/prss/init';
import { createPrss, type Prss } from '@keyquorum/mpc/prss/prss';
import type { Session } from '@keyquorum/mpc/session';
import { openCoin } from '@keyquorum/mpc/sharing/coin';
import type { PartyId } from '@keyquorum/mpc/transport';
import type { KeySetChoice } from '@keyquorum/tfhe/key-sets';
import { eraseInit, initAnnounced } from '../ceremony/announced-init.ts';
import type { Announcement } from '../ceremony/starting.ts';
import { complete } from '../closed/complete.ts';
import { openClosed } from '../closed/opening.ts';
import { InconsistentOpening } from '../closed/opening-error.ts';
import type { Proof } from '../closed/proof.ts';
import { blame } from './blame.ts';
import { type BodyStore, keySetDigest } from './bodies.ts';
import type { SessionPrss } from './body-message.ts';
import { type BodyMaker, bitsOf, bodyMaker, type KeygenSecrets, keygenPlan } from './material.ts';
import { openBodies } from './open-bodies.ts';
import { BITS_TAG, type KeygenRun, keygenFamilies, seedCoin, seedOf, stepMessage } from './replay.ts';
import { bitsMessage, bitsMessageBytes, finishSecretBits, openBits } from './secret-bits.ts';
import type { SecretKeyShares } from './secret-keys.ts';
import type { TrialKey } from './trial.ts';

export const KEYGEN_PHASES = ['prss-init', 'seed', 'bits', 'bodies', 'trial', 'complete', 'erase'] as const;
export type KeygenPhase = (typeof KEYGEN_PHASES)[number];

export interface KeygenInput {
  readonly choice: KeySetChoice;
  /** What the parties agreed on before they began: the session's id follows from it. */
  readonly announcement: Announcement;
  /** All parties that are not proven corrupt; needed after PRSS-Init. */
  readonly expected: Promise<readonly PartyId[]>;
  /** Length of a broadcast round. */
  readonly roundMs: number;
  readonly deadlineMs: number;
  /** Most bytes to send per second; undefined for no limit. */
  readonly bytesPerSecond: number | undefined;
  /** Enters whom PRSS-Init proves corrupt; durable when it resolves. */
  readonly prove: (proofs: readonly Proof[]) => Promise<void>;
  readonly onPhase: (phase: KeygenPhase) => void;
  /** Chunks of bodies opened so far. */
  readonly onOpened: (chunks: number) => void;
  readonly onWaiting: (parties: readonly PartyId[]) => void;
  /** Makes the shares durable, still inactive. Called before this party shows anything that depends on them (K3). */
  readonly keep: (shares: SecretKeyShares) => Promise<void>;
  readonly bodies: BodyStore;
  /** Makes durable, with the decision to sign COMPLETE, what else finishes the key beside a certificate. */
  readonly promise: (seed: Uint8Array) => void;
  /** Uses the key once, before it is signed (K5). @throws when it does not work */
  readonly tryKey: (key: Omit<TrialKey, 'keyId'>) => Promise<void>;
}

/** What the steps after PRSS-Init are given. */
interface StepInput extends Omit<KeygenInput, 'expected'> {
  /** The same at all honest parties: otherwise some would wait for a liar, or for other kings. */
  readonly expected: readonly PartyId[];
}

export interface GeneratedKey {
  readonly seed: Uint8Array;
  /** SHA-256 of the chunks of bodies, in order. */
  readonly digests: Uint8Array;
  /** COMPLETE of a quorum over seed and digests, encoded. */
  readonly certificate: Uint8Array;
}

/** The session was given up because somebody lied; `proofs` name who, if a quorum took part in finding out. */
export class KeygenBurntError extends Error {
  override readonly name = 'KeygenBurntError';
  readonly code = 'KEYGEN_BURNT';
  readonly proofs: readonly Proof[];
  constructor(proofs: readonly Proof[], cause: InconsistentOpening) {
    const names = proofs.map(({ party }) => `party ${party}`).join(', ');
    super(`${cause.message}; ${names ? `proven corrupt: ${names}` : 'nobody could be proven corrupt'}`, { cause });
    this.proofs = proofs;
  }
}

/**
 * Runs the ceremony in the announced session. @throws StalledOpening, KeygenBurntError, PrssInitError, the session's
 * reason, or what the disk says
 */
export async function generateKey(session: Session, input: KeygenInput): Promise<GeneratedKey> {
  const { roster } = session;
  const families = keygenFamilies(roster);
  const run: KeygenRun = { plan: keygenPlan(input.choice, roster) };

  input.onPhase('prss-init'); // K1
  const init = await initAnnounced(session, { ...input, families });
  try {
    // What PRSS-Init proved is agreed by its certificate.
    const expected = (await input.expected).filter((party) => !init.proven.includes(party));
    return await generateWith(session, { input: { ...input, expected }, init, run });
  } catch (error) {
    if (!(error instanceof InconsistentOpening)) throw error;
    const messageOf = (kernel: Kernel, prss: SessionPrss) => stepMessage(kernel, prss, run, error.tag);
    const { announcement } = input;
    throw new KeygenBurntError(await blame(session, { failure: error, init, announcement, messageOf }), error);
  } finally {
    eraseInit(init); // K6
  }
}

async function generateWith(
  session: Session,
  { input, init, run }: { input: StepInput; init: PrssInit; run: KeygenRun },
): Promise<GeneratedKey> {
  const prss = prssOf(session.kernel, init);
  input.onPhase('seed'); // K2
  const seed = await openSeed(session, prss.c, init);
  run.seed = seed;

  input.onPhase('bits'); // K3
  const secrets = await generateBits(session, prss.c, { run, input });
  const maker = bodyMaker(session.kernel, run.plan, { prss, secrets, seed });
  const digests = await openKept(session, { input, run, maker, keys: secrets.keys }).finally(maker.erase);

  input.onPhase('trial'); // K5
  const digest = keySetDigest(seed, digests);
  await input.tryKey({ plan: run.plan, seed, bodies: input.bodies, digest });

  input.onPhase('complete');
  const { deadlineMs, onWaiting } = input;
  input.promise(seed);
  const certificate = await complete(session, { digest, deadlineMs, onWaiting });
  input.onPhase('erase');
  return { seed, digests, certificate: encodeCertificate(certificate) };
}

/** The end of K3, and K4. */
async function openKept(
  session: Session,
  { input, run, maker, keys }: { input: StepInput; run: KeygenRun; maker: BodyMaker; keys: SecretKeyShares },
): Promise<Uint8Array> {
  await input.keep(keys);
  input.onPhase('bodies'); // K4
  const { chunks } = run.plan;
  const digests = await openBodies(session, { ...input, chunks, messageOf: maker.messageOf, store: input.bodies });
  await input.bodies.putDigests(digests);
  return digests;
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
  const { transcript, certificate } = init;
  const coin = await openCoin(session, prss, { ...seedCoin(session.id, transcript), certificate });
  return seedOf(transcript, coin);
}

/** K3. */
async function generateBits(
  session: Session,
  prss: Prss,
  { run, input }: { run: KeygenRun; input: StepInput },
): Promise<KeygenSecrets> {
  const { kernel, t } = session;
  const { plan } = run;
  const { counts } = plan;
  const { message, secrets } = bitsMessage(kernel, prss, counts);
  try {
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
    return bitsOf(plan, finishSecretBits(kernel, secrets, opened.values, counts));
  } finally {
    secrets.key.fill(0);
    secrets.noise.fill(0);
  }
}
