/**
 * Evidence made without a network, by somebody who has the keys of all parties: a session is its broadcasts, openings
 * and signatures, and each of them can be made otherwise, to see what a forger gets away with.
 */
import { doubleSignature } from '@keyquorum/mpc/agreement/evidence';
import { sha256 } from '@keyquorum/mpc/bytes';
import { LABELS } from '@keyquorum/mpc/labels';
import { familyC, subsetsWith } from '@keyquorum/mpc/prss/family';
import { prssInitSubject } from '@keyquorum/mpc/prss/init';
import { BOX_OVERHEAD_BYTES } from '@keyquorum/mpc/prss/init-box';
import { commitmentsOf, encodeOpenings, type Openings } from '@keyquorum/mpc/prss/init-contributions';
import { commitTo, judge, viewOf } from '@keyquorum/mpc/prss/init-judge';
import {
  type Bodies,
  encodeComplaints,
  encodeContribution,
  encodeKeys,
  OPENING_BYTES,
  othersOf,
} from '@keyquorum/mpc/prss/init-messages';
import { bySet, type InitScope } from '@keyquorum/mpc/prss/init-scope';
import type { CertifiedInit } from '@keyquorum/mpc/prss/init-transcript';
import { prssKeys } from '@keyquorum/mpc/prss/keys';
import { encodePrssKeys } from '@keyquorum/mpc/prss/late-keys';
import { partiesOf, type Roster } from '@keyquorum/mpc/roster';
import { createSigner } from '@keyquorum/mpc/runtime/identity';
import { rosterDigest, type Subject, signStatement } from '@keyquorum/mpc/runtime/statement';
import type { Signer } from '@keyquorum/mpc/session';
import { createPrng } from '@keyquorum/mpc/simulate/prng';
import type { PartyId, SessionId } from '@keyquorum/mpc/transport';
import type { Announcement } from '../../src/ceremony/starting.ts';
import { revealSubject } from '../../src/closed/reveals.ts';
import { encodeStart } from '../../src/decryption/batch-record.ts';
import { SHARE_TAG } from '../../src/decryption/preprocessing.ts';
import { encodeEpochContent, epochScope } from '../../src/epoch/epoch.ts';
import { type AccusedCeremony, readCeremonyRoot } from '../../src/evidence/ceremony-root.ts';
import {
  announcedRoot,
  type CeremonyRoot,
  type EvidenceFile,
  type ShownSecrets,
  type WrongShare,
} from '../../src/evidence/file.ts';
import { rightKeygenMessage } from '../../src/evidence/keygen-message.ts';
import { rightShareMessage } from '../../src/evidence/share-message.ts';
import { encodeContent, type KeygenContent } from '../../src/keygen/content.ts';
import { decisiveSets, keygenScope } from '../../src/keygen/replay.ts';
import { kernel } from './kernel.ts';

export interface Committee {
  readonly roster: Roster;
  sign(party: PartyId, subject: Subject): Uint8Array;
}

export function committeeOf(roster: Roster, signers: readonly Signer[]): Committee {
  return { roster, sign: (self, subject) => signStatement({ roster, self, signer: signers[self - 1]! }, subject) };
}

export function createCommittee(n: number, t: number, network = 'made'): Committee {
  const signers = Array.from({ length: n }, (_, index) => createSigner(createPrng(`party ${index + 1}`).bytes(32)));
  return committeeOf({ network, n, t, publicKeys: signers.map(({ publicKey }) => publicKey) }, signers);
}

/** A session with everything that a burn makes public. */
export interface MadeSession {
  readonly root: CeremonyRoot;
  readonly ceremony: AccusedCeremony;
  /** The secrets that show what `party` should have sent. */
  shownFor(party: PartyId): ShownSecrets;
  /** What it should have sent. */
  right(party: PartyId, step: string): Uint8Array;
}

export function announcementOf(content: KeygenContent, change: Partial<Announcement> = {}): Announcement {
  const fields = { id: 'ab'.repeat(32), attempt: 0, startMs: 1_700_000_000_000, content: encodeContent(content) };
  return { kind: 'keygen', ...fields, ...change };
}

type ShownOpenings = Extract<ShownSecrets, { kind: 'openings' }>;
type ShownKeys = Extract<ShownSecrets, { kind: 'keys' }>;

export interface MadeBatch extends MadeSession {
  shownFor(party: PartyId): ShownKeys;
}

