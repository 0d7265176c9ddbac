/**
 * PRSS-Init: the parties agree on one key per set, known to exactly its members (SPEC R2; docs/protocols/prss.md, steps
 * I0 to I4). Three signed broadcasts and a certificate: seven messages one after the other when all parties are there
 * and tell all the same, else 3(t+3) rounds on the wall clock. About 1, 5 and 270 KB sent per party and peer for 4/1,
 * 7/2 and 13/4.
 *
 * I0 every party announces a nonce and a one-time key per sender. I1 it commits to a secret per set and sends each
 * member the openings in a sealed box. I2 whoever got a bad box publishes the one-time key of that box, and everybody
 * sees who lied. I3 a quorum signs what was delivered. I4 keys are derived; they are used only with that certificate.
 *
 * Promises: a certified run has a contribution of an honest party in the set of all honest parties, in any network;
 * silence exposes nothing and proves nothing; no honest party is ever proven corrupt. Ends for every honest party when
 * messages between honest parties take less than a round minus the clock skew; otherwise it stalls or fails.
 */
import { AgreementError } from '../agreement/agreement-error.ts';
import { broadcastAll } from '../agreement/broadcast.ts';
import {
  type Certificate,
  collectDigest,
  digestSubject,
  encodeCertificate,
  receiveCertificate,
} from '../agreement/certificate.ts';
import type { Evidence } from '../agreement/evidence.ts';
import { equalBytes, sha256 } from '../bytes.ts';
import { LABELS } from '../labels.ts';
import { fetchPatiently } from '../patient-fetch.ts';
import { quorumOf } from '../roster.ts';
import type { Subject } from '../runtime/statement.ts';
import type { Session } from '../session.ts';
import type { PartyId, SessionId } from '../transport.ts';
import type { Family, FamilyName } from './family.ts';
import { BOX_KEY_BYTES, boxPublicKey, sealBox } from './init-box.ts';
import {
  commitmentsOf,
  createContributions,
  eraseOpenings,
  keysFromOpenings,
  type PrssCommitments,
  type PrssContributions,
} from './init-contributions.ts';
import { PrssInitError } from './init-error.ts';
import { type AgreedInit, commitTo, type Deliveries, judge, readBox, type Verdict, viewOf } from './init-judge.ts';
import {
  type Bodies,
  bodyBytesMax,
  decodeManifest,
  encodeComplaints,
  encodeContribution,
  encodeKeys,
  encodeManifest,
  manifestBytesMax,
  NONCE_BYTES,
  OPENING_BYTES,
  othersOf,
} from './init-messages.ts';
import { type BySet, bySet, createScope, type InitScope } from './init-scope.ts';
import type { PrssKeys } from './keys.ts';

export interface PrssInitOptions {
  readonly families: readonly Family[];
  /** What the keys are for, at most 1 KiB, equal at all parties: part of every key. */
  readonly context: Uint8Array;
  /** Agreed start of I0, wall clock. */
  readonly startMs: number;
  /** Length of a broadcast round; see `BroadcastOptions`. I1 takes one for 13/4 on a slow machine. */
  readonly roundMs: number;
  /** When the wait for the certificate ends; later than `prssInitVoteMs`. */
  readonly deadlineMs: number;
  /** Called for every party that was seen to sign two values of one broadcast. Not the same at all parties. */
  readonly onEvidence?: (evidence: Evidence) => void;
}

export interface PrssInit extends AgreedInit {
  readonly keys: Map<FamilyName, PrssKeys>;
  /** Fresh nonces of at least n-t parties, for the session ids of what follows (SPEC R6). */
  readonly nonces: Map<PartyId, Uint8Array>;
  /** Digest of everything that was delivered; equal for all parties with the certificate. */
  readonly transcript: Uint8Array;
  readonly contributions: PrssContributions;
}

const VOTE_TAG = 'prss-init/vote';
const CERTIFICATE_TAG = 'prss-init/certificate';
export const PRSS_INIT_SLOTS = ['prss-init/keys', 'prss-init/contributions', 'prss-init/complaints'] as const;

