/**
 * How a party whose process was restarted gets back into a ceremony (docs/protocols/crs.md, "After a restart"). It asks
 * the others where they are, and takes over the longest certified chain that anybody has.
 *
 * If t+1 say the same, one of them is honest, and it goes on with them. If a quorum was restarted too, nobody can be
 * ahead of what they hold together, and the first of them announces that they go on from there.
 */
import { decode, encode, u8, u64 } from '@keyquorum/codec/codec';
import { bytes, fixedBytes, struct } from '@keyquorum/codec/composites';
import { CodecError } from '@keyquorum/codec/error';
import type { Bls446 } from '@keyquorum/kernel/bls446';
import { equalBytes, fromHex, HASH_BYTES, toHex } from '@keyquorum/mpc/bytes';
import type { Party } from '@keyquorum/mpc/party';
import { quorumOf } from '@keyquorum/mpc/roster';
import type { Exchange, PartyId } from '@keyquorum/mpc/transport';
import { ask } from '../ask.ts';
import {
  ANNOUNCEMENT_BYTES_MAX,
  type Announcement,
  decodeAnnouncement,
  encodeAnnouncement,
  leadMs,
} from '../ceremony/starting.ts';
import type { Log } from '../log.ts';
import { type CrsCeremony, encodeResumption, isAttemptOf, resumedBase } from './attempt.ts';
import { CHAIN_BYTES_MAX, type Chain, readChain, startOfChain } from './chain.ts';
import type { Place } from './crs.ts';
import type { CrsMemory } from './memory.ts';

const ID_BYTES = 32;
/** Lists over a slow link. */
const CHAIN_LIMIT_MS = 60_000;
/** For an answer: who asks once a round has seen a quorum before anybody announces that it goes on. */
const ANSWER_ROUNDS = 2;
/** How long the first party in line waits with that, and how long the next leaves it to the one before. */
const ANNOUNCE_ROUNDS = 5;
const PATIENCE_ROUNDS = 10;

const positionCodec = struct({
  isWaiting: u8,
  attempt: bytes(ANNOUNCEMENT_BYTES_MAX),
  round: u8,
  startMs: u64,
  /** Turn and digest of the last head that was accepted. */
  baseRound: u8,
  base: fixedBytes(HASH_BYTES),
});
const positionExchange: Exchange = {
  name: 'crs/position',
  requestBytesMax: ID_BYTES,
  responseBytesMax: 1 + 8 + ANNOUNCEMENT_BYTES_MAX + 1 + 8 + 1 + HASH_BYTES,
};
const chainExchange: Exchange = {
  name: 'crs/chain',
  requestBytesMax: ID_BYTES,
  responseBytesMax: CHAIN_BYTES_MAX,
};

/** What a peer says about itself. */
interface Position {
  readonly peer: PartyId;
  readonly isWaiting: boolean;
  /** Encoded. */
  readonly attempt: Uint8Array;
  readonly round: number;
  readonly startMs: number;
  readonly baseRound: number;
  readonly base: Uint8Array;
}

export interface RejoinModules {
  readonly party: Party;
  readonly curve: Bls446;
  readonly memory: CrsMemory;
  readonly roundMs: number;
  readonly log: Log;
  /** Tells all others, and enters here. */
  announce(announcement: Announcement): Promise<unknown>;
}

export interface Rejoin {
  /** This party runs it and has come to this place: told to whoever asks. */
  at(place: Place): void;
  /** It has ended here. */
  left(id: string): void;
  isWaiting(id: string): boolean;
  /**
   * Where to go on with a ceremony that an earlier process of this party was in; undefined when `isOver` says that
   * there is nothing to go on with. Asks once a round.
   */
  place(
    ceremony: CrsCeremony,
    options: { isOver(): Promise<boolean>; signal: AbortSignal },
  ): Promise<Place | undefined>;
  /** @throws when this party has nothing to go on with under this announcement of a peer */
  accept(announcement: Announcement): CrsCeremony;
  /** A later attempt that was accepted, or that this party announces. */
  enter(announcement: Announcement): void;
}

