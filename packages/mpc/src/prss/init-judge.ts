/**
 * What the delivered broadcasts of PRSS-Init mean: whose contributions count and who is proven corrupt (SPEC R2). A
 * pure function of the deliveries, so that equal views give equal verdicts, and a party that adopts a certified view
 * later reaches the verdict of those who signed it.
 *
 * Blame needs an equal view: what somebody sent under another view counts for nothing and proves nothing, since only a
 * slow network may be the reason. So no honest party is ever proven corrupt, in any network.
 *
 * A verdict is evidence for ever, and is reached again by later versions of this software: whoever changes what an
 * honest party broadcasts gives `LABELS.prssScope` a new number, so that certificates of before are about nothing.
 */
import type { Certificate } from '../agreement/certificate.ts';
import { equalBytes, sha256 } from '../bytes.ts';
import { LABELS } from '../labels.ts';
import type { PartyId } from '../transport.ts';
import { boxPublicKey, openBox } from './init-box.ts';
import {
  type Bodies,
  type Contribution,
  decodeComplaints,
  decodeContribution,
  decodeKeys,
  encodeManifest,
  hasView,
  type KeyAnnouncement,
  OPENING_BYTES,
} from './init-messages.ts';
import { type BySet, bySet, type InitScope, type KeySet } from './init-scope.ts';

/** Deliveries of the three broadcasts; shorter while the protocol is on its way. */
export type Deliveries = readonly Bodies[];

export interface Verdict {
  /** I0: parties whose keys and nonce were delivered. */
  readonly announcements: ReadonlyMap<PartyId, KeyAnnouncement>;
  /** I1, without those that I2 proved corrupt. */
  readonly contributions: ReadonlyMap<PartyId, Contribution>;
  /** Delivered I1 broadcasts of parties with our view, well-formed or not. */
  readonly contributorCount: number;
  readonly proven: readonly PartyId[];
}

/** What a quorum certified: the same, and public, for everybody. */
export interface AgreedInit {
  readonly certificate: Certificate;
  /** What was delivered: with the certificate it convinces others of commitments and verdict (init-transcript.ts). */
  readonly deliveries: Deliveries;
  /** Parties that the transcript proves corrupt, ascending. */
  readonly proven: readonly PartyId[];
}

export function viewOf(scope: InitScope, deliveries: Deliveries): Uint8Array {
  return sha256(encodeManifest(scope, deliveries));
}

export function judge(scope: InitScope, deliveries: Deliveries): Verdict {
  const [first = new Map(), second = new Map(), third = new Map()] = deliveries;
  const proven = new Set<PartyId>();
  const announcements = readAll(first, proven, (sender, body) => decodeKeys(scope, sender, body));
  const contributors = withView(second, viewOf(scope, [first]));
  const contributions = readAll(contributors, proven, (sender, body) => {
    const receivers = [...announcements.keys()].filter((receiver) => receiver !== sender).sort((a, b) => a - b);
    return decodeContribution(scope, sender, receivers, body);
  });
  const complainers = withView(third, viewOf(scope, [first, second]));
  const complaints = readAll(complainers, proven, (sender, body) => decodeComplaints(scope, sender, body));
  const refuted = new Set<PartyId>();
  for (const [complainer, accused] of complaints) {
    for (const [sender, secretKey] of accused) {
      const box = boxToExamine({ announcements, contributions }, { sender, receiver: complainer, secretKey });
      const bad =
        box !== undefined && readBox(scope, { sender, receiver: complainer, secretKey, ...box }) === undefined;
      if (bad) refuted.add(sender);
      proven.add(bad ? sender : complainer);
    }
  }
  for (const sender of refuted) contributions.delete(sender);
  const sorted = [...proven].sort((left, right) => left - right);
  return { announcements, contributions, contributorCount: contributors.size, proven: sorted };
}

function withView(bodies: Bodies, view: Uint8Array): Bodies {
  return new Map([...bodies].filter(([, body]) => hasView(body, view)));
}

/** The well-formed bodies; a party that signed another one is proven corrupt. */
function readAll<T>(
  bodies: Bodies,
  proven: Set<PartyId>,
  read: (sender: PartyId, body: Uint8Array) => T | undefined,
): Map<PartyId, T> {
  const values = new Map<PartyId, T>();
  for (const [sender, body] of bodies) {
    const value = read(sender, body);
    if (value === undefined) proven.add(sender);
    else values.set(sender, value);
  }
  return values;
}

interface Complaint {
  readonly sender: PartyId;
  readonly receiver: PartyId;
  readonly secretKey: Uint8Array;
}

/** Undefined when the complaint is about nothing, or shows another key than the one that was announced. */
function boxToExamine(
  { announcements, contributions }: Pick<Verdict, 'announcements' | 'contributions'>,
  { sender, receiver, secretKey }: Complaint,
): { box: Uint8Array; commitments: BySet } | undefined {
  const contribution = contributions.get(sender);
  const box = contribution?.boxes.get(receiver);
  const announced = announcements.get(receiver)?.keys.get(sender);
  if (!contribution || !box || !announced || !equalBytes(announced, boxPublicKey(secretKey))) return undefined;
  return { box, commitments: contribution.commitments };
}

/**
 * The openings in a box, by common set; undefined when it does not open or an opening does not match its commitment.
 */
export function readBox(
  scope: InitScope,
  { sender, receiver, secretKey, box, commitments }: Complaint & { box: Uint8Array; commitments: BySet },
): BySet | undefined {
  const content = openBox({ scope: scope.digest, sender, receiver }, secretKey, box);
  if (!content) return undefined;
  const openings = bySet(scope.common(sender, receiver), content, OPENING_BYTES);
  if (openings && matchesCommitments(scope, sender, { openings, commitments })) return openings;
  content.fill(0);
  return undefined;
}

/** True when every opening belongs to the sender's commitment of its set. */
export function matchesCommitments(
  scope: InitScope,
  sender: PartyId,
  { openings, commitments }: { openings: BySet; commitments: BySet },
): boolean {
  for (const [number, opening] of openings) {
    const commitment = commitments.get(number);
    const set = scope.sets[number];
    if (!commitment || !set || !equalBytes(commitment, commitTo(scope, sender, set, opening))) return false;
  }
  return true;
}

const LABEL = new TextEncoder().encode(LABELS.prssCommitment);

/** C_{i,A}: SHA-256 of u8 + label | scope 32 | sender u8 | number of the set u32 LE | s 32 | o 32. */
export function commitTo(scope: InitScope, sender: PartyId, { number }: KeySet, opening: Uint8Array): Uint8Array {
  const preimage = new Uint8Array(1 + LABEL.length + scope.digest.length + 5 + OPENING_BYTES);
  const numberAt = 2 + LABEL.length + scope.digest.length;
  preimage[0] = LABEL.length;
  preimage.set(LABEL, 1);
  preimage.set(scope.digest, 1 + LABEL.length);
  preimage[numberAt - 1] = sender;
  new DataView(preimage.buffer).setUint32(numberAt, number, true);
  preimage.set(opening, numberAt + 4);
  const commitment = sha256(preimage);
  preimage.fill(0);
  return commitment;
}
