/**
 * A party that was away when others proved somebody corrupt does not know, and would wait for that party's shares for
 * ever (SPEC R3). It asks them: what t+1 of them say was seen by an honest one. If fewer say it, the evidence decides,
 * as far as it can be judged at once: a broadcast may convict somebody at one party only, because it alone saw a start
 * certified, and a batch needs one list at all. The list only grows.
 */
import { decode, encode, u8 } from '@keyquorum/codec/codec';
import { vector } from '@keyquorum/codec/composites';
import { CodecError } from '@keyquorum/codec/error';
import type { Party } from '@keyquorum/mpc/party';
import { partiesOf } from '@keyquorum/mpc/roster';
import { type Exchange, type PartyId, TransportError } from '@keyquorum/mpc/transport';
import { ask } from '../ask.ts';
import { EvidenceError } from '../evidence/evidence-error.ts';
import { EVIDENCE_FILE_BYTES_MAX } from '../evidence/file.ts';
import { verifyBroadcastEvidence } from '../evidence/verify.ts';
import type { Log } from '../log.ts';
import type { ProvenParties } from './proven.ts';

const PARTIES_MAX = 15;
const ANSWER_LIMIT_MS = 2_000;
/** All files of one peer, 4 MB each at 13/4; ceremonies wait for that. */
const FILES_LIMIT_MS = 10_000;
/** A peer that shows no evidence of what it says is not asked again. */
const TRIES_MAX = 3;

const listCodec = vector(u8, PARTIES_MAX);
const listExchange: Exchange = { name: 'proven/list', requestBytesMax: 0, responseBytesMax: 8 + PARTIES_MAX };
/** From the accused party to the evidence. */
const fileExchange: Exchange = {
  name: 'proven/file',
  requestBytesMax: 1,
  responseBytesMax: EVIDENCE_FILE_BYTES_MAX,
};

export function serveProven({ transport }: Party, proven: ProvenParties): void {
  transport.serve(listExchange, async () => encode(listCodec, [...proven.list()]));
  transport.serve(fileExchange, async (_from, body) => {
    const file = await proven.file(decode(u8, body));
    if (file === undefined) throw new Error('no evidence here');
    return file;
  });
}

export interface LearningModules {
  readonly party: Party;
  readonly proven: ProvenParties;
  readonly signal: AbortSignal;
  readonly log: Log;
}

/** Returns what asks everybody that is up, and enters whom t+1 of them name, or evidence of one of them convicts. */
export function createProvenLearning({ party, proven, signal, log }: LearningModules): () => Promise<void> {
  const { roster, clock } = party;
  /** Files asked for, by peer and accused. */
  const tries = new Map<string, number>();
  const isUnknown = (accused: PartyId): boolean => !proven.list().includes(accused);

  /** Whom each peer names. */
  async function lists(): Promise<Map<PartyId, ReadonlySet<PartyId>>> {
    const named = new Map<PartyId, ReadonlySet<PartyId>>();
    const asked = party.connected().map(async (to) => {
      const question = { to, exchange: listExchange, body: new Uint8Array(0), limitMs: ANSWER_LIMIT_MS, signal };
      named.set(to, new Set(decode(listCodec, await ask(party, question))));
    });
    await Promise.allSettled(asked); // who is silent or sends something else names nobody
    return named;
  }

  async function adopt(named: ReadonlyMap<PartyId, ReadonlySet<PartyId>>): Promise<void> {
    const namers = (accused: PartyId) => [...named.values()].filter((list) => list.has(accused)).length;
    const learnt = partiesOf(roster).filter((accused) => isUnknown(accused) && namers(accused) > roster.t);
    await proven.adopt(learnt);
    for (const culprit of learnt) log({ level: 'error', message: 'others have proven a party corrupt', culprit });
  }

  /** The files of one peer, one after the other: each may be as long as a file can be. */
  async function judgeFilesOf(peer: PartyId, named: Iterable<PartyId>): Promise<void> {
    const deadlineMs = clock.now() + FILES_LIMIT_MS;
    for (const accused of named) {
      const tried = tries.get(`${peer}/${accused}`) ?? 0;
      const limitMs = deadlineMs - clock.now();
      if (!isUnknown(accused) || tried === TRIES_MAX || limitMs <= 0) continue;
      tries.set(`${peer}/${accused}`, tried + 1);
      const question = { to: peer, exchange: fileExchange, body: encode(u8, accused), limitMs, signal };
      await ask(party, question).then(judgeFile).catch(ignoreBadAnswer);
    }
  }

  async function judgeFile(evidence: Uint8Array): Promise<void> {
    const { party: culprit, kind } = verifyBroadcastEvidence(roster, evidence);
    await proven.add([{ party: culprit, kind, evidence }]);
  }

  return async () => {
    const named = await lists();
    await adopt(named);
    await Promise.all([...named].map(([peer, list]) => judgeFilesOf(peer, list)));
  };
}

/** What a peer says and cannot show proves nothing. */
function ignoreBadAnswer(error: unknown): void {
  if (!(error instanceof TransportError || error instanceof EvidenceError || error instanceof CodecError)) throw error;
}