interface Waiting {
  readonly ceremony: CrsCeremony;
  readonly attempt: Announcement;
  chain: Chain;
  /** Chains of peers that are none. */
  readonly refused: Set<string>;
  /** Since when a quorum has waited with the same chain. */
  sinceMs: number | undefined;
  resolve(place: Place): void;
}

export function createRejoin(modules: RejoinModules): Rejoin {
  const { party, curve, memory, roundMs, log } = modules;
  const { transport, roster, clock, self } = party;
  const places = new Map<string, Place>();
  const waiting = new Map<string, Waiting>();

  transport.serve(positionExchange, async (_from, id) => encodePosition(toHex(id)));
  transport.serve(chainExchange, async (_from, body) => {
    const id = toHex(body);
    const chain = places.has(id) || waiting.has(id) ? await memory.chain(id) : undefined;
    if (chain === undefined) throw new Error('no chain of such a ceremony here');
    return chain;
  });

  function encodePosition(id: string): Uint8Array {
    const left = waiting.get(id);
    const place = left ? { ...left, round: 0, startMs: 0 } : places.get(id);
    if (place === undefined) throw new Error('no such ceremony under way here');
    const { attempt, round, startMs, chain } = place;
    const { round: baseRound, digest: base } = chain.state;
    const times = { round, startMs: BigInt(Math.round(startMs)) };
    return encode(positionCodec, {
      ...{ isWaiting: Number(left !== undefined), attempt: encodeAnnouncement(attempt), ...times, baseRound, base },
    });
  }

  async function askAll(id: string, signal: AbortSignal): Promise<Position[]> {
    const question = { exchange: positionExchange, body: fromHex(id), limitMs: ANSWER_ROUNDS * roundMs, signal };
    const answers = await Promise.all(
      party.connected().map(async (peer) => {
        const answer = await ask(party, { to: peer, ...question }).catch(() => undefined);
        return answer && decodePosition(peer, answer);
      }),
    );
    signal.throwIfAborted();
    return answers.filter((each) => each !== undefined);
  }

  /** Takes the chain of a peer that says to have a longer one. */
  async function catchUp(left: Waiting, { peer, baseRound, base }: Position, signal: AbortSignal): Promise<void> {
    const { id } = left.ceremony.start;
    const name = `${peer}/${toHex(base)}`;
    if (baseRound <= left.chain.state.round || left.refused.has(name)) return;
    try {
      const question = { to: peer, exchange: chainExchange, body: fromHex(id), limitMs: CHAIN_LIMIT_MS, signal };
      const encoded = await ask(party, question);
      const chain = readChain(curve, roster, left.ceremony, encoded);
      if (chain.state.round <= left.chain.state.round) throw new Error('it is not longer');
      await memory.keepChain(id, encoded);
      left.chain = chain;
    } catch (error) {
      signal.throwIfAborted();
      left.refused.add(name);
      log({ level: 'warn', message: 'a peer hands over no contributions', id, from: peer, error: String(error) });
    }
  }

  /** The place of t+1 peers that run it and say the same. */
  function runningPlace(left: Waiting, positions: readonly Position[]): Place | undefined {
    const fitting = positions.filter(({ isWaiting, base }) => !isWaiting && equalBytes(base, left.chain.state.digest));
    for (const first of fitting) {
      const same = fitting.filter(({ attempt, round }) => round === first.round && equalBytes(attempt, first.attempt));
      if (same.length <= roster.t) continue;
      const attempt = readAttempt(left.ceremony, first.attempt);
      if (attempt === undefined) continue;
      const starts = same.map(({ startMs }) => startMs).sort((one, other) => one - other);
      const startMs = Math.min(clock.now(), starts[(starts.length - 1) >> 1]!);
      return { attempt, round: first.round, startMs, chain: left.chain };
    }
    return undefined;
  }

  /** Whether it is on this party to announce that a quorum goes on; none does without this party having seen one. */
  function isOnMe(left: Waiting, positions: readonly Position[]): boolean {
    const { digest } = left.chain.state;
    const others = positions.filter(({ isWaiting, base }) => isWaiting && equalBytes(base, digest));
    const isQuorum = others.length + 1 >= quorumOf(roster);
    left.sinceMs = isQuorum ? (left.sinceMs ?? clock.now()) : undefined;
    if (left.sinceMs === undefined) return false;
    const before = others.filter(({ peer }) => peer < self).length;
    return clock.now() >= left.sinceMs + (ANNOUNCE_ROUNDS + before * PATIENCE_ROUNDS) * roundMs;
  }

  async function look(left: Waiting, signal: AbortSignal): Promise<void> {
    const { id } = left.ceremony.start;
    const positions = await askAll(id, signal);
    for (const position of positions) await catchUp(left, position, signal);
    if (!waiting.has(id)) return; // entered meanwhile
    const place = runningPlace(left, positions);
    if (place !== undefined) {
      waiting.delete(id);
      if (place.attempt.attempt > 0) memory.enter(place.attempt);
      log({ level: 'info', message: 'back in making a reference string', id, round: place.round });
      left.resolve(place);
    } else if (isOnMe(left, positions)) {
      const { attempt } = left.attempt;
      const content = encodeResumption(left.ceremony, left.chain.state.digest);
      const startMs = Math.round(clock.now() + leadMs(roundMs));
      log({ level: 'info', message: 'going on with a reference string', id, from: left.chain.state.round });
      modules.announce({ kind: 'crs', id, attempt: attempt + 1, startMs, content }).catch((error) => {
        log({ level: 'warn', message: 'announcing a reference string failed', id, error: String(error) });
      });
    }
  }

  /** The waiting party that goes on under this announcement. @throws when there is none */
  function resumed(announcement: Announcement): Waiting {
    const left = waiting.get(announcement.id);
    if (left === undefined) throw new Error('this node was not restarted while it made that reference string');
    if (left.sinceMs === undefined) throw new Error('no quorum waits, as this node sees it');
    if (announcement.attempt <= left.attempt.attempt) throw new Error('a later attempt was entered');
    const base = resumedBase(left.ceremony, announcement);
    if (base === undefined) throw new Error('it goes on with another ceremony');
    if (!equalBytes(base, left.chain.state.digest)) throw new Error('it goes on from other contributions');
    return left;
  }

  return {
    at: (place) => void places.set(place.attempt.id, place),
    left: (id) => void places.delete(id),
    isWaiting: (id) => waiting.has(id),
    async place(ceremony, { isOver, signal }) {
      const { id } = ceremony.start;
      const { attempt } = memory.entered(id)!;
      const kept = await memory.chain(id);
      const chain = kept ? readChain(curve, roster, ceremony, kept) : startOfChain(ceremony);
      const { promise, resolve } = Promise.withResolvers<Place>();
      const left: Waiting = { ceremony, attempt, chain, refused: new Set(), sinceMs: undefined, resolve };
      waiting.set(id, left);
      try {
        while (waiting.has(id)) {
          if (await isOver()) return undefined;
          await look(left, signal);
          if (waiting.has(id)) await Promise.race([promise, clock.until(clock.now() + roundMs, signal)]);
        }
      } finally {
        waiting.delete(id);
      }
      return promise;
    },
    accept: (announcement) => resumed(announcement).ceremony,
    enter(announcement) {
      const left = resumed(announcement);
      const { id, startMs } = announcement;
      memory.enter(announcement);
      waiting.delete(id);
      left.resolve({ attempt: announcement, round: left.chain.state.round + 1, startMs, chain: left.chain });
    },
  };
}

function decodePosition(peer: PartyId, answer: Uint8Array): Position | undefined {
  try {
    const { isWaiting, startMs, ...position } = decode(positionCodec, answer);
    return { ...position, peer, isWaiting: isWaiting === 1, startMs: Number(startMs) };
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
    return undefined; // as if it had not answered
  }
}

function readAttempt(ceremony: CrsCeremony, encoded: Uint8Array): Announcement | undefined {
  const attempt = decodeAnnouncement(encoded);
  return isAttemptOf(ceremony, attempt) ? attempt : undefined;
}
