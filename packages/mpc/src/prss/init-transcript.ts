/**
 * A certified run of PRSS-Init as somebody sees it who was not there (SPEC R2): all that was broadcast, and the
 * signatures of a quorum on the view of it. Two certified views of one session would share an honest signer, who signs
 * one; so from these bytes and the roster anybody learns whose contributions count, what they are bound to, and whom
 * the broadcasts prove corrupt.
 */
import type { Codec } from '@keyquorum/codec/codec';
import { bytes, mapped, struct } from '@keyquorum/codec/composites';
import { verifyCertificate } from '../agreement/certificate.ts';
import { readSignatureSet, type SignatureSet, writeSignatureSet } from '../agreement/signature-set.ts';
import { quorumOf, type Roster } from '../roster.ts';
import type { PartyId, SessionId } from '../transport.ts';
import { prssInitSubject } from './init.ts';
import { commitmentsOf, type PrssCommitments } from './init-contributions.ts';
import { type AgreedInit, type Deliveries, judge, viewOf } from './init-judge.ts';
import type { Bodies } from './init-messages.ts';
import { type InitScope, writePartyMask } from './init-scope.ts';

export interface CertifiedInit {
  readonly deliveries: Deliveries;
  readonly signatures: SignatureSet;
}

/** Above the longest broadcast of 15 parties, 0.7 MB. */
const BODY_BYTES_MAX = 2 ** 20;
const PARTY_MAX = 15;

const body = bytes(BODY_BYTES_MAX);

/** Layout: senders u16 LE, bit i-1 = party i | per sender, ascending: its body with its length in front. */
const bodies: Codec<Bodies> = {
  minBytes: 2,
  read(reader) {
    const at = reader.offset;
    const mask = reader.u8() | (reader.u8() << 8);
    if (mask >> PARTY_MAX) throw reader.error('CODEC_VALUE', `got a sender above ${PARTY_MAX}`, at);
    const read = new Map<PartyId, Uint8Array>();
    for (let party = 1; party <= PARTY_MAX; party++) {
      if (mask & (1 << (party - 1)))
        read.set(
          party,
          reader.within(party, () => body.read(reader)),
        );
    }
    return read;
  },
  write(writer, value) {
    writePartyMask(writer, value.keys());
    for (const [, each] of [...value].sort(([left], [right]) => left - right)) body.write(writer, each);
  },
};

const signatures: Codec<SignatureSet> = { minBytes: 2, read: readSignatureSet, write: writeSignatureSet };

/** Checks the spelling only. */
export const certifiedInitCodec: Codec<CertifiedInit> = mapped(
  struct({ keys: bodies, contributions: bodies, complaints: bodies, signatures }),
  {
    to: ({ keys, contributions, complaints, signatures: signed }) => ({
      deliveries: [keys, contributions, complaints],
      signatures: signed,
    }),
    from({ deliveries, signatures: signed }) {
      const [keys = new Map(), contributions = new Map(), complaints = new Map()] = deliveries;
      return { keys, contributions, complaints, signatures: signed };
    },
    want: 'three broadcasts',
  },
);

/** What somebody who took part shows to others. */
export function certifiedInit({ deliveries, certificate }: AgreedInit): CertifiedInit {
  return { deliveries, signatures: certificate.signatures };
}

export interface VerifiedInit {
  readonly transcript: Uint8Array;
  readonly commitments: PrssCommitments;
  /** Parties that the broadcasts prove corrupt, ascending. */
  readonly proven: readonly PartyId[];
}

/** What was agreed; undefined unless a quorum of the roster signed exactly this for the session. */
export function verifyInit(
  { scope, roster, session }: { scope: InitScope; roster: Roster; session: SessionId },
  { deliveries, signatures: signed }: CertifiedInit,
): VerifiedInit | undefined {
  const transcript = viewOf(scope, deliveries);
  const subject = prssInitSubject(session, transcript);
  if (!verifyCertificate(roster, subject, { subject, signatures: signed }, quorumOf(roster))) return undefined;
  const verdict = judge(scope, deliveries);
  return { transcript, commitments: commitmentsOf(scope, verdict), proven: verdict.proven };
}
