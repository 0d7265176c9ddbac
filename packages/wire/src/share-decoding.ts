/**
 * Robust opening of degree-t shares without the WebAssembly kernel, for clients: what 2t+1 authenticated shares agree
 * on is right while at most t parties lie, because t+1 of them are honest (docs/protocols/sharing.md, step S3). BigInt
 * on the client's own values: a cold path of at most 32 elements per value and 15 parties.
 */
import type { Gr128 } from '@keyquorum/kernel/batch';
import { decodeGr128, encodeGr128, GR_ZERO, type GrElement, grAdd, grMul } from '@keyquorum/kernel/gr';
import { openingMatrix } from '@keyquorum/kernel/lagrange';
import { locateErrors, lowestDifferences } from '@keyquorum/kernel/locate-errors';

const WORD_BYTES = 16;
const BITS = 128;

export interface DecodedShares {
  readonly elements: readonly GrElement[];
  /** Parties whose share of some element is off the accepted polynomial, ascending. */
  readonly wrong: readonly number[];
}

interface PartyShare {
  readonly party: number;
  readonly elements: readonly GrElement[];
}

/**
 * The shared elements if 2t+1 of the shares agree on every one, else undefined: ask for more shares. Shares are equally
 * long. Whoever is off on one element is dropped for all. Cost: (m-t)(t+1) ring products per element and round, m
 * shares; one round when nobody lies.
 */
export function decodeShares(shares: ReadonlyMap<number, Gr128>, threshold: number): DecodedShares | undefined {
  let trusted: readonly PartyShare[] = [...shares]
    .map(([party, batch]) => ({ party, elements: decodeGr128(batch) }))
    .sort((left, right) => left.party - right.party);
  while (trusted.length >= 2 * threshold + 1) {
    const opening = open(trusted, threshold);
    if ('elements' in opening) {
      const kept = new Set(trusted.map(({ party }) => party));
      const wrong = [...shares.keys()].filter((party) => !kept.has(party)).sort((left, right) => left - right);
      return { elements: opening.elements, wrong };
    }
    const liars = findLiars(trusted, opening.errors, threshold);
    if (liars === undefined) return undefined;
    trusted = trusted.filter(({ party }) => !liars.has(party));
  }
  return undefined;
}

/**
 * The elements, or for the first one on which the shares disagree, the shares beyond the first t+1 as they are and as
 * the first t+1 predict them.
 */
function open(
  trusted: readonly PartyShare[],
  threshold: number,
): { readonly elements: GrElement[] } | { readonly errors: [Uint8Array, Uint8Array][] } {
  const points = trusted.map(({ party }) => party);
  const weights = decodeGr128(openingMatrix(points, threshold, 'gr128').elements);
  const basis = trusted.slice(0, threshold + 1);
  const rest = trusted.slice(threshold + 1);
  const rowAt = (row: number, index: number) =>
    basis.reduce((sum, { elements }, column) => {
      return grAdd(sum, grMul(weights[row * basis.length + column]!, elements[index]!, BITS), BITS);
    }, GR_ZERO);
  const opened: GrElement[] = [];
  for (let index = 0; index < basis[0]!.elements.length; index++) {
    const pairs = rest.map(({ elements }, k) => [elements[index]!, rowAt(k + 1, index)] as const);
    if (pairs.some(([got, want]) => got.some((coefficient, k) => coefficient !== want[k]))) {
      return { errors: pairs.map(([got, want]) => [encodeGr128([got]), encodeGr128([want])]) };
    }
    opened.push(rowAt(0, index));
  }
  return { elements: opened };
}

/** Parties with a wrong share of the element, at least one; undefined when no polynomial is near enough. */
function findLiars(
  trusted: readonly PartyShare[],
  errors: readonly (readonly [Uint8Array, Uint8Array])[],
  threshold: number,
): ReadonlySet<number> | undefined {
  const parties = trusted.map(({ party }) => party);
  const word = new Array<number>(threshold + 1).fill(0); // relative to the polynomial through the first t+1 shares
  word.push(...lowestDifferences(errors, WORD_BYTES));
  const places = locateErrors(parties, word, threshold);
  return places && new Set(places.map((index) => parties[index]!));
}