export interface MadeKeygen extends MadeSession, MadeInit {
  shownFor(party: PartyId): ShownOpenings;
  readonly scope: InitScope;
  readonly openings: Openings;
}

export interface MadeInit {
  readonly root: CeremonyRoot;
  readonly ceremony: AccusedCeremony;
  readonly init: CertifiedInit;
}

interface InitChoice {
  readonly seed?: string;
  /** Who certifies the PRSS-Init. */
  readonly signers?: readonly PartyId[];
  readonly change?: ChangeBody;
}

/** What a party broadcasts in step 0, 1 or 2 in place of its honest body. */
export type ChangeBody = (body: Uint8Array, step: number, party: PartyId) => Uint8Array;

export function makeKeygen(
  committee: Committee,
  announcement: Announcement = announcementOf({ parameters: 'test', purpose: 'development' }),
  { seed = 'keygen', ...choice }: InitChoice = {},
): MadeKeygen {
  const { roster } = committee;
  const root = announcedRoot(announcement);
  const ceremony = readCeremonyRoot(roster, root);
  const { session } = ceremony;
  const scope = keygenScope(roster, session, announcement.content);
  const { init, openings } = makeInit(committee, { scope, session }, { seed, ...choice });
  const commitments = commitmentsOf(scope, judge(scope, init.deliveries));
  const shownFor = (party: PartyId): ShownOpenings => ({
    kind: 'openings',
    value: { init, openings: encodeOpenings(commitments, decisiveSets(scope, party), openings)! },
  });
  return {
    ...{ root, ceremony, scope, init, openings, shownFor },
    right(party, step) {
      if (ceremony.kind !== 'keygen') throw new Error('a key generation was made');
      return rightKeygenMessage(kernel, roster, ceremony, { ...NOTHING, party, step, secrets: shownFor(party) });
    },
  };
}

/** The start of an epoch. */
export function makeEpoch(committee: Committee, change: ChangeBody, id = 'cd'.repeat(32)): MadeInit {
  const { roster } = committee;
  const content = encodeEpochContent(1);
  const announcement: Announcement = { kind: 'epoch', id, attempt: 0, startMs: 1_700_000_000_000, content };
  const root = announcedRoot(announcement);
  const ceremony = readCeremonyRoot(roster, root);
  const { session } = ceremony;
  const scope = epochScope(roster, session, content);
  return { root, ceremony, init: makeInit(committee, { scope, session }, { seed: 'epoch', change }).init };
}

function makeInit(
  { roster, sign }: Committee,
  { scope, session }: { scope: InitScope; session: SessionId },
  { seed, signers = partiesOf(roster), change = (body) => body }: InitChoice & { seed: string },
): { init: CertifiedInit; openings: Openings } {
  const { deliveries, openings } = makeBroadcasts(scope, seed, change);
  const subject = prssInitSubject(session, viewOf(scope, deliveries));
  return { init: { deliveries, signatures: new Map(signers.map((party) => [party, sign(party, subject)])) }, openings };
}

/** Evidence that what `party` broadcast in the PRSS-Init convicts it. */
export function accuseOfBroken(
  { roster }: Committee,
  { root, init }: Pick<MadeInit, 'root' | 'init'>,
  party: PartyId,
): EvidenceFile & { readonly proof: { readonly kind: 'broken-init' } } {
  return {
    network: rosterDigest(roster),
    ceremony: root,
    proof: { kind: 'broken-init', value: { party, init } },
  };
}

