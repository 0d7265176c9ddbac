/**
 * Openings of shares that are a function of agreed content: whoever has admitted the content can make them again, so
 * nothing needs to be bound or remembered. Shares are pushed in a session of the content's name (one round), and a
 * party that misses some, because it was away or came back, asks the others for them: theirs are what they were.
 * Robust of degree t (docs/protocols/sharing.md, S1..S3), whichever way the shares come.
 */
import { ELEMENT_BYTES, type Gr128 } from '@keyquorum/kernel/batch';
import { fromHex, HASH_BYTES, toHex } from '@keyquorum/mpc/bytes';
import type { Party } from '@keyquorum/mpc/party';
import { partiesOf } from '@keyquorum/mpc/roster';
import { SessionError } from '@keyquorum/mpc/runtime/session-error';
import type { Fault, Session } from '@keyquorum/mpc/session';
import { fromWire } from '@keyquorum/mpc/sharing/algebra';
import { decodeRobust, openRobust, RobustOpeningError } from '@keyquorum/mpc/sharing/robust';
import type { Exchange, PartyId, SessionId } from '@keyquorum/mpc/transport';
import { ask } from '../ask.ts';

/** Whoever has nothing by then asks the others, and again after every such time. */
const PULL_MS = 2_000;
const ANSWER_LIMIT_MS = 5_000;
/** Late shares of liars are still looked at, and slow parties answered. */
const LINGER_MS = 15_000;
export const SHARES_TAG = 'content';
/** Far above the shares of the largest request: 8192 blocks. */
const SHARES_BYTES_MAX = 2 ** 20;

const sharesExchange: Exchange = {
  name: 'decryption/shares',
  requestBytesMax: HASH_BYTES,
  responseBytesMax: SHARES_BYTES_MAX,
};

export interface ContentOpening {
  /** Names the content that the shares are a function of, at all parties. */
  readonly id: SessionId;
  /** Stays the caller's; a copy is kept until `forget`. */
  readonly shares: Gr128;
  readonly deadlineMs: number;
  readonly onFault: (fault: Fault) => void;
}

export interface ContentOpenings {
  /**
   * The values behind the shares. Opening the same content again, also at the same time, is allowed.
   * @throws RobustOpeningError after the deadline, or the signal's reason
   */
  open(opening: ContentOpening): Promise<Gr128>;
  /** Erases what was kept: others that ask later are refused. */
  forget(id: SessionId): void;
}

export function createContentOpenings(party: Party, signal: AbortSignal): ContentOpenings {
  const { roster, kernel, clock, self, transport } = party;
  const kept = new Map<SessionId, Gr128>();
  transport.serve(sharesExchange, async (_, body) => {
    const shares = kept.get(toHex(body));
    if (shares === undefined) throw new Error('not admitted here, or not yet');
    return new Uint8Array(shares);
  });

  /** Undefined when the session is of an earlier attempt: the others have sent what they had to send. */
  function openSession(id: SessionId, onFault: (fault: Fault) => void): Session | undefined {
    try {
      return party.open(id, { signal, onFault });
    } catch (error) {
      if (error instanceof SessionError && error.code === 'SESSION_ID_USED') return undefined;
      throw error;
    }
  }

  async function pushed(session: Session, { shares, deadlineMs }: ContentOpening): Promise<Gr128> {
    try {
      return await openRobust(session, SHARES_TAG, 'gr128', shares, { deadlineMs });
    } finally {
      const closed = clock.until(clock.now() + LINGER_MS, signal).then(() => session.close());
      closed.catch(() => undefined); // the party stops
    }
  }

  /** Asks until enough agree, first at `at`. */
  async function pulled(opening: ContentOpening, at: number, ended: AbortSignal): Promise<Gr128> {
    const { id, shares, deadlineMs, onFault } = opening;
    const heard = new Map<PartyId, Gr128>([[self, shares]]);
    for (let askMs = at; askMs < deadlineMs; askMs = clock.now() + PULL_MS) {
      await clock.until(askMs, ended);
      const missing = partiesOf(roster).filter((peer) => !heard.has(peer) && transport.isUp(peer));
      const answers = missing.map(async (peer) => {
        const question = { to: peer, exchange: sharesExchange, body: fromHex(id), limitMs: ANSWER_LIMIT_MS };
        const answer = await ask(party, { ...question, signal: ended }).catch(() => undefined); // asked again later
        if (answer === undefined) return;
        if (answer.length === shares.length) {
          heard.set(peer, fromWire(kernel, 'gr128', answer, shares.length / ELEMENT_BYTES.gr128));
        } else onFault({ party: peer, kind: 'malformed', detail: 'shares of another length' });
      });
      await Promise.race([Promise.all(answers), clock.until(clock.now() + ANSWER_LIMIT_MS, ended)]);
      const opened = decodeRobust(kernel, 'gr128', heard, roster.t);
      for (const wrong of opened?.wrong ?? []) onFault({ party: wrong, kind: 'wrong-share', detail: 'asked for' });
      if (opened !== undefined) return opened.values;
    }
    await clock.until(deadlineMs, ended);
    throw new RobustOpeningError(
      SHARES_TAG,
      partiesOf(roster).filter((peer) => !heard.has(peer)),
    );
  }

  return {
    async open(opening) {
      const { id, shares, onFault } = opening;
      if (shares.length > SHARES_BYTES_MAX) throw new RangeError(`${shares.length} bytes of shares in one opening`);
      kept.set(id, new Uint8Array(shares) as Uint8Array as Gr128);
      const ended = new AbortController();
      const session = openSession(id, onFault);
      const pulling = pulled(
        opening,
        session ? clock.now() + PULL_MS : clock.now(),
        AbortSignal.any([signal, ended.signal]),
      );
      pulling.catch(() => undefined); // lost the race, or the party stops
      try {
        return await Promise.race(session ? [pushed(session, opening), pulling] : [pulling]);
      } finally {
        ended.abort();
      }
    },
    forget(id) {
      kept.get(id)?.fill(0);
      kept.delete(id);
    },
  };
}
