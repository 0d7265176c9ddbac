/**
 * The binding of one stripe (SPEC R4; docs/protocols/binding.md, steps B1..B4):
 *  B1 the owner takes a range and sends PROPOSE to all;
 *  B2 a party that has admitted every listed request takes the same range, inside a segment that it has marked as used
 *     durably, here and at others (reservations.ts), then sends ECHO to all;
 *  B3 a quorum of ECHOs on one digest is the certificate: now, and only now, shares for these bundles may be sent;
 *  B4 the certificate is forwarded, unless everybody was seen to have echoed.
 * A refused proposal still moves the watermark, so a bundle is never bound twice. Two message delays, overlapped with
 * the inner products. A party that gives no ECHO before some bundle, because it was restarted, tells the owner, who
 * proposes behind that bundle when too few others are left.
 */
import { decode, encode, u32 } from '@keyquorum/codec/codec';
import {
  CERTIFICATE_BYTES_MAX,
  decodeCertificate,
  digestSubject,
  encodeCertificate,
  verifyCertificate,
} from '@keyquorum/mpc/agreement/certificate';
import { equalBytes, HASH_BYTES } from '@keyquorum/mpc/bytes';
import { LABELS } from '@keyquorum/mpc/labels';
import type { Party } from '@keyquorum/mpc/party';
import { partiesOf, quorumOf } from '@keyquorum/mpc/roster';
import { SIGNATURE_BYTES, type Subject, signStatement, verifyStatement } from '@keyquorum/mpc/runtime/statement';
import type { Received, Session } from '@keyquorum/mpc/session';
import type { PartyId } from '@keyquorum/mpc/transport';
import type { Ledger, Stripe } from './ledger.ts';
import {
  bundlesOf,
  decodeProposal,
  encodeProposal,
  PROPOSAL_BUNDLES_MAX,
  PROPOSAL_BYTES_MAX,
  type Proposal,
  type ProposalItem,
  proposalDigest,
  splitItems,
  stripeSessionId,
} from './proposal.ts';
import type { Reservations } from './reservations.ts';

/** A proposal of the owner may overtake its predecessor on the way; this long the successor waits for it. */
const GAP_MS = 250;
/** Without an ECHO of everybody by then, the certificate is forwarded. */
const FORWARD_MS = 100;
const ECHO_BYTES = HASH_BYTES + SIGNATURE_BYTES;

export interface Bound {
  readonly stripe: Stripe;
  readonly proposal: Proposal;
  readonly digest: Uint8Array;
}

export interface BindingModules {
  readonly party: Party;
  readonly ledger: Ledger;
  readonly reservations: Reservations;
  /** Waits until every item is admitted on this node (true) or will not be in time (false). */
  admitted(items: readonly ProposalItem[]): Promise<boolean>;
  /** Called once per certified proposal, in any order. */
  onBound(bound: Bound): void;
  readonly signal: AbortSignal;
}

export interface StripeModules extends BindingModules {
  /** What this party proposed can have no quorum: proposes it again. */
  onBarred(items: readonly ProposalItem[]): void;
}

interface Proposed {
  readonly value: Proposal;
  readonly encoded: Uint8Array;
  readonly digest: Uint8Array;
}

interface Echo {
  readonly digest: Uint8Array;
  readonly signature: Uint8Array;
}

/** What is known about one proposal number. Of every party one echo: nobody honest has two. */
interface Slot {
  proposal?: Proposed;
  readonly echoes: Map<PartyId, Echo>;
  bound: boolean;
  /** Given up by this party, its owner: its items were proposed again. */
  barred: boolean;
}

export class StripeBinding {
  readonly stripe: Stripe;
  readonly #modules: StripeModules;
  readonly #session: Session;
  readonly #slots = new Map<number, Slot>();
  /** By party, the first bundle it may echo on, as it says: of those that refused a proposal of this owner. */
  readonly #marks = new Map<PartyId, number>();
  /** Numbers whose proposal arrived and is not decided yet; decided one after the other, in order. */
  readonly #undecided = new Set<number>();
  readonly #mayEcho: Promise<void>;
  #ready = false;
  #deciding = false;