/**
 * When step I0, I1 or I2 starts at the latest: each is a broadcast of at most t+2 rounds, and one round more for late
 * pulls, boxes and commitments.
 */
export function prssInitStepMs(
  { startMs, roundMs }: Pick<PrssInitOptions, 'startMs' | 'roundMs'>,
  t: number,
  step: number,
): number {
  return startMs + step * (t + 3) * roundMs;
}

/** When every party that is in time has signed. */
export function prssInitVoteMs(options: Pick<PrssInitOptions, 'startMs' | 'roundMs'>, t: number): number {
  return prssInitStepMs(options, t, PRSS_INIT_SLOTS.length);
}

/** What the certificate of a run signs. */
export function prssInitSubject(session: SessionId, transcript: Uint8Array): Subject {
  return digestSubject(LABELS.prssInit, session, VOTE_TAG, transcript);
}

/**
 * Runs once per session.
 * @throws PrssInitError, or the session's reason when it ends
 */
export async function initPrss(session: Session, options: PrssInitOptions): Promise<PrssInit> {
  const scope = createScope({ session: session.id, roster: session.roster }, options.families, options.context);
  if (options.deadlineMs <= prssInitVoteMs(options, session.t)) {
    throw new RangeError('PRSS-Init: the deadline is before the vote');
  }
  const run = new PrssInitRun(session, options, scope);
  try {
    return await run.run();
  } catch (error) {
    run.eraseOpenings();
    throw error;
  } finally {
    run.eraseOneTimeKeys();
  }
}

class PrssInitRun {
  readonly #session: Session;
  readonly #options: PrssInitOptions;
  readonly #scope: InitScope;
  readonly #bytesMax: readonly [number, number, number];
  /** One-time private keys, by sender. */
  readonly #oneTimeKeys: ReadonlyMap<PartyId, Uint8Array>;
  /** Openings this party knows, by sender: its own, then those from boxes. */
  readonly #openings = new Map<PartyId, BySet>();

  constructor(session: Session, options: PrssInitOptions, scope: InitScope) {
    this.#session = session;
    this.#options = options;
    this.#scope = scope;
    this.#bytesMax = bodyBytesMax(scope);
    const others = othersOf(scope, session.self);
    this.#oneTimeKeys = new Map(others.map((sender) => [sender, session.random(BOX_KEY_BYTES)]));
    const sets = scope.common(session.self, session.self);
    this.#openings.set(session.self, bySet(sets, session.random(sets.length * OPENING_BYTES), OPENING_BYTES)!);
  }

