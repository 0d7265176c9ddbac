/**
 * The corrupt parties of a broadcast under test, acting as one: they hold their real keys, see every chain honest
 * parties relay to them, and send any message they can sign to anybody at any time.
 */
import {
  type Chain,
  type Claim,
  claimSubject,
  decodeBatch,
  encodeBatch,
  encodeFirst,
  heldTag,
  roundTag,
  unanimityTag,
} from '../../src/agreement/broadcast-messages.ts';
import { type Certificate, digestSubject } from '../../src/agreement/certificate.ts';
import { encodeTold, toldTag } from '../../src/agreement/endorsement.ts';
import { HASH_BYTES, sha256, toHex } from '../../src/bytes.ts';
import { LABELS } from '../../src/labels.ts';
import type { Party } from '../../src/party.ts';
import { signStatement } from '../../src/runtime/statement.ts';
import type { Simulation } from '../../src/simulate/simulate.ts';
import type { PartyId, SessionId } from '../../src/transport.ts';

export class Adversary {
  readonly #parties: readonly Party[];
  readonly #session: SessionId;
  readonly #slot: string;
  readonly #rounds: number;
  /** Signatures of honest parties seen so far, by sender and digest. */
  readonly #seen = new Map<string, Map<PartyId, Uint8Array>>();
  /** Votes of honest parties that they hold everything, by digest. */
  readonly #held = new Map<string, { digest: Uint8Array; signatures: Map<PartyId, Uint8Array> }>();
  /** Messages per tag and receiver already sent: the mailbox takes only the first. */
  readonly #sent = new Set<string>();

  constructor(sim: Simulation, corrupt: readonly PartyId[], session: SessionId, slot: string) {
    this.#parties = corrupt.map((id) => sim.party(id));
    this.#session = session;
    this.#slot = slot;
    this.#rounds = sim.roster.t + 1;
  }

  /** Opens the session at the corrupt parties, listens to relays, and serves `bodies` from the chosen parties. */
  attend(offers: ReadonlyMap<PartyId, readonly Uint8Array[]>): void {
    for (const party of this.#parties) {
      const session = party.open(this.#session);
      for (const body of offers.get(party.self) ?? []) session.offer(body);
      session.listen('broadcast/', { bytesMax: 1 << 20 }, (tag, { from, body }) => {
        if (tag === heldTag(this.#slot)) this.#learnVote(from, body);
        else if (tag !== roundTag(this.#slot, 1))
          for (const chain of decodeBatch(session.n, body) ?? []) this.#learn(chain);
      });
    }
  }

  /** The body and the sender's signature, as in round 1. */
  sendFirst(sender: PartyId, to: PartyId, body: Uint8Array): void {
    const party = this.#party(sender);
    this.#send(party, to, 1, encodeFirst(this.#sign(party, claimOf(sender, body)), body));
  }

  /** A chain signed by the given corrupt parties and every honest party whose signature was seen, if wanted. */
  sendChain(
    relay: PartyId,
    to: PartyId,
    round: number,
    body: Uint8Array,
    signers: readonly PartyId[],
    withSeen: boolean,
  ) {
    this.#send(this.#party(relay), to, round, encodeBatch([this.chain(signers, body, withSeen)]));
  }

  /** The vote that `voter` holds what the honest parties say they hold, if they have said so. */
  sendHeld(voter: PartyId, to: PartyId): void {
    const party = this.#party(voter);
    for (const { digest } of this.#held.values()) {
      const signature = signStatement(party, this.#heldSubject(digest));
      this.#sendTagged(party, to, heldTag(this.#slot), Buffer.concat([digest, signature]));
    }
  }

  /** Tells one party that all hold the same, endorsed by `endorsers`, if the honest parties have all said so. */
  sendTold(relay: PartyId, to: PartyId, endorsers: readonly PartyId[]): boolean {
    const certificate = this.#unanimous();
    if (!certificate) return false;
    const { digest } = certificate.subject;
    const subject = digestSubject(LABELS.broadcastUnanimous, this.#session, unanimityTag(this.#slot), digest);
    const endorsements = new Map(endorsers.map((id) => [id, signStatement(this.#party(id), subject)]));
    const told = encodeTold({ certificate, endorsements });
    return this.#sendTagged(this.#party(relay), to, toldTag(unanimityTag(this.#slot)), told);
  }

  #unanimous(): Certificate | undefined {
    const n = this.#parties[0]!.roster.n;
    for (const { digest, signatures } of this.#held.values()) {
      const all = new Map(signatures);
      for (const party of this.#parties) all.set(party.self, signStatement(party, this.#heldSubject(digest)));
      if (all.size === n) return { subject: this.#heldSubject(digest), signatures: all };
    }
    return undefined;
  }

  #heldSubject(digest: Uint8Array) {
    return digestSubject(LABELS.broadcastHeld, this.#session, heldTag(this.#slot), digest);
  }

  #learnVote(from: PartyId, vote: Uint8Array): void {
    const digest = vote.slice(0, HASH_BYTES);
    const known = this.#held.get(toHex(digest)) ?? { digest, signatures: new Map<PartyId, Uint8Array>() };
    this.#held.set(toHex(digest), known);
    known.signatures.set(from, vote.slice(HASH_BYTES));
  }

  /** `signers[0]` is the sender. */
  chain(signers: readonly PartyId[], body: Uint8Array, withSeen: boolean): Chain {
    const [sender = 0] = signers;
    const claim = claimOf(sender, body);
    const signatures = new Map(withSeen ? this.#seen.get(keyOf(claim)) : []);
    for (const signer of signers) signatures.set(signer, this.#sign(this.#party(signer), claim));
    return { ...claim, signatures };
  }

  get rounds(): number {
    return this.#rounds;
  }

  #learn(chain: Chain): void {
    const known = this.#seen.get(keyOf(chain)) ?? new Map<PartyId, Uint8Array>();
    this.#seen.set(keyOf(chain), known);
    for (const [signer, signature] of chain.signatures) known.set(signer, signature);
  }

  #sign(party: Party, claim: Claim): Uint8Array {
    return signStatement(party, claimSubject(this.#session, this.#slot, party.self, claim));
  }

  #send(party: Party, to: PartyId, round: number, body: Uint8Array): void {
    this.#sendTagged(party, to, roundTag(this.#slot, round), body);
  }

  #sendTagged(party: Party, to: PartyId, tag: string, body: Uint8Array): boolean {
    const key = `${party.self} ${to} ${tag}`;
    if (this.#sent.has(key)) return false;
    this.#sent.add(key);
    party.transport.send(to, { session: this.#session, tag, body });
    return true;
  }

  #party(id: PartyId): Party {
    return this.#parties.find(({ self }) => self === id)!;
  }
}

export function claimOf(sender: PartyId, body: Uint8Array): Claim {
  return { sender, length: body.length, digest: sha256(body) };
}

function keyOf({ sender, digest }: Claim): string {
  return `${sender} ${toHex(digest)}`;
}
