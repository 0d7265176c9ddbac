/**
 * The set families behind pseudo-random secret sharing (docs/protocols/sharing.md). Every set A has one key that
 * exactly its members know, and one polynomial f_A with f_A(0) = 1 that vanishes at every party outside A; a value is
 * the sum of PRF outputs times f_A, so each party computes its share alone. Whatever t parties are corrupt, some set
 * has no corrupt member, and its term hides the value.
 */
import type { Roster } from '../roster.ts';
import type { PartyId } from '../transport.ts';

export type FamilyName = 'C' | 'A2';

export interface Family {
  readonly name: FamilyName;
  readonly n: number;
  /** Degree of the sharings: t for C, 2t for A2. */
  readonly degree: number;
  /** Members of every set, ascending. The index of a set is its name. */
  readonly subsets: readonly (readonly PartyId[])[];
}

/** All (n-t)-subsets, degree t: 4, 21, 715 sets for 4/1, 7/2, 13/4. */
export function familyC({ n, t }: Pick<Roster, 'n' | 't'>): Family {
  return { name: 'C', n, degree: t, subsets: subsetsOf(range(1, n), n - t) };
}

/**
 * Sets of n-2t parties, degree 2t, one of which has no corrupt member. For noise that is opened at degree 2t anyway; it
 * cannot make zero sharings. n = 3t+1: all (t+1)-subsets of each half, since t corrupt parties leave t+1 honest ones in
 * one half: 2, 5, 27 sets. Otherwise parties stand in pairs, and t of the pairs are left out.
 */
export function familyA2({ n, t }: Pick<Roster, 'n' | 't'>): Family {
  const parties = range(1, n);
  const middle = Math.ceil(n / 2);
  const subsets =
    n === 3 * t + 1
      ? [range(1, middle), range(middle + 1, n)].flatMap((half) => subsetsOf(half, t + 1))
      : subsetsOf(range(1, middle), t).map((pairs) => parties.filter((party) => !pairs.includes(Math.ceil(party / 2))));
  return { name: 'A2', n, degree: 2 * t, subsets };
}

/** Indices of the sets that contain the party, ascending. */
export function subsetsWith(family: Family, party: PartyId): number[] {
  return family.subsets.flatMap((subset, index) => (subset.includes(party) ? [index] : []));
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}

/** All subsets of `size`, in lexicographic order. */
function subsetsOf(items: readonly number[], size: number): number[][] {
  if (size === 0) return [[]];
  return items.flatMap((first, index) => subsetsOf(items.slice(index + 1), size - 1).map((rest) => [first, ...rest]));
}
