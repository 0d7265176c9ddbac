/**
 * Broadcast with agreement for all n parties at once: Dolev-Strong on digests (SPEC R1; docs/protocols/broadcast.md).
 * Every honest party ends with the same map, and it holds what every honest party sent, if each message between honest
 * parties, and each pull of a body, takes less than a round minus the clock skew. It ends at once, after two messages,
 * when everybody holds the same value of every party, and else after t+2 rounds on the wall clock. (n-1)|m| bytes sent
 * per party besides about 100 n^2 of signatures.
 *
 * A party extracts a value of sender S in round r when it holds r valid signatures on it, S's among them, has extracted
 * fewer than two values of S, and holds the body. It then signs too, and relays the chain at the start of round r+1. In
 * round t+1 the body may come later: one of t+1 signers is honest and has it.
 */
import { toHex } from '../bytes.ts';
import { LABELS } from '../labels.ts';
import { fetchPatiently } from '../patient-fetch.ts';
import { partiesOf } from '../roster.ts';
import { SIGNATURE_BYTES } from '../runtime/identity.ts';
import { signStatement, verifyStatement } from '../runtime/statement.ts';
import type { Session } from '../session.ts';
import type { PartyId } from '../transport.ts';
import { AgreementError } from './agreement-error.ts';
import {
  batchBytesMax,
  type Chain,
  type Claim,
  claimSubject,
  decodeBatch,
  decodeFirst,
  encodeBatch,
  encodeFirst,
  heldTag,
  roundTag,
  unanimityTag,
  unanimousDigest,
  VALUES_PER_SENDER_MAX,
} from './broadcast-messages.ts';
import { collectSignatures, digestSubject } from './certificate.ts';
import { type Endorsement, openEndorsement } from './endorsement.ts';
import { doubleSignature, type Evidence } from './evidence.ts';

export interface BroadcastOptions {
  /** Agreed start of round 1, wall clock; what is sent before counts for round 1. */
  readonly startMs: number;
  /** Length of a round: above twice the clock skew plus one message and one pull of a body. */
  readonly roundMs: number;
  /** Longest body any party may broadcast in this slot. */
  readonly bytesMax: number;
  /** Called once for every sender proven to have signed two values. */
  readonly onEvidence?: (evidence: Evidence) => void;
}

/**
 * Broadcasts `body` (or nothing) and returns what every party broadcast, this one included, in order of parties. A
 * missing key is "bottom": that party sent nothing in time, or lied. `slot` names this broadcast within the session,
 * printable ASCII, at most 40 characters. Bodies stay available to slower parties until the session is closed.
 * @throws AgreementError BROADCAST_TOO_LATE when called after the first half of round 1
 */
export async function broadcastAll(
  session: Session,
  slot: string,
  body: Uint8Array | undefined,
  options: BroadcastOptions,
): Promise<Map<PartyId, Uint8Array>> {
  return new Broadcast(session, slot, options).run(body);
}

/** One value of one sender: what is known of it so far. */
interface Value extends Claim {
  /** Valid signatures only. */
  readonly signatures: Map<PartyId, Uint8Array>;
  /** Parties the body is pulled from, in the order in which they vouched for it. */
  readonly sources: Set<PartyId>;
  body: Uint8Array | undefined;
}

interface Slot {
  readonly values: Map<string, Value>;
  /** Values each peer has brought up: bounded, so that no peer can crowd out another. */
  readonly broughtUp: Map<PartyId, Set<string>>;
  readonly extracted: Value[];
}

class Broadcast {
  readonly #session: Session;
  readonly #slot: string;
  readonly #options: BroadcastOptions;
  readonly #rounds: number;
  readonly #slots: ReadonlyMap<PartyId, Slot>;
  /** Values extracted in the current round, relayed when the next one starts. */
  #toRelay: Value[] = [];
  /** What everybody broadcast, once this party holds exactly one value of each in round 1. */
  #held: Map<PartyId, Uint8Array> | undefined;
  readonly #unanimity: Endorsement;
  /** Stops the rounds. */
  readonly #over = new AbortController();

