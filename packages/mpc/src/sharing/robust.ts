/**
 * Robust opening of degree-t sharings (SPEC R15; docs/protocols/sharing.md, steps S1..S3): a value is accepted only
 * when 2t+1 received shares lie on one polynomial of degree t. t+1 of them are honest, so it is the right one, whoever
 * else lies, in any network. The n-t >= 2t+1 honest parties suffice for an answer, and liars are named.
 */
import { ELEMENT_BYTES } from '@keyquorum/kernel/batch';
import type { Kernel } from '@keyquorum/kernel/kernel';
import { locateErrors, lowestDifferences } from '@keyquorum/kernel/locate-errors';
import type { Session } from '../session.ts';
import type { PartyId } from '../transport.ts';
import {
  type AlgebraName,
  type Batches,
  elementAt,
  elementCount,
  fromWire,
  openShares,
  predictShares,
  type Shares,
  toWire,
  wireBytes,
} from './algebra.ts';

const COORDINATES = 4;

export interface RobustOpening<E> {
  readonly values: E;
  /** Parties whose share of some element is off the accepted polynomial. */
  readonly wrong: readonly PartyId[];
}

/**
 * The opened values if 2t+1 of the shares agree on every element, else undefined: wait for more shares. Whoever is off
 * on one element is dropped for the whole batch. Cost: one matrix product when nobody lies, and one more per liar.
 *
 * While at most t parties lie and 2t+1 agreeing shares are there, an element has at most (m-t-1)/2 wrong ones among its
 * m, so every party dropped below did lie; in any other case what is left may not agree, and then nothing is accepted.
 */
export function decodeRobust<A extends AlgebraName>(
  kernel: Kernel,
  algebra: A,
  shares: ReadonlyMap<PartyId, Batches[A]>,
  t: number,
): RobustOpening<Batches[A]> | undefined {
  let trusted: Shares<A> = [...shares].sort(([left], [right]) => left - right);
  while (trusted.length >= 2 * t + 1) {
    const { values, firstInconsistent } = openShares(kernel, algebra, trusted, t);
    if (firstInconsistent < 0) {
      const kept = new Set(trusted.map(([party]) => party));
      return { values, wrong: [...shares.keys()].filter((party) => !kept.has(party)) };
    }
    const element = trusted.map(([party, batch]) => [party, elementAt(algebra, batch, firstInconsistent)] as const);
    const liars = findLiars(kernel, algebra, element, t);
    if (liars === undefined) return undefined;
    trusted = trusted.filter(([party]) => !liars.includes(party));
  }
  return undefined;
}

/**
 * Parties with a wrong share of one element, at least one of them. The errors of a ring element are reduced to GF(16)
 * at the lowest bit where any of them shows (docs/protocols/sharing.md).
 */
function findLiars<A extends AlgebraName>(
  kernel: Kernel,
  algebra: A,
  element: Shares<A>,
  t: number,
): PartyId[] | undefined {
  const parties = element.map(([party]) => party);
  const word = new Array<number>(t + 1).fill(0); // relative to the polynomial through the first t+1 shares
  word.push(...errorsOf(algebra, predictShares(kernel, algebra, element, t)));
  return locateErrors(parties, word, t)?.map((index) => parties[index]!);
}

/** One error of GF(16) per pair, at least one of them not 0 when the elements are not all equal. */
function errorsOf(algebra: AlgebraName, pairs: readonly (readonly [Uint8Array, Uint8Array])[]): number[] {
  if (algebra === 'gf16') return pairs.map(([[left = 0], [right = 0]]) => left ^ right);
  return lowestDifferences(pairs, ELEMENT_BYTES[algebra] / COORDINATES);
}

export interface RobustOptions {
  readonly deadlineMs?: number;
}

