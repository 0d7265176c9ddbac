/**
 * The shares every party sends in one step of a closed session, signed to everyone alike, so that a wrong one can be
 * proven later (SPEC R5.4, R17). A party whose message is missing may be cut off from us, or sent it to others only:
 * who asks is told which signed messages are known, and pulls bodies from whoever has them. Two different signed
 * messages of one party for one step are a proof against it. So as soon as one party shows what it holds because its
 * shares do not fit, everybody does, also those whose shares fit, and those who have none pull them.
 */
import { decode, encode, u8 } from '@keyquorum/codec/codec';
import { fixedBytes, struct, vector } from '@keyquorum/codec/composites';
import { CodecError } from '@keyquorum/codec/error';
import { releaseBuffer } from '@keyquorum/kernel/release';
import { equalBytes, sha256, toHex } from '@keyquorum/mpc/bytes';
import { LABELS } from '@keyquorum/mpc/labels';
import { partiesOf } from '@keyquorum/mpc/roster';
import { SIGNATURE_BYTES, type Subject, signStatement, verifyStatement } from '@keyquorum/mpc/runtime/statement';
import type { Received, Session } from '@keyquorum/mpc/session';
import type { PartyId } from '@keyquorum/mpc/transport';

const PARTIES_MAX = 15;

const rootsCodec = vector(
  struct({ party: u8, digest: fixedBytes(32), signature: fixedBytes(SIGNATURE_BYTES) }),
  PARTIES_MAX,
);
export const ROOTS_BYTES_MAX = 8 + PARTIES_MAX * (1 + 32 + SIGNATURE_BYTES);

export const encodeRoots = (roots: readonly SignedRoot[]): Uint8Array => encode(rootsCodec, roots);

/** The roots that another party shows; none, and a report, when the bytes are no such list. */
export function readRoots(session: Session, tag: string, { from, body }: Received): SignedRoot[] {
  try {
    return decode(rootsCodec, body).map(({ party, digest, signature }) => ({
      party,
      digest: Uint8Array.from(digest),
      signature: Uint8Array.from(signature),
    }));
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
    session.report({ party: from, kind: 'malformed', detail: `${tag}: ${error.message}` });
    return [];
  }
}

/** A party's signature on the SHA-256 of its message. */
export interface SignedRoot {
  readonly party: PartyId;
  readonly digest: Uint8Array;
  readonly signature: Uint8Array;
}

export interface SignedShares {
  /** Messages that arrived and verify, this party's own included. */
  readonly messages: ReadonlyMap<PartyId, Uint8Array>;
  readonly roots: ReadonlyMap<PartyId, SignedRoot>;
  /** Second, different roots of parties that signed two. */
  readonly conflicts: ReadonlyMap<PartyId, SignedRoot>;
  /** Shows all signed roots held here to everybody, once; resolves when all others have done so. */
  show(): Promise<void>;
  /** Resolves with the first conflict. */
  readonly conflict: Promise<void>;
  /** Asks everybody for the messages that are missing, once. */
  ask(): void;
  /** Nothing is pulled from now on: what the shares were needed for is known. */
  suffice(): void;
  /** Parties of `expected` whose message is needed here and has not come. */
  missing(): PartyId[];
  /** Resolves when the messages of all expected parties are here. */
  readonly complete: Promise<void>;
  /** Forgets the messages, when the step has ended well: whoever is late adopts the opened values. */
  release(): void;
}

export function shareSubject(session: Session['id'], tag: string, length: number, digest: Uint8Array): Subject {
  return { domain: LABELS.message, session, tag, receiver: 0, length, digest };
}

export interface OwnShares {
  readonly tag: string;
  readonly message: Uint8Array;
  /** Parties whose messages are wanted. */
  readonly expected: readonly PartyId[];
  /** Parties that are sent the messages; the others get them when they ask. By default everybody. */
  readonly receivers?: readonly PartyId[];
}