  constructor(session: Session, slot: string, options: BroadcastOptions) {
    this.#session = session;
    this.#slot = slot;
    this.#options = options;
    this.#rounds = session.t + 1;
    this.#slots = new Map(
      partiesOf(session.roster).map((sender) => [sender, { values: new Map(), broughtUp: new Map(), extracted: [] }]),
    );
    this.#unanimity = openEndorsement(session, {
      tag: unanimityTag(slot),
      domain: LABELS.broadcastUnanimous,
      subjectOf: (digest) => digestSubject(LABELS.broadcastHeld, session.id, heldTag(slot), digest),
      quorum: session.n,
      closesMs: this.#closesMs,
      roundMs: options.roundMs,
    });
  }

  /** End of round 1. */
  get #closesMs(): number {
    return this.#options.startMs + this.#options.roundMs;
  }

  async run(body: Uint8Array | undefined): Promise<Map<PartyId, Uint8Array>> {
    const { startMs, roundMs, bytesMax } = this.#options;
    const lateMs = this.#session.clock.now() - startMs;
    if (body && body.length > bytesMax) throw new RangeError(`${this.#slot}: own body of ${body.length} bytes`);
    if (lateMs > roundMs / 2) {
      throw new AgreementError('BROADCAST_TOO_LATE', `${this.#slot}: joined ${lateMs} ms after its start`);
    }
    const rounds = Promise.all([this.#listen(), this.#keepTime(body)]);
    rounds.catch(() => undefined); // stopped, or seen below
    const unanimous = await Promise.race([this.#unanimity.end, rounds.then(() => this.#unanimity.end)]);
    if (!unanimous) {
      await rounds;
      return this.#deliver();
    }
    this.#over.abort();
    if (!this.#held) throw new Error(`${this.#slot}: a certificate of all parties without this one's signature`);
    return this.#held;
  }

  async #keepTime(body: Uint8Array | undefined): Promise<void> {
    const { clock } = this.#session;
    const { startMs, roundMs } = this.#options;
    const signal = AbortSignal.any([this.#session.signal, this.#over.signal]);
    if (body) this.#sendOwn(body);
    for (let round = 2; round <= this.#rounds; round++) {
      await clock.until(startMs + (round - 1) * roundMs, signal);
      this.#relay(round);
    }
    this.#extractWithoutBody();
    await clock.until(startMs + this.#rounds * roundMs, signal);
    this.#over.abort();
  }

  /** Round of the clock; a fast sender's message that arrives before the start belongs to round 1. */
  #round(): number {
    const elapsedMs = this.#session.clock.now() - this.#options.startMs;
    return Math.max(1, Math.floor(elapsedMs / this.#options.roundMs) + 1);
  }

  async #listen(): Promise<void> {
    const { startMs, roundMs, bytesMax } = this.#options;
    const { n } = this.#session;
    const deadlineMs = startMs + this.#rounds * roundMs;
    const listen = async (round: number) => {
      const limits = { bytesMax: round === 1 ? SIGNATURE_BYTES + bytesMax : batchBytesMax(n), deadlineMs };
      for await (const { from, body } of this.#session.receive(roundTag(this.#slot, round), limits)) {
        if (round === 1) this.#takeFirst(from, body);
        else this.#takeBatch(from, body);
      }
    };
    await Promise.all(Array.from({ length: this.#rounds }, (_, index) => listen(index + 1)));
  }

  #sendOwn(body: Uint8Array): void {
    const { self, id } = this.#session;
    const digest = this.#session.offer(body);
    const claim: Claim = { sender: self, length: body.length, digest };
    const signature = signStatement(this.#session, claimSubject(id, this.#slot, self, claim));
    this.#session.sendAll(roundTag(this.#slot, 1), encodeFirst(signature, body));
    const value = { ...claim, signatures: new Map([[self, signature]]), sources: new Set<PartyId>(), body };
    const slot = this.#slotOf(self);
    slot.values.set(keyOf(claim), value);
    slot.extracted.push(value); // everybody got it from us: nothing to relay
    this.#tryHold();
  }

  #takeFirst(from: PartyId, message: Uint8Array): void {
    const first = decodeFirst(from, message);
    const value = first && this.#admit(from, first.chain);
    if (!value) {
      this.#reportMalformed(from, 'no valid signature on its own broadcast');
      return;
    }
    value.body ??= first.body; // kept when late as well: others may relay the chain in time
    this.#tryExtract(value);
  }

  #takeBatch(from: PartyId, message: Uint8Array): void {
    const chains = decodeBatch(this.#session.n, message);
    if (!chains) this.#reportMalformed(from, 'not a batch of chains');
    for (const chain of chains ?? []) {
      if (this.#isUseless(chain)) continue;
      const value = this.#admit(from, chain);
      if (!value) {
        this.#reportMalformed(from, `a bad chain for party ${chain.sender}`);
        return; // an honest party sends none
      }
      this.#pull(value, from);
      this.#tryExtract(value);
    }
  }

  /**
   * True for a chain that can change nothing, whose signatures are then not even verified: too few for its time, about
   * ourselves, or about a sender or value that is settled. Saves n^3 verifications per party in the honest case.
   */
  #isUseless(chain: Chain): boolean {
    const { values, extracted } = this.#slotOf(chain.sender);
    const known = values.get(keyOf(chain));
    const settled = known?.body !== undefined && extracted.includes(known);
    if (settled || extracted.length >= VALUES_PER_SENDER_MAX) return true;
    return chain.sender === this.#session.self || chain.signatures.size < this.#round();
  }

  /** Verifies a chain and merges it into what is known; undefined when `from` broke the rules. */
  #admit(from: PartyId, chain: Chain): Value | undefined {
    if (!chain.signatures.has(chain.sender) || chain.length > this.#options.bytesMax) return undefined;
    const slot = this.#slotOf(chain.sender);
    const key = keyOf(chain);
    const broughtUp = slot.broughtUp.get(from) ?? new Set<string>();
    if (!broughtUp.has(key) && broughtUp.size >= VALUES_PER_SENDER_MAX) return undefined;
    const { sender, length, digest } = chain;
    const value = slot.values.get(key) ?? {
      sender,
      length,
      digest,
      signatures: new Map(),
      sources: new Set(),
      body: undefined,
    };
    for (const [signer, signature] of chain.signatures) {
      if (value.signatures.has(signer)) continue;
      const subject = claimSubject(this.#session.id, this.#slot, signer, chain);
      if (!verifyStatement(this.#session.roster, signer, subject, signature)) return undefined;
      value.signatures.set(signer, signature);
    }
    slot.broughtUp.set(from, broughtUp.add(key));
    if (!slot.values.has(key)) this.#noteValue(slot, key, value);
    return value;
  }

  #noteValue(slot: Slot, key: string, value: Value): void {
    const [other] = slot.values.values();
    slot.values.set(key, value);
    if (!other || slot.values.size > 2) return;
    this.#session.report({ party: value.sender, kind: 'equivocation', detail: `${this.#slot}: signed two broadcasts` });
    this.#options.onEvidence?.(doubleSignature(value.sender, this.#signed(other), this.#signed(value)));
  }

  /** The sender's own signature on a value. */
  #signed(value: Value) {
    const signature = value.signatures.get(value.sender) ?? new Uint8Array(SIGNATURE_BYTES);
    return { subject: claimSubject(this.#session.id, this.#slot, value.sender, value), signature };
  }

  /**
   * Pulls the body from `source` unless it arrives before its turn; every source has its turn within a quarter round.
   */
  #pull(value: Value, source: PartyId): void {
    const { extracted } = this.#slotOf(value.sender);
    if (value.body || value.sources.has(source) || extracted.length >= VALUES_PER_SENDER_MAX) return;
    const { clock, n, signal } = this.#session;
    const turnMs = clock.now() + (value.sources.size * this.#options.roundMs) / (4 * n);
    value.sources.add(source);
    const pull = async () => {
      await clock.until(turnMs, signal);
      if (value.body) return;
      const body = await this.#session.fetch(value.digest, [source], value.length);
      if (body.length !== value.length) return; // the sender signed a wrong length: nobody can hold this value
      value.body ??= body;
      if (!this.#over.signal.aborted) this.#tryExtract(value);
    };
    pull().catch(() => undefined); // this source is away or has nothing: the others have their turn
  }

  #tryExtract(value: Value): void {
    const round = this.#round();
    const { extracted } = this.#slotOf(value.sender);
    if (round > this.#rounds || value.signatures.size < round || extracted.includes(value)) return;
    if (extracted.length >= VALUES_PER_SENDER_MAX) return;
    if (!value.body && round < this.#rounds) return;
    extracted.push(value);
    if (round === this.#rounds) return;
    if (value.body) this.#session.offer(value.body);
    const { self, id } = this.#session;
    value.signatures.set(self, signStatement(this.#session, claimSubject(id, this.#slot, self, value)));
    this.#toRelay.push(value);
    this.#tryHold();
  }

  /**
   * Once one value of every party is here in round 1, says so. If all say the same it is what everybody delivers: each
   * honest party holds it, and hears of it in time from the first honest one that knows.
   */
  #tryHold(): void {
    if (this.#held || this.#round() > 1) return;
    const held = new Map<PartyId, Uint8Array>();
    const claims: Claim[] = [];
    for (const [sender, { values, extracted }] of this.#slots) {
      const [value] = extracted;
      if (!value?.body || values.size > 1) return;
      held.set(sender, value.body);
      claims.push(value);
    }
    this.#held = held;
    const { n } = this.#session;
    const limits = { deadlineMs: this.#closesMs };
    collectSignatures(
      this.#session,
      heldTag(this.#slot),
      LABELS.broadcastHeld,
      unanimousDigest(claims),
      n,
      limits,
    ).then(
      (certificate) => this.#unanimity.follow(certificate),
      () => undefined, // somebody is away, slow or lies: the rounds decide
    );
  }

  /** Last round: what waited for its body is extracted now if it has enough signatures. */
  #extractWithoutBody(): void {
    for (const { values } of this.#slots.values()) for (const value of values.values()) this.#tryExtract(value);
  }

  #relay(round: number): void {
    const chains = this.#toRelay;
    this.#toRelay = [];
    if (chains.length > 0) this.#session.sendAll(roundTag(this.#slot, round), encodeBatch(chains));
  }

  async #deliver(): Promise<Map<PartyId, Uint8Array>> {
    const deliveries = [...this.#slots].map(
      async ([sender, { extracted }]): Promise<[PartyId, Uint8Array] | undefined> => {
        const [value, second] = extracted;
        if (value && !second) return [sender, value.body ?? (await this.#pullWithoutLimit(value))];
        if (!value) this.#session.report({ party: sender, kind: 'silent', detail: `${this.#slot}: no broadcast` });
        return undefined;
      },
    );
    const delivered = await Promise.all(deliveries);
    return new Map(delivered.filter((entry) => entry !== undefined));
  }

  /** One of the signers is honest and has the body. */
  #pullWithoutLimit({ digest, length, signatures }: Value): Promise<Uint8Array> {
    const from = [...signatures.keys()].sort((left, right) => left - right);
    const everyMs = this.#options.roundMs;
    return fetchPatiently(this.#session, { hash: digest, from, bytesMax: length, everyMs });
  }

  #slotOf(sender: PartyId): Slot {
    const slot = this.#slots.get(sender);
    if (!slot) throw new RangeError(`broadcast: no party ${sender}`);
    return slot;
  }

  #reportMalformed(party: PartyId, problem: string): void {
    this.#session.report({ party, kind: 'malformed', detail: `${this.#slot}: ${problem}` });
  }
}

function keyOf({ length, digest }: Claim): string {
  return `${length}/${toHex(digest)}`;
}
