/**
 * A ceremony and its attempts (docs/protocols/crs.md, "After a restart"). The first announcement makes the ceremony,
 * for whose session heads and COMPLETE are signed. When too few processes are left that remember it, a later
 * announcement goes on from what was certified, in a session of its own for turns, votes and endorsements.
 */
import { decode, encode } from '@keyquorum/codec/codec';
import { fixedBytes, struct } from '@keyquorum/codec/composites';
import { CodecError } from '@keyquorum/codec/error';
import type { CrsSubject } from '@keyquorum/crs/state';
import { equalBytes, fromHex, HASH_BYTES, toHex } from '@keyquorum/mpc/bytes';
import type { Roster } from '@keyquorum/mpc/roster';
import type { SessionId } from '@keyquorum/mpc/transport';
import { type Announcement, announcedSession, encodeAnnouncement } from '../ceremony/starting.ts';
import { type CrsFormat, decodeCrsContent } from './content.ts';

export interface CrsCeremony {
  readonly start: Announcement;
  readonly session: SessionId;
  readonly subject: CrsSubject;
}

/** @throws CodecError, RangeError or CrsParametersError when nothing can be made for it */
export function ceremonyOf(roster: Roster, start: Announcement, format: CrsFormat): CrsCeremony {
  const subject = format.subject(start.id, decodeCrsContent(start.content));
  return { start, session: announcedSession(roster, start), subject };
}

/** What a later attempt agrees on: which ceremony it goes on with, and from where. */
const resumptionCodec = struct({ ceremony: fixedBytes(HASH_BYTES), base: fixedBytes(HASH_BYTES) });

/** @param base digest of the last certified head, or of the start */
export function encodeResumption({ session }: CrsCeremony, base: Uint8Array): Uint8Array {
  return encode(resumptionCodec, { ceremony: fromHex(session), base });
}

/** The base from which this announcement goes on with the ceremony; undefined when it does not. */
export function resumedBase({ start, session }: CrsCeremony, announcement: Announcement): Uint8Array | undefined {
  if (announcement.kind !== 'crs' || announcement.id !== start.id || announcement.attempt === 0) return undefined;
  try {
    const { ceremony, base } = decode(resumptionCodec, announcement.content);
    return toHex(ceremony) === session ? base : undefined;
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
    return undefined;
  }
}

export function isAttemptOf(ceremony: CrsCeremony, announcement: Announcement): boolean {
  const isFirst = equalBytes(encodeAnnouncement(announcement), encodeAnnouncement(ceremony.start));
  return isFirst || resumedBase(ceremony, announcement) !== undefined;
}
