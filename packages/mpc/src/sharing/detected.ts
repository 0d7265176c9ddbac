/**
 * Degree-2t values (SPEC R3; docs/protocols/sharing.md): t colluding parties are always seen when the shares of all
 * parties that are not proven corrupt are there, and are never corrected: the distance n-2t >= t+1 detects t errors and
 * no more.
 */
import type { Kernel } from '@keyquorum/kernel/kernel';
import type { PartyId } from '../transport.ts';
import { type AlgebraName, type Batches, openShares } from './algebra.ts';

export type DetectedOpening<E> =
  | { readonly kind: 'opened'; readonly values: E }
  | { readonly kind: 'incomplete'; readonly missing: readonly PartyId[] }
  /** Somebody lied; the element where it shows. Nobody can be named from the shares alone. */
  | { readonly kind: 'inconsistent'; readonly element: number };

/** `expected`: all parties that are not proven corrupt, at least n-t of them. Every element is checked exactly. */
export function decodeDetected<A extends AlgebraName>(
  kernel: Kernel,
  algebra: A,
  shares: ReadonlyMap<PartyId, Batches[A]>,
  { expected, t }: { expected: readonly PartyId[]; t: number },
): DetectedOpening<Batches[A]> {
  const missing = expected.filter((party) => !shares.has(party));
  if (missing.length > 0) return { kind: 'incomplete', missing };
  const used = expected.map((party) => [party, shares.get(party)!] as const);
  const { values, firstInconsistent } = openShares(kernel, algebra, used, 2 * t);
  return firstInconsistent < 0 ? { kind: 'opened', values } : { kind: 'inconsistent', element: firstInconsistent };
}
