/**
 * The memory that makes a bundle one-time (SPEC R4, R14, O13). Every change is a synchronous test-and-set here. What
 * must survive the process is marked ahead of its use, a segment at a time: before its first echo in a segment a party
 * has that on its own disk and on others' (reservations.ts), so an echo itself waits for no disk.
 *
 * A stripe is the part of a batch that one owner may propose. Its watermark only grows: bundles below it are spent,
 * bound or not. Because a disk can come back older than it was, the watermark alone is not trusted after a reboot:
 * before its first echo in a segment a party has its reservation of that segment stored by n-1-t others, and after a
 * reboot it starts behind every segment that 2t+1 others remember.
 */
import type { Journal } from '@keyquorum/mpc/session';
import type { PartyId, SessionId } from '@keyquorum/mpc/transport';

export interface StripeMark {
  /** Number of the newest proposal seen. */
  readonly number: number;
  /** First bundle that no proposal has taken yet, as far as this party saw, counted inside the batch. */
  readonly watermark: number;
  /** First bundle this party may still echo on: behind the watermark, and behind what an earlier life reserved. */
  readonly free: number;
}

export interface Stripe {
  readonly batch: SessionId;
  readonly owner: PartyId;
  /** Bundles [low, high) of the batch. */
  readonly low: number;
  readonly high: number;
}

/** The n stripes of a batch, in party order. Sizes differ by at most one. */
export function stripesOf(batch: SessionId, bundles: number, n: number): Stripe[] {
  return Array.from({ length: n }, (_, index) => ({
    batch,
    owner: index + 1,
    low: Math.floor((index * bundles) / n),
    high: Math.floor(((index + 1) * bundles) / n),
  }));
}

/** What one party asked another to remember: it may have echoed in every segment up to this one. */
export interface Reservation {
  readonly batch: SessionId;
  readonly owner: PartyId;
  readonly segment: number;
  readonly signature: Uint8Array;
}

export interface Ledger {
  mark(stripe: Stripe): StripeMark;
  /**
   * Takes [low, low+count) and everything below it for proposal `number`. True when this party may echo it. False, and
   * nothing taken, when the range is not behind the watermark, leaves the stripe, or the number is not new; and of a
   * retired batch, whose marks are gone.
   */
  claim(stripe: Stripe, claim: { number: number; low: number; count: number }): boolean;
  /**
   * Echoes on nothing below `bundle` (reservations of an earlier life of this process). The bundles are not spent:
   * others may bind them, and then this party sends its shares like everybody. The owner also gives up the numbers its
   * earlier proposals may have had: each took at least one bundle.
   */
  skipTo(stripe: Stripe, bundle: number, owner: 'self' | 'other'): void;
  /**
   * Remembers, for `party`, that it may have echoed inside segments 0..segment; `signature` is its own. Nothing of a
   * retired batch: this party never echoes in it again, whatever others do.
   */
  storeReservation(party: PartyId, batch: SessionId, owner: PartyId, segment: number, signature: Uint8Array): void;
  /** The newest stored reservation of `party` in every stripe. */
  reservationsOf(party: PartyId): Reservation[];
  /** Drops the marks of a spent batch and remembers, for the whole epoch, that it is never to be used again. */
  retire(batch: SessionId): void;
  isRetired(batch: SessionId): boolean;
  sync(): Promise<void>;
}

export function createLedger(journal: Journal): Ledger {
  const read = (key: string, index: number): number => {
    const bytes = journal.get(key);
    if (bytes === undefined || bytes.length < 4 * (index + 1)) return 0;
    return new DataView(bytes.buffer, bytes.byteOffset).getUint32(4 * index, true);
  };
  const write = (key: string, ...numbers: number[]): void => {
    journal.set(key, new Uint8Array(Uint32Array.from(numbers).buffer)); // little-endian on every platform Node runs on
  };
  const stripeKey = ({ batch, owner }: { batch: SessionId; owner: PartyId }): string => `stripe/${batch}/${owner}`;
  const mark = (stripe: Stripe): StripeMark => {
    const key = stripeKey(stripe);
    const watermark = Math.max(stripe.low, read(key, 1));
    return { number: read(key, 0), watermark, free: Math.max(watermark, read(key, 2)) };
  };

  const isRetired = (batch: SessionId): boolean => journal.get(`retired/${batch}`) !== undefined;

  return {
    mark,
    claim(stripe, { number, low, count }) {
      const current = mark(stripe);
      if (isRetired(stripe.batch)) return false;
      if (number <= current.number || count < 1 || low < current.watermark || low + count > stripe.high) return false;
      write(stripeKey(stripe), number, low + count, current.free);
      return low >= current.free;
    },
    skipTo(stripe, bundle, owner) {
      const current = mark(stripe);
      const free = Math.min(Math.max(bundle, current.free), stripe.high);
      const number = owner === 'self' ? Math.max(current.number, free - stripe.low) : current.number;
      write(stripeKey(stripe), number, current.watermark, free);
    },
    storeReservation(party, batch, owner, segment, signature) {
      if (isRetired(batch)) return; // of a straggler: nobody would drop it any more
      const key = `reserve/${party}/${batch}/${owner}`;
      if (journal.get(key) !== undefined && segment <= read(key, 0)) return;
      journal.set(key, Uint8Array.from([...new Uint8Array(Uint32Array.of(segment).buffer), ...signature]));
    },
    reservationsOf: (party) =>
      journal.keys(`reserve/${party}/`).map((key) => {
        const [, , batch = '', owner] = key.split('/');
        return { batch, owner: Number(owner), segment: read(key, 0), signature: journal.get(key)!.slice(4) };
      }),
    retire(batch) {
      journal.set(`retired/${batch}`, new Uint8Array(0));
      const reserved = journal.keys('reserve/').filter((key) => key.includes(`/${batch}/`));
      for (const key of [...journal.keys(`stripe/${batch}/`), ...reserved]) journal.delete(key);
    },
    isRetired,
    sync: () => journal.sync(),
  };
}
