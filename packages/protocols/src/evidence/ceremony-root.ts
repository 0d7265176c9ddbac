/**
 * Which session evidence is about. Its id is recomputed from what was agreed on before it began, so evidence cannot be
 * about another key, other parameters or another number of bundles than the accused party knew of.
 */
import { CodecError } from '@keyquorum/codec/error';
import { equalBytes } from '@keyquorum/mpc/bytes';
import type { Roster } from '@keyquorum/mpc/roster';
import type { SessionId } from '@keyquorum/mpc/transport';
import {
  type Announcement,
  announcedSession,
  decodeAnnouncement,
  encodeAnnouncement,
  type JointKind,
} from '../ceremony/starting.ts';
import { type CrsContent, decodeCrsContent } from '../crs/content.ts';
import { BATCH_BUNDLES_MAX, type BatchStart, batchId, decodeStart } from '../decryption/batch-record.ts';
import { decodeEpochContent } from '../epoch/epoch.ts';
import { decodeContent, type KeygenContent } from '../keygen/content.ts';
import { EvidenceError } from './evidence-error.ts';
import type { CeremonyRoot } from './file.ts';

export type AccusedCeremony =
  | {
      readonly kind: 'keygen';
      readonly session: SessionId;
      readonly announcement: Announcement;
      readonly content: KeygenContent;
    }
  | { readonly kind: 'preprocessing'; readonly session: SessionId; readonly start: BatchStart }
  | {
      readonly kind: 'crs';
      readonly session: SessionId;
      readonly announcement: Announcement;
      readonly content: CrsContent;
    }
  | {
      readonly kind: 'epoch';
      readonly session: SessionId;
      readonly announcement: Announcement;
      readonly epoch: number;
    };

/** @throws EvidenceError EVIDENCE_CEREMONY */
export function readCeremonyRoot(roster: Roster, { kind, value }: CeremonyRoot): AccusedCeremony {
  try {
    if (kind === 'preprocessing') return readBatch(roster, value);
    const announcement = readAnnouncement(kind, value);
    const session = announcedSession(roster, announcement);
    const { content } = announcement;
    if (kind === 'epoch') return { kind, session, announcement, epoch: decodeEpochContent(content) };
    return kind === 'keygen'
      ? { kind, session, announcement, content: decodeContent(content) }
      : { kind, session, announcement, content: decodeCrsContent(content) };
  } catch (error) {
    if (!(error instanceof CodecError || error instanceof RangeError)) throw error;
    throw new EvidenceError('EVIDENCE_CEREMONY', `this names no ceremony: ${error.message}`, { cause: error });
  }
}

function readAnnouncement(kind: JointKind, encoded: Uint8Array): Announcement {
  const announcement = decodeAnnouncement(encoded);
  if (announcement.kind !== kind) throw new RangeError(`got a ceremony of kind ${announcement.kind}, want ${kind}`);
  if (!equalBytes(encodeAnnouncement(announcement), encoded)) throw new RangeError('got a start beyond all clocks');
  return announcement;
}

function readBatch(roster: Roster, encoded: Uint8Array): AccusedCeremony {
  const start = decodeStart(encoded);
  if (start.bundles < roster.n || start.bundles > BATCH_BUNDLES_MAX) {
    throw new RangeError(`got ${start.bundles} bundles, want ${roster.n}..${BATCH_BUNDLES_MAX}`);
  }
  return { kind: 'preprocessing', session: batchId(roster, encoded), start };
}
