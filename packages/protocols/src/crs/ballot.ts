/**
 * How all parties come to the same end of a turn (docs/protocols/crs.md, step T3): one vote each, for the hash of a
 * contribution or for nothing. A quorum is a certificate, at most one per turn; all honest parties follow it, or none.
 */
import { type Certificate, digestSubject } from '@keyquorum/mpc/agreement/certificate';
import { openEndorsement } from '@keyquorum/mpc/agreement/endorsement';
import { HASH_BYTES } from '@keyquorum/mpc/bytes';
import { quorumOf } from '@keyquorum/mpc/roster';
import type { Subject } from '@keyquorum/mpc/runtime/statement';
import type { Session } from '@keyquorum/mpc/session';
import type { SessionId } from '@keyquorum/mpc/transport';
import { openVoteBox, type Tally } from '../closed/vote-box.ts';
import { labels } from '../labels.ts';

/** A vote that the turn is skipped. */
const NOTHING = new Uint8Array(HASH_BYTES);

/** What a turn ended with: a hash and who voted for it; undefined when it is skipped. */
export type TurnEnd = (Tally & { readonly certificate: Certificate }) | undefined;

export interface Ballot {
  /** This party's vote; undefined for nothing. Only the first counts. */
  cast(digest: Uint8Array | undefined): void;
  /** The first hash that an honest party vouches for: t+1 voted for it. */
  readonly vouched: Promise<Tally>;
  readonly end: Promise<TurnEnd>;
}

/** What a vote signs: for a contribution of this turn, or for nothing. */
export function voteSubject(session: SessionId, tag: string, digest: Uint8Array): Subject {
  return digestSubject(labels.crsVote, session, tag, digest);
}

/** @param times.closesMs when a certificate begins to need endorsements; @param times.roundMs above any delay */
export function openBallot(
  session: Session,
  tag: string,
  times: { readonly closesMs: number; readonly roundMs: number },
): Ballot {
  const { roster, t } = session;
  const subjectOf = (digest: Uint8Array) => voteSubject(session.id, tag, digest);
  const votes = openVoteBox(session, `${tag}/vote`, subjectOf);
  const quorum = quorumOf(roster);
  const endorsement = openEndorsement(session, { tag, domain: labels.crsEndorsement, subjectOf, quorum, ...times });
  const counted = votes.reached(quorum).then(({ digest }) => endorsement.follow(votes.certificate(digest)));
  counted.catch(() => undefined); // the session ended, as `end` says
  const vouched = votes.reached(t + 1, (digest) => !isNothing(digest));
  vouched.catch(() => undefined); // whoever waits sees it
  const end = endorsement.end.then((certificate): TurnEnd => {
    if (certificate === undefined || isNothing(certificate.subject.digest)) return undefined;
    const { subject, signatures } = certificate;
    return { digest: subject.digest, voters: [...signatures.keys()], certificate };
  });
  end.catch(() => undefined); // the same
  return { cast: (digest = NOTHING) => votes.cast(digest), vouched, end };
}

function isNothing(digest: Uint8Array): boolean {
  return digest.every((byte) => byte === 0);
}
