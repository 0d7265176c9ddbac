/**
 * Is a contribution to be accepted? All checks of docs/protocols/crs.md, T2, cheap ones first. Deterministic but for a
 * chance of 2^-128 in the test of subgroups, so all honest parties come to the same answer. The lists cost about half
 * of what it takes to contribute.
 */
import type { Bls446 } from '@keyquorum/kernel/bls446';
import {
  asG1Points,
  asG2Points,
  G1_BYTES,
  G1_GENERATOR,
  type G1Points,
  G2_BYTES,
  G2_GENERATOR,
  type G2Points,
  isInfinity,
  type Scalars,
} from '@keyquorum/kernel/bls446-encoding';
import { checkPoints, combine } from './bulk.ts';
import { powersChallenge, proofChallenge } from './challenge.ts';
import { type Contribution, type ContributionHead, type CurveTools, headDigest, listsDigest } from './contribution.ts';
import { CrsError } from './crs-error.ts';
import { type CrsPoints, type CrsPosition, type CrsState, type CrsSubject, g1At, g2At, sizeOf } from './state.ts';

/** Names of the phases of a verification, for progress. */
export type VerificationStep = 'points' | 'powers';

/**
 * The state after this contribution of turn `round`.
 * @throws CrsError that names the check that failed and the party
 */
export async function verifyContribution(
  tools: CurveTools,
  subject: CrsSubject,
  base: CrsPosition,
  { round, contribution }: { readonly round: number; readonly contribution: Contribution },
): Promise<CrsState> {
  const { head, g1, g2 } = contribution;
  requireTurn(subject, base, head, round);
  requireLists(contribution);
  await requirePoints(tools, contribution, round);
  requireProof(tools.curve, subject, base, head);
  await requirePowers(tools, subject, { round, g1, g2 });
  return stateAfter(contribution);
}

/** The state after a contribution that is known to be right. */
export function stateAfter({ head, g1, g2 }: Contribution): CrsState {
  return { ...positionAfter(head), g1, g2 };
}

/**
 * A link of the chain without its lists: is its author shown to know the factor between two heads?
 * @throws CrsError
 */
export function verifyHead(curve: Bls446, subject: CrsSubject, base: CrsPosition, head: ContributionHead): CrsPosition {
  requireTurn(subject, base, head, head.round);
  const { round, first } = head;
  if (isInfinity(first)) throw new CrsError('CRS_IDENTITY', round, 'its first point is infinity');
  if (curve.g1.firstOffCurve(first) >= 0) throw new CrsError('CRS_CURVE', round, 'its first point is off the curve');
  if (curve.g1.firstOutsideSubgroup(first) >= 0) {
    throw new CrsError('CRS_SUBGROUP', round, 'its first point is outside the group');
  }
  requireProof(curve, subject, base, head);
  return positionAfter(head);
}

/**
 * The lists that the last head of a chain names: are they the powers of one number, each in its group?
 * @throws CrsError
 */
export async function verifyLists(tools: CurveTools, subject: CrsSubject, contribution: Contribution): Promise<void> {
  const { round } = contribution.head;
  requireLists(contribution);
  await requirePoints(tools, contribution, round);
  await requirePowers(tools, subject, { round, g1: contribution.g1, g2: contribution.g2 });
}

/** Where the chain stands after an accepted head. */
export function positionAfter(head: ContributionHead): CrsPosition {
  return { round: head.round, digest: headDigest(head), first: head.first };
}

/** The turn is the expected one and after all before; it builds on what was accepted, and is for the same proofs. */
function requireTurn({ parameters }: CrsSubject, base: CrsPosition, head: ContributionHead, round: number): void {
  if (head.round !== round) throw new CrsError('CRS_ROUND', round, `made for turn ${head.round}`);
  if (round <= base.round) throw new CrsError('CRS_ROUND', round, `comes after the contribution of turn ${base.round}`);
  if (head.maxBits !== parameters.maxBits) {
    throw new CrsError('CRS_MAX_BITS', round, `for ${head.maxBits} bits, want ${parameters.maxBits}`);
  }
  if (!equalBytes(head.base, base.digest)) {
    throw new CrsError('CRS_BASE', round, `does not build on the contribution of turn ${base.round}`);
  }
}

/** The lists are those of the head, and nothing is infinity but the place that must be. */
function requireLists({ head, g1, g2 }: Contribution): void {
  const { round } = head;
  const size = sizeOf({ g1, g2 });
  if (g1.length !== 2 * size * G1_BYTES) throw new CrsError('CRS_LISTS', round, 'lists of different sizes');
  if (!equalBytes(listsDigest({ g1, g2 }), head.lists) || !equalBytes(g1At(g1, 0), head.first)) {
    throw new CrsError('CRS_LISTS', round, 'its points are not those that its head names');
  }
  if (!isInfinity(g1At(g1, size))) throw new CrsError('CRS_MIDDLE', round, `place ${size} of G1 is not empty`);
  const lower = firstInfinity(g1.subarray(0, size * G1_BYTES), G1_BYTES);
  const upper = firstInfinity(g1.subarray((size + 1) * G1_BYTES), G1_BYTES);
  const second = firstInfinity(g2, G2_BYTES);
  if (lower >= 0 || upper >= 0 || second >= 0) throw new CrsError('CRS_IDENTITY', round, 'a point is infinity');
}