  /** Listens at once; takes new bundles only after `mayEcho` (the recall of an earlier life, SPEC O13). */
  constructor(modules: StripeModules, stripe: Stripe, mayEcho: Promise<void>) {
    this.#modules = modules;
    this.stripe = stripe;
    this.#mayEcho = mayEcho.then(() => {
      this.#ready = true;
    });
    this.#mayEcho.catch(() => undefined); // the session ends with the service; nobody waits for it then
    this.#session = modules.party.open(stripeSessionId(stripe.batch, stripe.owner), { signal: modules.signal });
    this.#listen('propose/', PROPOSAL_BYTES_MAX, (_, message) => this.#onPropose(message));
    this.#listen('echo/', ECHO_BYTES, (tag, message) => this.#onEcho(tag, message));
    if (stripe.owner === modules.party.self) {
      this.#listen('barred/', u32.minBytes, (tag, message) => this.#onBarred(tag, message));
    }
    const certificateBytesMax = 4 + CERTIFICATE_BYTES_MAX + PROPOSAL_BYTES_MAX;
    this.#listen('cert/', certificateBytesMax, (_, message) => this.#onCertificate(message));
  }

  /** Bundles that could still be bound with this party's ECHO. */
  get free(): number {
    return this.stripe.high - this.#modules.ledger.mark(this.stripe).free;
  }

  /** False after a restart, until the others have said what this party may have used before. */
  get ready(): boolean {
    return this.#ready;
  }

  /** True when no proposal can take anything of the stripe any more. */
  get spent(): boolean {
    return this.#modules.ledger.mark(this.stripe).watermark >= this.stripe.high;
  }

  /** True when this party owns the stripe and may take bundles of it now. */
  get proposable(): boolean {
    return this.#ready && this.stripe.owner === this.#modules.party.self && this.free > 0;
  }

  close(): void {
    this.#session.close();
  }

  /** B1. Binds as many blocks of the items as fit, in one proposal; returns the items and parts that did not fit. */
  propose(items: readonly ProposalItem[]): ProposalItem[] {
    const { party, ledger, reservations } = this.#modules;
    const { number, free } = ledger.mark(this.stripe);
    const [taken, left] = splitItems(items, this.proposable ? Math.min(this.free, PROPOSAL_BUNDLES_MAX) : 0);
    if (taken.length === 0) return left;
    const proposal = { batch: this.stripe.batch, owner: party.self, number: number + 1, low: free, items: taken };
    const count = bundlesOf(taken);
    if (!ledger.claim(this.stripe, { number: number + 1, low: free, count })) throw new Error('own claim refused');
    const encoded = encodeProposal(proposal);
    const digest = proposalDigest(encoded);
    this.#slot(number + 1).proposal = { value: proposal, encoded, digest };
    // A proposal alone binds nothing: it may leave at once. The own ECHO waits like everybody's.
    this.#session.sendAll(`propose/${proposal.number}`, encoded);
    reservations
      .cover(this.stripe, free + count)
      .then(() => this.#echo(proposal.number, digest))
      .catch((reason) => this.#session.close(asError(reason)));
    return left;
  }

  #listen(prefix: string, bytesMax: number, handle: (tag: string, message: Received) => void): void {
    this.#session.listen(prefix, { bytesMax }, (tag, message) => {
      try {
        handle(tag, message);
      } catch (error) {
        this.#session.report({ party: message.from, kind: 'malformed', detail: `${tag}: ${asError(error).message}` });
      }
    });
  }

  #slot(number: number): Slot {
    const slot = this.#slots.get(number) ?? { echoes: new Map(), bound: false, barred: false };
    this.#slots.set(number, slot);
    return slot;
  }

  /** @throws CodecError or RangeError when the bytes are no proposal for this stripe */
  #read(encoded: Uint8Array): Proposed {
    const value = decodeProposal(encoded);
    const count = bundlesOf(value.items);
    const { batch, owner, low, high } = this.stripe;
    if (
      value.batch !== batch ||
      value.owner !== owner ||
      count < 1 ||
      value.low < low ||
      value.low + count > high ||
      value.number > high - low
    ) {
      throw new RangeError('proposal outside this stripe');
    }
    return { value, encoded, digest: proposalDigest(encoded) };
  }

  #onPropose({ from, body }: Received): void {
    if (from !== this.stripe.owner) throw new RangeError('proposes in the stripe of another party');
    const proposal = this.#read(Uint8Array.from(body));
    const slot = this.#slot(proposal.value.number);
    slot.proposal ??= proposal;
    this.#undecided.add(proposal.value.number);
    this.#settle(slot);
    if (this.#deciding) return;
    this.#deciding = true;
    this.#decideAll()
      .catch((reason) => this.#session.close(asError(reason)))
      .finally(() => {
        this.#deciding = false;
      });
  }

  async #decideAll(): Promise<void> {
    await this.#mayEcho;
    const { clock, signal } = this.#session;
    while (this.#undecided.size > 0) {
      const expected = this.#modules.ledger.mark(this.stripe).number + 1;
      if (Math.min(...this.#undecided) > expected) await clock.until(clock.now() + GAP_MS, signal);
      const number = Math.min(...this.#undecided);
      this.#undecided.delete(number);
      await this.#decide(this.#slot(number));
    }
  }

  /** B2. */
  async #decide({ proposal }: Slot): Promise<void> {
    const { ledger, reservations } = this.#modules;
    const { value, digest } = proposal!;
    const count = bundlesOf(value.items);
    const willing = await this.#modules.admitted(value.items);
    if (willing) await reservations.cover(this.stripe, value.low + count);
    if (ledger.claim(this.stripe, { number: value.number, low: value.low, count })) {
      if (willing) this.#echo(value.number, digest);
      return;
    }
    const { free } = ledger.mark(this.stripe); // spent before, or barred by an earlier life of this process
    if (value.low < free) this.#session.send(this.stripe.owner, `barred/${value.number}`, encode(u32, free));
  }

  /**
   * Of the parties, at most t lie: when more bar this proposal, no quorum echoes it; and the mark that a quorum has
   * reached is not behind that of every honest party.
   */
  #onBarred(tag: string, { from, body }: Received): void {
    const { party, ledger } = this.#modules;
    const slot = this.#slots.get(this.#numberIn(tag, 'barred/'));
    const mark = decode(u32, body);
    if (slot?.proposal === undefined || mark <= this.stripe.low || mark > this.stripe.high) {
      throw new RangeError('no bundle of this stripe');
    }
    this.#marks.set(from, Math.max(mark, this.#marks.get(from) ?? 0));
    const reached = partiesOf(party.roster).map((id) => this.#marks.get(id) ?? this.stripe.low);
    const start = reached.sort((a, b) => a - b)[quorumOf(party.roster) - 1]!;
    const { value } = slot.proposal;
    if (slot.bound || slot.barred || start <= value.low) return;
    slot.barred = true;
    ledger.skipTo(this.stripe, start, 'other'); // the numbers go on: this process gave them
    this.#modules.onBarred(value.items);
  }

  #echo(number: number, digest: Uint8Array): void {
    const { party } = this.#modules;
    const signature = signStatement(party, this.#subject(number, digest));
    this.#session.sendAll(`echo/${number}`, Buffer.concat([digest, signature]));
    this.#count(number, party.self, { digest, signature });
  }

  #onEcho(tag: string, { from, body }: Received): void {
    const number = this.#numberIn(tag, 'echo/');
    const digest = Uint8Array.from(body.subarray(0, HASH_BYTES));
    const signature = Uint8Array.from(body.subarray(HASH_BYTES));
    const { roster } = this.#modules.party;
    if (!verifyStatement(roster, from, this.#subject(number, digest), signature)) throw new RangeError('bad signature');
    this.#count(number, from, { digest, signature });
  }

  /** @throws RangeError unless the tag names a proposal that there can be, in the one spelling of its number */
  #numberIn(tag: string, prefix: string): number {
    const number = Number(tag.slice(prefix.length));
    const bundles = this.stripe.high - this.stripe.low; // a proposal takes at least one bundle: no more numbers exist
    if (tag === `${prefix}${number}` && Number.isInteger(number) && number >= 1 && number <= bundles) return number;
    throw new RangeError('no number of a proposal');
  }

  #count(number: number, from: PartyId, echo: Echo): void {
    const slot = this.#slot(number);
    if (!slot.echoes.has(from)) slot.echoes.set(from, echo);
    this.#settle(slot);
  }

  /** B3: the slot is bound once its proposal is known and has its quorum. */
  #settle(slot: Slot): void {
    if (slot.bound || slot.proposal === undefined) return;
    if (echoesOf(slot).size < quorumOf(this.#modules.party.roster)) return;
    this.#bind(slot);
    this.#forward(slot).catch(() => undefined); // only the end of the session interrupts it
  }

  #bind(slot: Slot): void {
    slot.bound = true;
    const { value, digest } = slot.proposal!;
    this.#modules.onBound({ stripe: this.stripe, proposal: value, digest });
  }

  /** B4. */
  async #forward(slot: Slot): Promise<void> {
    const { clock, signal } = this.#session;
    await clock.until(clock.now() + FORWARD_MS, signal);
    const signatures = echoesOf(slot);
    if (signatures.size === this.#modules.party.roster.n) return;
    const { value, encoded, digest } = slot.proposal!;
    const certificate = encodeCertificate({ subject: this.#subject(value.number, digest), signatures });
    const length = encode(u32, certificate.length);
    this.#session.sendAll(`cert/${value.number}`, Buffer.concat([length, certificate, encoded]));
  }

  /** The certificate decides what is bound, also against what the owner told this party. */
  #onCertificate({ body }: Received): void {
    const length = decode(u32, body, { allowTrailing: true });
    const proposal = this.#read(Uint8Array.from(body.subarray(4 + length)));
    const { number } = proposal.value;
    if (this.#slots.get(number)?.bound) return;
    const { roster } = this.#modules.party;
    const certificate = decodeCertificate(body.subarray(4, 4 + length));
    const subject = this.#subject(number, proposal.digest);
    if (!verifyCertificate(roster, subject, certificate, quorumOf(roster))) throw new RangeError('bad certificate');
    const slot = this.#slot(number);
    slot.proposal = proposal;
    this.#bind(slot);
  }

  #subject(number: number, digest: Uint8Array): Subject {
    return digestSubject(LABELS.echo, this.#session.id, `echo/${number}`, digest);
  }
}

/** Signatures on the proposal that this party holds. */
function echoesOf({ proposal, echoes }: Slot): Map<PartyId, Uint8Array> {
  const same = [...echoes].filter(([, { digest }]) => equalBytes(digest, proposal!.digest));
  return new Map(same.map(([party, { signature }]) => [party, signature]));
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}