/** Not enough agreeing shares before the deadline: more than t parties are silent or lie. */
export class RobustOpeningError extends Error {
  override readonly name = 'RobustOpeningError';
  readonly code = 'OPENING_TOO_FEW';
  /** Parties nobody heard from. */
  readonly silent: readonly PartyId[];
  constructor(tag: string, silent: readonly PartyId[]) {
    super(`${tag}: fewer than 2t+1 agreeing shares before the deadline; silent: ${silent.join(', ') || 'nobody'}`);
    this.silent = silent;
  }
}

/**
 * Sends the own shares to all (S1), collects (S2) and accepts (S3). Reports whoever is off the accepted polynomial,
 * also when the share comes later. Wire: ring elements as they are, GF(16) two per byte.
 * @throws RobustOpeningError, or the session's reason when it ends
 */
export async function openRobust<A extends AlgebraName>(
  session: Session,
  tag: string,
  algebra: A,
  mine: Batches[A],
  { deadlineMs }: RobustOptions = {},
): Promise<Batches[A]> {
  const { kernel, t } = session;
  const count = elementCount(algebra, mine);
  session.sendAll(tag, toWire(kernel, algebra, mine)); // S1
  const shares = new Map<PartyId, Batches[A]>([[session.self, mine]]);
  const limits = { bytesMax: wireBytes(algebra, count), ...(deadlineMs !== undefined && { deadlineMs }) };
  const arrivals = session.receive(tag, limits)[Symbol.asyncIterator]();
  for (;;) {
    const next = await arrivals.next(); // S2
    if (next.done) break;
    const share = readShare(session, tag, algebra, next.value, count);
    if (share === undefined) continue;
    shares.set(next.value.from, share);
    if (shares.size < 2 * t + 1) continue;
    const opening = decodeRobust(kernel, algebra, shares, t); // S3
    if (opening === undefined) continue;
    for (const party of opening.wrong) session.report({ party, kind: 'wrong-share', detail: tag });
    const late = { arrivals, shares, wrong: opening.wrong, count };
    checkLate(session, tag, algebra, late).catch((error) => session.close(error)); // or the session has ended already
    return opening.values;
  }
  const silent = Array.from({ length: session.n }, (_, index) => index + 1).filter((party) => !shares.has(party));
  throw new RobustOpeningError(tag, silent);
}

/** Shares that come after the result are compared with it, so that a slow liar is named too. */
async function checkLate<A extends AlgebraName>(
  session: Session,
  tag: string,
  algebra: A,
  late: {
    arrivals: AsyncIterator<{ from: PartyId; body: Uint8Array }>;
    shares: Map<PartyId, Batches[A]>;
    wrong: readonly PartyId[];
    count: number;
  },
): Promise<void> {
  // Without the own share, whose owner may have erased it by now: 2t others agreed, and t+1 of them are enough.
  const witnesses = [...late.shares].filter(([party]) => party !== session.self && !late.wrong.includes(party));
  const accepted = witnesses.slice(0, session.t + 1);
  for (let next = await late.arrivals.next(); !next.done; next = await late.arrivals.next()) {
    const { from } = next.value;
    const share = readShare(session, tag, algebra, next.value, late.count);
    if (share === undefined) continue;
    const { firstInconsistent } = openShares(session.kernel, algebra, [...accepted, [from, share]], session.t);
    if (firstInconsistent >= 0) session.report({ party: from, kind: 'wrong-share', detail: tag });
  }
}

/** Undefined, and a report, when the sender broke the format. */
function readShare<A extends AlgebraName>(
  session: Session,
  tag: string,
  algebra: A,
  { from, body }: { from: PartyId; body: Uint8Array },
  count: number,
): Batches[A] | undefined {
  if (body.length === wireBytes(algebra, count)) {
    try {
      return fromWire(session.kernel, algebra, body, count);
    } catch {
      // not field elements: told below
    }
  }
  session.report({ party: from, kind: 'malformed', detail: `${tag}: not ${count} shares` });
  return undefined;
}