function firstInfinity(points: Uint8Array, pointBytes: number): number {
  for (let at = 0; at < points.length; at += pointBytes) {
    if (isInfinity(points.subarray(at, at + pointBytes))) return at / pointBytes;
  }
  return -1;
}

/** Both curves have small subgroups beside the large one, of orders 2 and 3 among others. */
async function requirePoints({ workers }: CurveTools, { g1, g2 }: CrsPoints, round: number): Promise<void> {
  for (const [group, points] of [
    ['g1', g1],
    ['g2', g2],
  ] as const) {
    const found = await checkPoints(workers, { group, points });
    const name = group.toUpperCase();
    if (found === 'off-curve') throw new CrsError('CRS_CURVE', round, `a point is not on the curve of ${name}`);
    if (found === 'outside-group') throw new CrsError('CRS_SUBGROUP', round, `a point is outside the group ${name}`);
  }
}

/** [response] before = commitment + [challenge] after, with the commitment that the challenge was made from. */
function requireProof({ g1, scalars }: Bls446, subject: CrsSubject, base: CrsPosition, head: ContributionHead): void {
  const { round, first, challenge, response } = head;
  const terms = joinedPoints(base.first, g1.negate(first));
  const commitment = g1.multiScalar(terms, joinedScalars(response, challenge));
  const wanted = proofChallenge(scalars, subject, { round, after: first, before: base.first, commitment });
  if (equalBytes(wanted, challenge)) return;
  throw new CrsError('CRS_PROOF', round, 'its author has not shown to know the factor');
}

/**
 * Two pairing equations (the second with random coefficients rho, places counted from 1, i != n+1):
 *   e(g_{n+2}, G2) = e(g_n, h_2)
 *   e(sum_{i != n+2} rho1^(i-1) g_i, G2 + sum_{l<n} rho2^l h_l)
 *     = e(G1 + sum_{i<2n, i != n} rho1^i g_i, sum rho2^(l-1) h_l)
 * Both sides of the second come from one sum per group:
 *   S1 = sum rho1^(i-1) g_i, S2 = sum rho2^(l-1) h_l.
 */
async function requirePowers(
  { curve, workers }: CurveTools,
  subject: CrsSubject,
  state: CrsPoints & { readonly round: number },
): Promise<void> {
  const { round, g1, g2 } = state;
  const size = sizeOf(state);
  // Copies: a job that is sent elsewhere takes the memory behind its views along.
  const [above, below] = [g1At(g1, size + 1).slice(), g1At(g1, size - 1).slice()];
  const around = { left: { g1: above, g2: G2_GENERATOR }, right: { g1: below, g2: g2At(g2, 1).slice() } };
  const { rho1, rho2 } = powersChallenge(curve.scalars, subject, state);
  const [aroundMiddle, partial1, partial2] = await Promise.all([
    workers.run('pairing', around),
    combine(workers, { group: 'g1', points: g1 }, rho1),
    combine(workers, { group: 'g2', points: g2 }, rho2),
  ]);
  if (!aroundMiddle) throw new CrsError('CRS_POWERS', round, 'the powers around the empty place do not fit');
  const sum1 = partial1.map(asG1Points).reduce((left, right) => curve.g1.add(left, right));
  const sum2 = partial2.map(asG2Points).reduce((left, right) => curve.g2.add(left, right));
  const sides = {
    left: { g1: withoutTerm(curve, sum1, { rho: rho1, at: size + 1, g1 }), g2: shiftedG2(curve, sum2, rho2, g2) },
    right: { g1: shiftedG1(curve, sum1, rho1, g1), g2: sum2 },
  };
  if (await workers.run('pairing', sides)) return;
  throw new CrsError('CRS_POWERS', round, 'its points are not the powers of one number');
}

/** S1 - rho^at g_at, places counted from 0. */
function withoutTerm(
  { g1: group, scalars }: Bls446,
  sum: G1Points,
  { rho, at, g1 }: { rho: Scalars; at: number; g1: G1Points },
): G1Points {
  const term = group.multiScalar(g1At(g1, at), scalars.powers(rho, at, 1));
  return group.add(sum, group.negate(term));
}

/** G1 + rho (S1 - rho^(n-1) g_n - rho^(2n-1) g_2n), places counted from 1. */
function shiftedG1(curve: Bls446, sum: G1Points, rho: Scalars, g1: G1Points): G1Points {
  const size = g1.length / G1_BYTES / 2;
  const inner = [size - 1, 2 * size - 1].reduce((left, at) => withoutTerm(curve, left, { rho, at, g1 }), sum);
  return curve.g1.add(G1_GENERATOR, curve.g1.multiScalar(inner, rho));
}

/** G2 + rho (S2 - rho^(n-1) h_n), places counted from 1. */
function shiftedG2({ g2: group, scalars }: Bls446, sum: G2Points, rho: Scalars, g2: G2Points): G2Points {
  const last = g2.length / G2_BYTES - 1;
  const term = group.multiScalar(g2At(g2, last), scalars.powers(rho, last, 1));
  return group.add(G2_GENERATOR, group.multiScalar(group.add(sum, group.negate(term)), rho));
}

function joinedPoints(left: G1Points, right: G1Points): G1Points {
  return asG1Points(Uint8Array.of(...left, ...right));
}

function joinedScalars(left: Scalars, right: Scalars): Scalars {
  return Uint8Array.of(...left, ...right) as Scalars; // two whole scalars
}

function equalBytes(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && left.every((byte, index) => byte === right[index]);
}
