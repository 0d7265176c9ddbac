/**
 * Replicated reservations (SPEC R4, O13): before its first echo in a segment of a stripe, a party has that fact signed
 * and stored durably here and by n-1-t others (2t for n = 3t+1); after a reboot it asks all others and starts behind
 * what they remember. 2t storers and 2t+1 answers share t+1 parties, so an honest one always knows. A restored backup
 * is covered by the same rule.
 */
import { decode, encode, u8, u32 } from '@keyquorum/codec/codec';
import { fixedBytes, struct, vector } from '@keyquorum/codec/composites';
import { digestSubject } from '@keyquorum/mpc/agreement/certificate';
import { fromHex, HASH_BYTES, toHex } from '@keyquorum/mpc/bytes';
import { LABELS } from '@keyquorum/mpc/labels';
import type { Party } from '@keyquorum/mpc/party';
import { partiesOf } from '@keyquorum/mpc/roster';
import { type Subject, signStatement, verifyStatement } from '@keyquorum/mpc/runtime/statement';
import type { Exchange, PartyId, SessionId } from '@keyquorum/mpc/transport';
import { ask } from '../ask.ts';
import type { Ledger, Stripe } from './ledger.ts';

/** Bundles of one segment. Small, because a reboot gives up what is left of every segment reserved before. */
export const SEGMENT_BUNDLES = 64;
const RESERVATIONS_MAX = 4096;
const RETRY_MS = 1000;
/** Whoever has not answered by then is asked again. */
const ANSWER_LIMIT_MS = 5_000;

const STRIPES_MAX = 16;

const reservationCodec = struct({ batch: fixedBytes(32), owner: u8, segment: u32, signature: fixedBytes(64) });
const listCodec = vector(reservationCodec, RESERVATIONS_MAX);
const RESERVATION_BYTES = 32 + 1 + 4 + 64;
const claimsCodec = vector(reservationCodec, STRIPES_MAX);
const reserveExchange: Exchange = {
  name: 'pool/reserve',
  requestBytesMax: 8 + STRIPES_MAX * RESERVATION_BYTES,
  responseBytesMax: 1,
};
const recallExchange: Exchange = {
  name: 'pool/recall',
  requestBytesMax: 0,
  responseBytesMax: 8 + RESERVATIONS_MAX * RESERVATION_BYTES,
};

export interface Reservations {
  /**
   * Resolves when this party may echo on bundles of the stripe below `high`; asks for the next segment ahead of need.
   */
  cover(stripe: Stripe, high: number): Promise<void>;
  /** Reserves the first segment of these stripes before anybody needs it, with one message per party. */
  prefetch(stripes: readonly Stripe[]): void;
  /**
   * After a reboot: asks every other party until 2t+1 have answered, then moves the watermarks of `stripes` behind all
   * remembered segments. Until it resolves the caller echoes on none of them.
   */
  recall(stripes: readonly Stripe[]): Promise<void>;
  forgetBatch(batch: SessionId): void;
}