/** Sends this party's message to the receivers and gathers the expected ones. All have the same length. */
export function exchangeShares(
  session: Session,
  { tag, message, expected, receivers = partiesOf(session.roster) }: OwnShares,
): SignedShares {
  const { length } = message; // its memory may be given back while others' messages still come
  const messages = new Map<PartyId, Uint8Array>();
  const roots = new Map<PartyId, SignedRoot>();
  const conflicts = new Map<PartyId, SignedRoot>();
  const { promise: complete, resolve, reject } = Promise.withResolvers<void>();
  complete.catch(() => undefined); // whoever waits sees it
  const { promise: conflict, resolve: found } = Promise.withResolvers<void>();
  const { promise: shownByAll, resolve: allShown } = Promise.withResolvers<void>();
  const offered: Uint8Array[] = [];
  /** Digests of bodies that are being pulled. */
  const pulled = new Set<string>();
  let wanted = receivers.includes(session.self);
  let [asked, sufficient, released] = [false, false, false];
  let [shown, told] = [false, false];
  const absent = (): PartyId[] => expected.filter((party) => !messages.has(party));
  const missing = (): PartyId[] => (wanted && !sufficient ? absent() : []);

  function learnRoot(root: SignedRoot): boolean {
    const known = roots.get(root.party);
    const isKnown = known !== undefined && equalBytes(known.digest, root.digest);
    if (isKnown && equalBytes(known.signature, root.signature)) return true;
    const subject = shareSubject(session.id, tag, length, root.digest);
    if (!verifyStatement(session.roster, root.party, subject, root.signature)) return false;
    if (known === undefined) roots.set(root.party, root);
    else if (!isKnown) {
      if (!conflicts.has(root.party)) tellConflict(known, root);
      conflicts.set(root.party, root);
      found();
      session.report({ party: root.party, kind: 'equivocation', detail: `${tag}: signed two different messages` });
    }
    return true;
  }

  /** Two signatures prove a party corrupt: all honest parties are to know of them, whoever was shown the second. */
  function tellConflict(first: SignedRoot, second: SignedRoot): void {
    if (told) return;
    told = true;
    session.sendAll(`${tag}/conflict`, encodeRoots([first, second]));
  }

  async function hearConflicts(): Promise<void> {
    const step = `${tag}/conflict`;
    for await (const conflict of session.receive(step, { bytesMax: ROOTS_BYTES_MAX })) learnRoots(step, conflict);
  }

  function learnMessage(party: PartyId, body: Uint8Array, digest: Uint8Array): void {
    if (messages.has(party) || released) return;
    offered.push(session.offer(body, digest)); // others may pull it from here
    messages.set(party, body);
    if (absent().length === 0) resolve();
  }

  async function collect(): Promise<void> {
    for await (const { from, body } of session.receive(tag, { bytesMax: SIGNATURE_BYTES + length })) {
      const signature = Uint8Array.from(body.subarray(0, SIGNATURE_BYTES));
      const shares = body.subarray(SIGNATURE_BYTES);
      const digest = sha256(shares);
      const good = shares.length === length && learnRoot({ party: from, digest, signature });
      if (good && expected.includes(from)) learnMessage(from, shares, digest);
      else if (!good) session.report({ party: from, kind: 'malformed', detail: `${tag}: bad length or signature` });
    }
  }

  function ask(): void {
    if (asked || sufficient || absent().length === 0) return;
    asked = true;
    wanted = true;
    session.sendAll(`${tag}/want`, new Uint8Array(0));
  }

  async function answerWants(): Promise<void> {
    for await (const { from } of session.receive(`${tag}/want`, { bytesMax: 0 })) {
      session.send(from, `${tag}/roots`, encodeRoots([...roots.values()]));
    }
  }

  function learnRoots(tagOfRoots: string, answer: Received): void {
    for (const root of readRoots(session, tagOfRoots, answer)) {
      if (learnRoot(root) && missing().includes(root.party)) pull(root, answer.from).catch(() => undefined);
    }
  }

  /** From the sender itself, else from who told of it, else from anybody. Who tells of it later may have it, too. */
  async function pull({ party, digest }: SignedRoot, from: PartyId): Promise<void> {
    const name = toHex(digest);
    if (pulled.has(name)) return;
    pulled.add(name);
    const sources = new Set([party, from, ...partiesOf(session.roster)]);
    try {
      learnMessage(party, await session.fetch(digest, [...sources], length), digest);
    } finally {
      pulled.delete(name);
    }
  }

  async function hearRoots(): Promise<void> {
    const step = `${tag}/roots`;
    for await (const answer of session.receive(step, { bytesMax: ROOTS_BYTES_MAX })) learnRoots(step, answer);
  }

  function show(): Promise<void> {
    const held = [...conflicts.values(), ...roots.values()].slice(0, PARTIES_MAX);
    if (!shown) session.sendAll(`${tag}/evidence`, encodeRoots(held));
    shown = true;
    return shownByAll;
  }

  async function compare(): Promise<void> {
    const step = `${tag}/evidence`;
    for await (const evidence of session.receive(step, { bytesMax: ROOTS_BYTES_MAX })) {
      wanted = true; // the shares do not fit somewhere: this party has to see for itself
      learnRoots(step, evidence);
      show();
    }
    allShown();
  }

  function suffice(): void {
    sufficient = true;
  }

  function release(): void {
    released = true;
    for (const shares of messages.values()) releaseBuffer(shares, SIGNATURE_BYTES); // what a peer sent belongs to us
    messages.clear();
    for (const hash of offered) session.release(hash);
  }

  const digest = sha256(message);
  const signature = signStatement(session, shareSubject(session.id, tag, length, digest));
  learnRoot({ party: session.self, digest, signature });
  const body = Buffer.concat([signature, message]);
  for (const receiver of receivers) if (receiver !== session.self) session.send(receiver, tag, body);
  learnMessage(session.self, message, digest);
  const tasks = [collect(), answerWants(), hearRoots(), hearConflicts(), compare()];
  for (const task of tasks) task.catch(() => undefined); // ended by the session
  session.signal.addEventListener('abort', () => reject(session.signal.reason));
  return { messages, roots, conflicts, show, conflict, ask, suffice, missing, complete, release };
}