/** The three broadcasts of parties that are honest but for `change`, without anything in their boxes. */
function makeBroadcasts(
  scope: InitScope,
  seed: string,
  change: ChangeBody,
): { deliveries: readonly Bodies[]; openings: Openings } {
  const random = createPrng(seed);
  const parties = othersOf(scope, 0);
  const openings = new Map(
    parties.map((party) => {
      const sets = scope.common(party, party);
      return [party, bySet(sets, random.bytes(sets.length * OPENING_BYTES), OPENING_BYTES)!] as const;
    }),
  );
  const keys = (party: PartyId) => new Map(othersOf(scope, party).map((sender) => [sender, random.bytes(32)]));
  const first = new Map(
    parties.map((party) => [party, change(encodeKeys({ nonce: random.bytes(32), keys: keys(party) }), 0, party)]),
  );
  const { announcements } = judge(scope, [first]);
  const contributions = parties.map((party) => {
    const own = openings.get(party)!;
    const commitments = new Map(
      scope.common(party, party).map((set) => [set.number, commitTo(scope, party, set, own.get(set.number)!)]),
    );
    const boxes = new Map(
      [...announcements.keys()]
        .filter((receiver) => receiver !== party)
        .map((receiver) => {
          const length = BOX_OVERHEAD_BYTES + scope.common(party, receiver).length * OPENING_BYTES;
          return [receiver, new Uint8Array(length)] as const;
        }),
    );
    return [party, change(encodeContribution(viewOf(scope, [first]), { commitments, boxes }), 1, party)] as const;
  });
  const second = new Map(contributions);
  const view = viewOf(scope, [first, second]);
  const third = new Map(parties.map((party) => [party, change(encodeComplaints(view, new Map()), 2, party)]));
  return { deliveries: [first, second, third], openings };
}

export const BUNDLES = 16;

/** `keyOf`: what a member says is the key of a set. All say the same by default. */
export function makeBatch(
  committee: Committee,
  {
    epoch = 1,
    showing = partiesOf(committee.roster),
    keyOf = (_party: PartyId, set: number) => createPrng(`key of set ${set}`).bytes(32),
  }: { epoch?: number; showing?: readonly PartyId[]; keyOf?: (party: PartyId, set: number) => Uint8Array } = {},
): MadeBatch {
  const { roster } = committee;
  const start = encodeStart({ epoch, bundles: BUNDLES, leader: 1, nonces: [] });
  const root: CeremonyRoot = { kind: 'preprocessing', value: start };
  const ceremony = readCeremonyRoot(roster, root);
  const family = familyC(roster);
  const shown = showing.map((party) => {
    const own = new Map(subsetsWith(family, party).map((set) => [set, keyOf(party, set)]));
    const keys = encodePrssKeys(prssKeys(family, party, own));
    return { party, keys, signature: committee.sign(party, revealSubject(ceremony.session, SHARE_TAG, keys)) };
  });
  const shownFor = (): ShownKeys => ({ kind: 'keys', value: shown });
  return {
    ...{ root, ceremony, shownFor },
    right(party, step) {
      if (ceremony.kind !== 'preprocessing') throw new Error('a batch was made');
      return rightShareMessage(kernel, roster, ceremony, { ...NOTHING, party, step, secrets: shownFor() });
    },
  };
}

const NOTHING: Omit<WrongShare, 'party' | 'step' | 'secrets'> = {
  length: 0,
  digest: new Uint8Array(32),
  signature: new Uint8Array(64),
};

/** Evidence that `party` signed this message in the step; wrong by one bit by default. */
export function accuse(
  { roster, sign }: Committee,
  made: MadeSession,
  accused: { readonly party: PartyId; readonly step: string; readonly message?: Uint8Array; readonly by?: PartyId },
): EvidenceFile & { readonly proof: { readonly kind: 'wrong-share'; readonly value: WrongShare } } {
  const { party, step, by = party } = accused;
  const message = accused.message ?? flipped(made.right(party, step));
  const { length } = message;
  const digest = sha256(message);
  const subject = { domain: LABELS.message, session: made.ceremony.session, tag: step, receiver: 0, length, digest };
  const share = { party, step, length, digest, signature: sign(by, subject), secrets: made.shownFor(party) };
  return { network: rosterDigest(roster), ceremony: made.root, proof: { kind: 'wrong-share', value: share } };
}

/** Evidence that `party` signed two messages in the step. */
export function accuseOfTwo(
  { roster, sign }: Committee,
  { root, ceremony }: MadeSession,
  { party, step }: { party: PartyId; step: string },
): EvidenceFile {
  const signed = (byte: number) => {
    const claim = { length: 1, digest: sha256(Uint8Array.of(byte)) };
    const subject = { domain: LABELS.message, session: ceremony.session, tag: step, receiver: 0, ...claim };
    return { subject, signature: sign(party, subject) };
  };
  const value = doubleSignature(party, signed(1), signed(2));
  return { network: rosterDigest(roster), ceremony: root, proof: { kind: 'double-signature', value } };
}

export function flipped(bytes: Uint8Array, at = 0): Uint8Array {
  return bytes.with(at, bytes[at]! ^ 1);
}