  async run(): Promise<PrssInit> {
    const { deliveries: own, problem } = await this.#exchange();
    const manifest = own && encodeManifest(this.#scope, own);
    if (own && manifest) this.#offer(own, manifest);
    const { digest, certificate } = await this.#certify(manifest && sha256(manifest), problem);
    const agreed =
      own && manifest && equalBytes(sha256(manifest), digest) ? own : await this.#adopt(digest, certificate);
    return this.#finish(agreed, certificate);
  }

  eraseOneTimeKeys(): void {
    for (const key of this.#oneTimeKeys.values()) key.fill(0);
  }

  eraseOpenings(): void {
    eraseOpenings(this.#openings);
  }

  /**
   * I0 to I2. Without deliveries when this party was too slow for a broadcast or heard too few others: then it does not
   * vote, but may adopt what the others certify.
   */
  async #exchange(): Promise<{ deliveries?: Deliveries; problem?: PrssInitError | AgreementError }> {
    try {
      const keys = await this.#broadcast(0, this.#announceKeys());
      this.#requireEnough(keys.size, 'nonces and keys');
      const contributions = await this.#broadcast(1, await this.#contribute([keys]));
      const verdict = judge(this.#scope, [keys, contributions]);
      this.#requireEnough(verdict.contributorCount, 'contributions'); // before a one-time key may be published
      const complaints = await this.#broadcast(2, this.#complain([keys, contributions], verdict));
      return { deliveries: [keys, contributions, complaints] };
    } catch (error) {
      const isOurs = error instanceof PrssInitError || error instanceof AgreementError;
      if (!isOurs) throw error;
      return { problem: error };
    }
  }

  #broadcast(step: 0 | 1 | 2, body: Uint8Array): Promise<Bodies> {
    const { roundMs, onEvidence } = this.#options;
    return broadcastAll(this.#session, PRSS_INIT_SLOTS[step], body, {
      startMs: prssInitStepMs(this.#options, this.#session.t, step),
      roundMs,
      bytesMax: this.#bytesMax[step],
      ...(onEvidence && { onEvidence }),
    });
  }

  #requireEnough(count: number, what: string): void {
    const { n, t } = this.#session;
    if (count >= n - t) return;
    throw new PrssInitError(
      'PRSS_INIT_TOO_FEW',
      `${what} of ${count} parties came in time, want ${n - t}: start again`,
    );
  }

  #announceKeys(): Uint8Array {
    const keys = new Map([...this.#oneTimeKeys].map(([sender, secretKey]) => [sender, boxPublicKey(secretKey)]));
    return encodeKeys({ nonce: this.#session.random(NONCE_BYTES), keys });
  }

  async #contribute(deliveries: Deliveries): Promise<Uint8Array> {
    const { self, clock } = this.#session;
    const scope = this.#scope;
    const mine = this.#openings.get(self)!;
    const commitments = new Map(
      scope.common(self, self).map((set) => [set.number, commitTo(scope, self, set, mine.get(set.number)!)]),
    );
    const boxes = new Map<PartyId, Uint8Array>();
    for (const [receiver, { keys }] of judge(scope, deliveries).announcements) {
      const receiverKey = keys.get(self);
      if (receiverKey) boxes.set(receiver, this.#seal(receiver, receiverKey, mine));
      await clock.yield();
    }
    return encodeContribution(viewOf(scope, deliveries), { commitments, boxes });
  }

  #seal(receiver: PartyId, receiverKey: Uint8Array, mine: BySet): Uint8Array {
    const { self } = this.#session;
    const common = this.#scope.common(self, receiver);
    const content = new Uint8Array(common.length * OPENING_BYTES);
    common.forEach(({ number }, at) => {
      content.set(mine.get(number)!, at * OPENING_BYTES);
    });
    const ephemeralKey = this.#session.random(BOX_KEY_BYTES);
    const box = sealBox({ scope: this.#scope.digest, sender: self, receiver }, receiverKey, ephemeralKey, content);
    ephemeralKey.fill(0);
    content.fill(0);
    return box;
  }

  /** The one-time key of every box to this party that is bad; usually none. */
  #complain(deliveries: Deliveries, verdict: Verdict): Uint8Array {
    const bad = this.#openBoxes(verdict);
    const complaints = new Map(bad.map((sender) => [sender, this.#oneTimeKeys.get(sender)!]));
    return encodeComplaints(viewOf(this.#scope, deliveries), complaints);
  }

  /** Takes the openings out of the boxes to this party. Returns whose boxes are bad. */
  #openBoxes({ announcements, contributions }: Verdict): PartyId[] {
    const { self } = this.#session;
    if (!announcements.has(self)) return []; // nobody made a box for us
    const bad: PartyId[] = [];
    for (const [sender, { boxes, commitments }] of contributions) {
      const box = boxes.get(self);
      if (!box) continue;
      const secretKey = this.#oneTimeKeys.get(sender)!;
      const openings = readBox(this.#scope, { sender, receiver: self, secretKey, box, commitments });
      // Replaces what a view that was not certified left here.
      if (openings) this.#openings.set(sender, openings);
      else bad.push(sender);
    }
    return bad;
  }

  /** Parties with another view pull what they miss; all of it was broadcast. */
  #offer(deliveries: Deliveries, manifest: Uint8Array): void {
    this.#session.offer(manifest);
    for (const bodies of deliveries) for (const body of bodies.values()) this.#session.offer(body);
  }

  /** I3. Whoever has the certificate passes it on: a corrupt signer may sign for some parties only. */
  async #certify(
    own: Uint8Array | undefined,
    problem: PrssInitError | AgreementError | undefined,
  ): Promise<{ digest: Uint8Array; certificate: Certificate }> {
    const { deadlineMs } = this.#options;
    const session = this.#session;
    const quorum = quorumOf(session.roster);
    const scope = { domain: LABELS.prssInit, votedTag: VOTE_TAG, quorum, deadlineMs };
    try {
      const certificate = await Promise.any([
        collectDigest(session, VOTE_TAG, LABELS.prssInit, own, quorum, { deadlineMs }).then((vote) => vote.certificate),
        receiveCertificate(session, CERTIFICATE_TAG, scope),
      ]);
      session.sendAll(CERTIFICATE_TAG, encodeCertificate(certificate));
      return { digest: certificate.subject.digest, certificate };
    } catch (error) {
      session.signal.throwIfAborted();
      if (!(error instanceof AggregateError)) throw error;
      if (problem instanceof PrssInitError) throw problem;
      throw new PrssInitError(
        'PRSS_INIT_DIVERGED',
        `fewer than ${quorum} parties signed one transcript before the deadline: start again`,
        { cause: problem ?? error },
      );
    }
  }

  /** The deliveries behind a certified digest, from those who signed it. */
  async #adopt(digest: Uint8Array, { signatures }: Certificate): Promise<Deliveries> {
    const signers = [...signatures.keys()];
    const digests = decodeManifest(this.#scope, await this.#pull(digest, signers, manifestBytesMax(this.#scope)));
    if (!digests) throw new Error('PRSS-Init: a quorum signed bytes that are no manifest'); // t+1 honest parties did
    const deliveries: Bodies[] = [];
    for (const [step, ofStep] of digests.entries()) {
      const bytesMax = this.#bytesMax[step as 0 | 1 | 2];
      const bodies = [...ofStep].map(async ([sender, hash]): Promise<[PartyId, Uint8Array]> => {
        return [sender, await this.#pull(hash, signers, bytesMax)];
      });
      deliveries.push(new Map(await Promise.all(bodies)));
    }
    return deliveries;
  }

  /** Until the deadline: the honest signers have it. */
  async #pull(hash: Uint8Array, signers: readonly PartyId[], bytesMax: number): Promise<Uint8Array> {
    const { roundMs, deadlineMs } = this.#options;
    try {
      return await fetchPatiently(this.#session, { hash, from: signers, bytesMax, everyMs: roundMs, deadlineMs });
    } catch (error) {
      this.#session.signal.throwIfAborted();
      const problem = 'the others certified a transcript that could not be fetched before the deadline: start again';
      throw new PrssInitError('PRSS_INIT_DIVERGED', problem, { cause: error });
    }
  }

  /** I4. */
  #finish(deliveries: Deliveries, certificate: Certificate): PrssInit {
    const { self } = this.#session;
    const scope = this.#scope;
    const verdict = judge(scope, deliveries);
    this.#openBoxes(verdict);
    const commitments = commitmentsOf(scope, verdict);
    this.#dropUncounted(commitments.bySender);
    const agreed: AgreedInit = { certificate, deliveries, proven: verdict.proven };
    const keys = keysFromOpenings(commitments, self, this.#openings);
    if (!keys) {
      const problem =
        'the certified transcript has no sealed box for this party: ask the members of its sets for the keys';
      throw new PrssInitError('PRSS_INIT_LEFT_OUT', problem, { agreed });
    }
    return {
      ...agreed,
      keys,
      nonces: new Map([...verdict.announcements].map(([party, { nonce }]) => [party, nonce])),
      transcript: viewOf(scope, deliveries),
      contributions: createContributions(commitments, this.#openings),
    };
  }

  #dropUncounted(bySender: PrssCommitments['bySender']): void {
    for (const [sender, openings] of this.#openings) {
      if (bySender.has(sender)) continue;
      for (const opening of openings.values()) opening.fill(0);
      this.#openings.delete(sender);
    }
  }
}