export function createReservations(party: Party, ledger: Ledger, signal: AbortSignal): Reservations {
  const { roster, self, transport, clock } = party;
  const others = partiesOf(roster).filter((id) => id !== self);
  /** Highest segment whose reservation is stored by enough others, or being stored, per stripe. */
  const stored = new Map<string, Promise<void>[]>();

  transport.serve(reserveExchange, async (from, body) => {
    if (ledger.reservationsOf(from).length > RESERVATIONS_MAX - STRIPES_MAX) throw new Error('too many reservations');
    for (const { batch, owner, segment, signature } of decode(claimsCodec, body)) {
      const claim = { batch: toHex(batch), owner, segment };
      if (!verifyStatement(roster, from, reserveSubject(claim), signature)) throw new Error('bad signature');
      ledger.storeReservation(from, claim.batch, owner, segment, signature);
    }
    await ledger.sync();
    return Uint8Array.of(1);
  });
  transport.serve(recallExchange, async (from) => {
    const entries = ledger.reservationsOf(from);
    return encode(
      listCodec,
      entries.map(({ batch, ...rest }) => ({ ...rest, batch: fromHex(batch) })),
    );
  });

  function segmentsOf({ batch, owner }: Stripe): Promise<void>[] {
    const key = `${batch}/${owner}`;
    const segments = stored.get(key) ?? [];
    stored.set(key, segments);
    return segments;
  }

  function reserve(stripe: Stripe, segment: number): Promise<void> {
    const segments = segmentsOf(stripe);
    const known = segments[segment];
    if (known !== undefined) return known;
    const storing = storeAtOthers([{ batch: stripe.batch, owner: stripe.owner, segment }]);
    storing.catch(() => undefined); // awaited by whoever needs the segment
    segments[segment] = storing;
    return storing;
  }

  async function storeAtOthers(claims: readonly Claim[]): Promise<void> {
    const signed = claims.map((claim) => ({
      ...claim,
      batch: fromHex(claim.batch),
      signature: signStatement(party, reserveSubject(claim)),
    }));
    const body = encode(claimsCodec, signed);
    for (const { owner, segment, signature, batch } of signed) {
      ledger.storeReservation(self, toHex(batch), owner, segment, signature);
    }
    const atOthers = fromEnough(roster.n - 1 - roster.t, (to) =>
      ask(party, { to, exchange: reserveExchange, body, limitMs: ANSWER_LIMIT_MS, signal }),
    );
    await Promise.all([ledger.sync(), atOthers]);
  }

  /** Asks all others again and again until `wanted` of them have answered. */
  async function fromEnough<T>(wanted: number, ask: (to: PartyId) => Promise<T>): Promise<Map<PartyId, T>> {
    const answers = new Map<PartyId, T>();
    while (answers.size < wanted) {
      const missing = others.filter((id) => !answers.has(id));
      let enough: () => void = () => undefined;
      const reached = new Promise<void>((resolve) => (enough = resolve));
      const asked = missing.map(async (id) => {
        const answer = await ask(id).catch(() => undefined); // down or refusing: asked again in the next pass
        if (answer !== undefined) answers.set(id, answer);
        if (answers.size >= wanted) enough();
      });
      await Promise.race([Promise.all(asked), reached]);
      if (answers.size < wanted) await clock.until(clock.now() + RETRY_MS, signal);
    }
    return answers;
  }

  return {
    async cover(stripe, high) {
      const last = Math.floor((high - 1 - stripe.low) / SEGMENT_BUNDLES);
      const needed = Array.from({ length: last + 1 }, (_, segment) => reserve(stripe, segment));
      const ahead = stripe.low + (last + 1) * SEGMENT_BUNDLES;
      if (ahead < stripe.high) reserve(stripe, last + 1);
      await Promise.all(needed);
    },
    prefetch(stripes) {
      const storing = storeAtOthers(stripes.map(({ batch, owner }) => ({ batch, owner, segment: 0 })));
      storing.catch(() => undefined); // awaited by whoever needs the segments
      for (const stripe of stripes) segmentsOf(stripe)[0] ??= storing;
    },
    async recall(stripes) {
      const recallQuestion = { exchange: recallExchange, body: new Uint8Array(0), limitMs: ANSWER_LIMIT_MS, signal };
      const answers = await fromEnough(2 * roster.t + 1, async (to) =>
        decode(listCodec, await ask(party, { ...recallQuestion, to })),
      );
      const told = [...answers.values()].flat().map((each) => ({ ...each, batch: toHex(each.batch) }));
      for (const { signature, ...claim } of [...told, ...ledger.reservationsOf(self)]) {
        // Only my own signature counts: a liar can hide a reservation (others remember it) but cannot invent one.
        if (!verifyStatement(roster, self, reserveSubject(claim), signature)) continue;
        const stripe = stripes.find((each) => each.batch === claim.batch && each.owner === claim.owner);
        if (stripe === undefined) continue;
        const bundle = stripe.low + (claim.segment + 1) * SEGMENT_BUNDLES;
        ledger.skipTo(stripe, bundle, stripe.owner === self ? 'self' : 'other');
      }
      await ledger.sync();
    },
    forgetBatch(batch) {
      for (const key of [...stored.keys()]) if (key.startsWith(`${batch}/`)) stored.delete(key);
    },
  };
}

interface Claim {
  readonly batch: SessionId;
  readonly owner: PartyId;
  readonly segment: number;
}

function reserveSubject({ batch, owner, segment }: Claim): Subject {
  return digestSubject(LABELS.reserve, batch, `reserve/${owner}/${segment}`, new Uint8Array(HASH_BYTES));
}
