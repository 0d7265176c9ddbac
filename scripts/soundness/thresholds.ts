/**
 * The counting arguments behind the protocols, checked for every network that can be configured
 * (docs/protocols/README.md): distances of codes, overlaps of quorums, sets without a corrupt member.
 */
import { type Family, familyA2, familyC } from '@keyquorum/mpc/prss/family';
import { quorumOf } from '@keyquorum/mpc/roster';

export interface Size {
  readonly n: number;
  readonly t: number;
}

/** Every n and t that a roster may have: 4 <= n <= 15, n >= 3t+1. */
export function allSizes(): Size[] {
  const sizes: Size[] = [];
  for (let n = 4; n <= 15; n++) for (let t = 1; 3 * t + 1 <= n; t++) sizes.push({ n, t });
  return sizes;
}

/** The arguments that fail for this size; empty when all hold. */
export function brokenArguments({ n, t }: Size): string[] {
  const quorum = quorumOf({ network: '', n, t, publicKeys: [] });
  const [storers, answers] = [n - 1 - t, 2 * t + 1];
  const claims: [string, boolean][] = [
    ['t errors in n shares of degree 2t are always seen: n - 2t > t', n - 2 * t > t],
    ['honest parties alone open degree t: n - t >= 2t + 1', n - t >= 2 * t + 1],
    ['2t+1 agreeing shares hold t+1 honest ones: 2t + 1 - t > t', 2 * t + 1 - t > t],
    ['two quorums share an honest party: 2q - n > t', 2 * quorum - n > t],
    ['honest parties alone are a quorum: n - t >= q', n - t >= quorum],
    ['reservations and recall share an honest party', storers + answers - (n - 1) > t],
    ['family C always has a set without corrupt members', hasCleanSet(familyC({ n, t }), t)],
    ['family A2 always has a set without corrupt members', hasCleanSet(familyA2({ n, t }), t)],
    ['a clean set of C keeps t+1 honest contributions when t senders are lost: n - 2t > t', n - t - t > t],
  ];
  return claims.filter(([, holds]) => !holds).map(([claim]) => claim);
}

/** True when every choice of t corrupt parties misses some set entirely. */
function hasCleanSet({ n, subsets }: Family, t: number): boolean {
  const sets = subsets.map((subset) => subset.reduce((mask, party) => mask | (1 << party), 0));
  return masks(n, t).every((corrupt) => sets.some((set) => (set & corrupt) === 0));
}

/** All sets of `size` of the parties 1..n, as bit masks. */
function masks(n: number, size: number, from = 1): number[] {
  if (size === 0) return [0];
  const found: number[] = [];
  for (let party = from; party <= n - size + 1; party++) {
    for (const rest of masks(n, size - 1, party + 1)) found.push(rest | (1 << party));
  }
  return found;
}
