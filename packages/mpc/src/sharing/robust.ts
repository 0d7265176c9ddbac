/**
 * Robust opening of degree-t sharings (SPEC R15; docs/protocols/sharing.md, steps S1..S3): a value is accepted only when
 * 2t+1 received shares lie on one polynomial of degree t. t+1 of them are honest, so it is the right one, whoever else
 * lies, in any network. With n >= 3t+1 honest parties alone suffice: an answer always comes, and liars are named.
 */
import type { Kernel } from '@keyquorum/kernel/kernel';
import type { Session } from '../session.ts';
import type { PartyId } from '../transport.ts';
import { type AlgebraName, type Batches, elementCount, fromWire, openShares, toWire, wireBytes } from './algebra.ts';

export interface RobustOpening<E> {
  readonly values: E;
  /** Parties whose share of some element is off the accepted polynomial. */
  readonly wrong: readonly PartyId[];
}

type Shares<A extends AlgebraName> = readonly (readonly [PartyId, Batches[A]])[];

/**
 * The opened values if 2t+1 of the shares agree on every element, else undefined: wait for more shares. Whoever is off on
 * one element is dropped for the whole batch. Cost: one matrix product when nobody lies; with a liar at most
 * C(shares, t) small ones.
 */
export function decodeRobust<A extends AlgebraName>(
  kernel: Kernel,
  algebra: A,
  shares: ReadonlyMap<PartyId, Batches[A]>,
  t: number,
): RobustOpening<Batches[A]> | undefined {
  let trusted: Shares<A> = [...shares].sort(([left], [right]) => left - right);
  for (;;) {
    if (trusted.length < 2 * t + 1) return undefined;
    const { values, firstInconsistent } = openShares(kernel, algebra, trusted, t);
    if (firstInconsistent < 0) {
      return { values, wrong: [...shares.keys()].filter((party) => !trusted.some(([each]) => each === party)) };
    }
    const element = trusted.map(([party, batch]) => [party, oneElement(kernel, algebra, batch, firstInconsistent)] as const);
    const liars = findLiars(kernel, algebra, element, t);
    if (liars === undefined) return undefined;
    trusted = trusted.filter(([party]) => !liars.includes(party));
  }
}

/** The smallest set of parties without which the shares of one element agree and are still 2t+1. */
function findLiars<A extends AlgebraName>(kernel: Kernel, algebra: A, shares: Shares<A>, t: number): PartyId[] | undefined {
  const mostLiars = shares.length - (2 * t + 1);
  for (let size = 1; size <= Math.min(t, mostLiars); size++) {
    for (const excluded of combinations(shares, size)) {
      const rest = shares.filter((each) => !excluded.includes(each));
      if (openShares(kernel, algebra, rest, t).firstInconsistent < 0) return excluded.map(([party]) => party);
    }
  }
  return undefined;
}

function* combinations<T>(items: readonly T[], size: number, from = 0): Generator<T[]> {
  if (size === 0) return yield [];
  for (let index = from; index <= items.length - size; index++) {
    for (const rest of combinations(items, size - 1, index + 1)) yield [items[index]!, ...rest];
  }
}

function oneElement<A extends AlgebraName>(kernel: Kernel, algebra: A, batch: Batches[A], index: number): Batches[A] {
  const bytes = batch.length / elementCount(kernel, algebra, batch);
  return batch.slice(index * bytes, (index + 1) * bytes) as Uint8Array as Batches[A];
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
 * Sends the own shares to all (S1), collects (S2) and accepts (S3). Reports whoever is off the accepted polynomial, also
 * when the share comes later. Wire: ring elements as they are, GF(16) two per byte.
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
  const count = elementCount(kernel, algebra, mine);
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
    checkLate(session, tag, algebra, late).catch(() => undefined); // ends with the session
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
  const accepted = [...late.shares].filter(([party]) => !late.wrong.includes(party)).slice(0, session.t + 1);
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
