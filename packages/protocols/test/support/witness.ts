/**
 * Sees everything that any party sends, and judges the binding of material from outside: no honest party ever echoes
 * two proposals that share a bundle, no bundle is certified twice, and shares are sent only under a certificate.
 */
import { HASH_BYTES, toHex } from '@keyquorum/mpc/bytes';
import { quorumOf, type Roster } from '@keyquorum/mpc/roster';
import { combine, type FaultStrategy, type Faults, intercept } from '@keyquorum/mpc/simulate/strategy';
import type { Envelope, PartyId } from '@keyquorum/mpc/transport';
import {
  bundlesOf,
  decodeProposal,
  onlineSessionId,
  type Proposal,
  proposalDigest,
  stripeSessionId,
} from '../../src/decryption/proposal.ts';

export interface Sent extends Envelope {
  readonly from: PartyId;
  readonly to: PartyId;
  readonly timeMs: number;
}

export interface Witness {
  /** For `simulate`: every party is watched; those in `faults` lie beneath. */
  readonly faults: Faults;
  readonly sent: Sent[];
}

export function createWitness(n: number, faults: Faults = {}): Witness {
  const sent: Sent[] = [];
  const watch: FaultStrategy = {
    name: 'is watched',
    wrap: (transport, { self, clock }) =>
      intercept(transport, {
        send(to, envelope, inner) {
          sent.push({ ...envelope, body: Uint8Array.from(envelope.body), from: self, to, timeMs: clock.now() });
          inner.send(to, envelope);
        },
      }),
  };
  const watched = (party: PartyId): FaultStrategy => (faults[party] ? combine(watch, faults[party]) : watch);
  return { sent, faults: Object.fromEntries(Array.from({ length: n }, (_, index) => [index + 1, watched(index + 1)])) };
}

const ONLINE_TAG = /^(masked|message|lifted|level\/\d+)$/;

interface Echo {
  readonly from: PartyId;
  readonly digest: string;
  readonly timeMs: number;
}

/** @throws Error naming the first rule that was broken, and by whom */
export function checkBindings(
  { sent }: Witness,
  roster: Roster,
  honest: readonly PartyId[],
): { readonly certified: number; readonly refused: number } {
  const proposals = proposalsOf(sent);
  const echoes = echoesOf(sent);
  for (const party of honest) {
    const own = [...new Set(echoes.filter(({ from }) => from === party).map(({ digest }) => digest))];
    requireDisjoint(own, proposals, `party ${party} echoed`);
  }
  const certifiedAt = new Map<string, number>();
  for (const digest of new Set(echoes.map((echo) => echo.digest))) {
    const firsts = new Map<PartyId, number>();
    for (const echo of echoes) if (echo.digest === digest && !firsts.has(echo.from)) firsts.set(echo.from, echo.timeMs);
    const times = [...firsts.values()].sort((left, right) => left - right);
    const at = times[quorumOf(roster) - 1];
    if (at !== undefined) certifiedAt.set(digest, at);
  }
  requireDisjoint([...certifiedAt.keys()], proposals, 'certified');
  const sessions = new Map([...certifiedAt].map(([digest, at]) => [onlineSessionId(Buffer.from(digest, 'hex')), at]));
  for (const { session, tag, from, timeMs } of sent) {
    if (!ONLINE_TAG.test(tag) || !honest.includes(from)) continue;
    const at = sessions.get(session);
    if (at === undefined || at > timeMs) throw new Error(`party ${from} sent ${tag} without a certificate`);
  }
  return { certified: certifiedAt.size, refused: proposals.size - certifiedAt.size };
}

function proposalsOf(sent: readonly Sent[]): Map<string, Proposal> {
  const proposals = new Map<string, Proposal>();
  for (const { tag, body } of sent) {
    const [kind] = tag.split('/');
    if (kind !== 'propose' && kind !== 'cert') continue;
    const skip = kind === 'cert' ? 4 + new DataView(body.buffer, body.byteOffset).getUint32(0, true) : 0;
    const encoded = body.slice(skip);
    try {
      proposals.set(toHex(proposalDigest(encoded)), decodeProposal(encoded));
    } catch {
      // a liar's nonsense: nobody can echo it
    }
  }
  return proposals;
}

/**
 * Echoes in stripe sessions, with the claimed digest. Signatures are the receiver's business: a liar's count here, too.
 */
function echoesOf(sent: readonly Sent[]): Echo[] {
  return sent
    .filter(({ tag, body }) => tag.startsWith('echo/') && body.length > HASH_BYTES)
    .map(({ from, body, timeMs }) => ({ from, timeMs, digest: toHex(body.subarray(0, HASH_BYTES)) }));
}

function requireDisjoint(digests: readonly string[], proposals: ReadonlyMap<string, Proposal>, what: string): void {
  const takenBy = new Map<string, string>();
  for (const digest of digests) {
    const proposal = proposals.get(digest);
    if (proposal === undefined) continue; // an echo of nothing that was ever proposed
    const stripe = stripeSessionId(proposal.batch, proposal.owner);
    for (let bundle = proposal.low; bundle < proposal.low + bundlesOf(proposal.items); bundle++) {
      const key = `${stripe} ${bundle}`;
      const other = takenBy.get(key);
      if (other !== undefined) throw new Error(`${what} bundle ${bundle} of party ${proposal.owner}'s stripe twice`);
      takenBy.set(key, digest);
    }
  }
}
