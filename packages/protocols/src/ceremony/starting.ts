/**
 * How the parties of a ceremony begin together: the node that was asked tells every other node what and when, each
 * decides by its own policy, and all that accept enter the same session at the agreed time. The session id hashes
 * everything that was agreed, so parties that were told different things meet in no session.
 */
import { decode, encode, u8, u32, u64 } from '@keyquorum/codec/codec';
import { bytes, fixedBytes, struct } from '@keyquorum/codec/composites';
import { fromHex, toHex } from '@keyquorum/mpc/bytes';
import type { Party } from '@keyquorum/mpc/party';
import { prssInitVoteMs } from '@keyquorum/mpc/prss/init';
import { partiesOf, type Roster } from '@keyquorum/mpc/roster';
import { rosterDigest } from '@keyquorum/mpc/runtime/statement';
import type { Exchange, PartyId, SessionId } from '@keyquorum/mpc/transport';
import { sessionIdOf } from '../digest.ts';
import { labels } from '../labels.ts';
import type { Log } from '../log.ts';

const CONTENT_BYTES_MAX = 4096;
/** A start further away from this node's clock than that means that the clocks differ. */
const START_AHEAD_MS_MAX = 10_000;
const LEAD_MS_MIN = 800;

const announcementCodec = struct({
  kind: u8,
  id: fixedBytes(32),
  attempt: u32,
  startMs: u64,
  content: bytes(CONTENT_BYTES_MAX),
});
export const ANNOUNCEMENT_BYTES_MAX = 1 + 32 + 4 + 8 + 8 + CONTENT_BYTES_MAX;
/** The request is an announcement. */
export const startExchange: Exchange = {
  name: 'ceremony/start',
  requestBytesMax: ANNOUNCEMENT_BYTES_MAX,
  responseBytesMax: 1,
};

const KINDS = ['epoch', 'keygen', 'crs'] as const;
export type JointKind = (typeof KINDS)[number];

export interface Announcement {
  readonly kind: JointKind;
  /** 64 hex characters. */
  readonly id: string;
  readonly attempt: number;
  /** When the first round starts, on everybody's wall clock. */
  readonly startMs: number;
  /** What is agreed on, in the encoding of its kind. */
  readonly content: Uint8Array;
}

/** The session of this attempt before fresh nonces are known. */
export function announcedSession(roster: Roster, announcement: Announcement): SessionId {
  return sessionIdOf(labels.ceremonySession, rosterDigest(roster), encodeAnnouncement(announcement));
}

/** How long before its first round a ceremony is announced: as long as a message of a round may take. */
export function leadMs(roundMs: number): number {
  return Math.min(Math.max(LEAD_MS_MIN, roundMs), START_AHEAD_MS_MAX / 2);
}

/**
 * How long before its last possible start a further attempt is announced. It begins when the one before has ended at
 * this party; the parties find out who lied at different times.
 */
export const RESTART_LEAD_MS = START_AHEAD_MS_MAX / 2;

/** Votes on a PRSS-Init that messages came too late for are not waited for longer than this, or four rounds. */
const INIT_VOTE_MS = 2_000;

/** Start, rounds and deadline of a PRSS-Init, so that one that cannot succeed ends soon and is repeated. */
export function prssInitTimes({ startMs, roundMs }: { startMs: number; roundMs: number }, t: number) {
  const deadlineMs = prssInitVoteMs({ startMs, roundMs }, t) + Math.max(INIT_VOTE_MS, 4 * roundMs);
  return { startMs, roundMs, deadlineMs };
}

/** What decides on announcements and runs ceremonies. */
export interface Starters {
  /** @throws when this node refuses */
  accept(announcement: Announcement, from: PartyId): void;
  enter(announcement: Announcement): void;
}

/** Serves announcements of others. Returns the way to announce one's own. */
export function createStarting(
  party: Party,
  handlers: {
    /** Asked for when the first announcement comes. */
    joint(): Starters;
    readonly log: Log;
  },
): { announce(announcement: Announcement, signal: AbortSignal): Promise<PartyId[]> } {
  const { transport, clock, roster, self } = party;

  function accept(announcement: Announcement, from: PartyId): void {
    const { kind, id, startMs } = announcement;
    try {
      const aheadMs = Math.round(startMs - clock.now());
      if (aheadMs < 0 || aheadMs > START_AHEAD_MS_MAX) {
        throw new RangeError(`it starts ${aheadMs} ms ahead of this clock: check the clocks, or a slow link`);
      }
      handlers.joint().accept(announcement, from);
    } catch (error) {
      handlers.log({ level: 'warn', message: 'refused to start a ceremony', kind, id, from, error: String(error) });
      throw error;
    }
  }

  transport.serve(startExchange, async (from, body) => {
    const announcement = decodeAnnouncement(body);
    accept(announcement, from);
    handlers.joint().enter(announcement);
    await party.journal.sync(); // what the id stands for is remembered before it is promised
    return Uint8Array.of(1);
  });
  return {
    /** Tells all others; resolves with those that did not accept. Enters here too. */
    async announce(announcement, signal) {
      const body = encodeAnnouncement(announcement);
      const others = partiesOf(roster).filter((id) => id !== self);
      const tell = async (id: PartyId): Promise<boolean> =>
        transport.request(id, startExchange, body, signal).then(
          () => true,
          () => false,
        );
      handlers.joint().enter(announcement);
      await party.journal.sync();
      const answers = await Promise.all(others.map(tell));
      return others.filter((_, index) => !answers[index]);
    },
  };
}

export function encodeAnnouncement({ kind, id, attempt, startMs, content }: Announcement): Uint8Array {
  const fields = { kind: KINDS.indexOf(kind), id: fromHex(id), attempt, content };
  return encode(announcementCodec, { ...fields, startMs: BigInt(startMs) });
}

/** @throws CodecError or RangeError when the bytes are no announcement */
export function decodeAnnouncement(encoded: Uint8Array): Announcement {
  const { kind, id, attempt, startMs, content } = decode(announcementCodec, encoded);
  const name = KINDS[kind];
  if (name === undefined) throw new RangeError(`unknown ceremony kind ${kind}`);
  return {
    kind: name,
    id: toHex(id),
    attempt,
    startMs: Number(startMs),
    content: Uint8Array.from(content),
  };
}
