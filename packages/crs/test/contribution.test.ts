/**
 * Contributions and every check on them, at small sizes. Cheats are those of docs/protocols/crs.md; each must fail at
 * its own check, so that none hides behind another.
 */
import { randomBytes } from 'node:crypto';
import {
  asScalars,
  coordinatesFromBytes,
  coordinatesToBytes,
  G1_BYTES,
  type G1Points,
  G2_BYTES,
  P,
  R,
  scalarsToBytes,
} from '@keyquorum/kernel/bls446-encoding';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  type Contribution,
  contribute,
  contributionBytes,
  decodeContribution,
  encodeContribution,
  headDigest,
  listsDigest,
} from '../src/contribution.ts';
import { CrsError } from '../src/crs-error.ts';
import { G1 } from '../src/pairing.ts';
import { type CrsState, startState } from '../src/state.ts';
import { verifyContribution } from '../src/verification.ts';
import { inThisThread } from '../src/workers.ts';
import { tools } from './support/curve-tools.ts';
import { nobleCurve } from './support/noble-curve.ts';
import { smallSubject } from './support/small-subject.ts';

const SIZE = 4;
const subject = smallSubject(SIZE);
const start = startState(subject);
const random = (count: number) => new Uint8Array(randomBytes(count));
const make = (state: CrsState, round: number) => contribute(tools, subject, state, { round, random });
const honest = await make(start, 1);
const verify = (contribution: Contribution, { round = 1, base = start, about = subject } = {}) =>
  verifyContribution(tools, about, base, { round, contribution });

/** The contribution with other lists, named as its author would name them. */
function relisted({ head, ...points }: Contribution, change: (g1: Uint8Array, g2: Uint8Array) => void): Contribution {
  const [g1, g2] = [points.g1.slice() as typeof points.g1, points.g2.slice() as typeof points.g2];
  change(g1, g2);
  return { head: { ...head, lists: listsDigest({ g1, g2 }) }, g1, g2 };
}

function swap(points: Uint8Array, bytes: number, one: number, other: number): void {
  const kept = points.slice(one * bytes, (one + 1) * bytes);
  points.copyWithin(one * bytes, other * bytes, (other + 1) * bytes);
  points.set(kept, other * bytes);
}

/** Points of G1's curve outside the group: of order 2 and 3. */
const ORDER_2 = { x: P - 1n, y: 0n };
const ORDER_3 = { x: 0n, y: 1n };

const at = (points: Uint8Array, index: number) => points.subarray(index * G1_BYTES, (index + 1) * G1_BYTES);

/** Code and party of the refusal. */
async function refusal(attempt: Promise<unknown>): Promise<string> {
  const error = await attempt.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(CrsError);
  const { code, party } = error as CrsError;
  return `${code} ${party}`;
}

test('an honest contribution is accepted and multiplies the secret', async () => {
  const after = await verify(honest);
  expect(after.round).toBe(1);
  expect(after.digest).toEqual(headDigest(honest.head));
  const second = await make(after, 2);
  await expect(verify(second, { round: 2, base: after })).resolves.toMatchObject({ round: 2 });
});

test('a skipped turn is skipped by the next contribution too', async () => {
  const after = await verify(honest);
  const third = await make(after, 3);
  await expect(verify(third, { round: 3, base: after })).resolves.toMatchObject({ round: 3 });
});

test('the same on arithmetic in BigInt', async () => {
  const curve = nobleCurve();
  const oracle = { curve, workers: inThisThread(curve, random) };
  const checks = { round: 1, contribution: honest };
  const after = await verifyContribution(oracle, subject, start, checks);
  const second = await contribute(oracle, subject, after, { round: 2, random });
  await expect(verify(second, { round: 2, base: after })).resolves.toMatchObject({ round: 2 });
});

test('it survives its encoding', () => {
  const bytes = encodeContribution(honest);
  expect(bytes.length).toBe(contributionBytes(SIZE));
  expect(decodeContribution(bytes, SIZE, 1)).toEqual(honest);
});

test('the secrets are erased', async () => {
  const drawn: Uint8Array[] = [];
  const watched = (count: number) => {
    const bytes = random(count);
    drawn.push(bytes);
    return bytes;
  };
  await contribute(tools, subject, start, { round: 1, random: watched });
  expect(drawn.length).toBe(2);
  for (const bytes of drawn) expect(bytes.every((byte) => byte === 0)).toBe(true);
});

test('progress counts all points', async () => {
  let done = 0;
  const onDone = (points: number) => {
    done += points;
  };
  await contribute(tools, subject, start, { round: 1, random, onDone });
  expect(done).toBe(3 * SIZE);
});

test('made for another turn', async () => {
  expect(await refusal(verify(honest, { round: 2 }))).toBe('CRS_ROUND 2');
  const replayed = { ...honest, head: { ...honest.head, round: 2 } };
  expect(await refusal(verify(replayed, { round: 2 }))).toBe('CRS_PROOF 2');
});

test('not after what it builds on', async () => {
  const after = await verify(honest);
  expect(await refusal(verify(await make(after, 1), { round: 1, base: after }))).toBe('CRS_ROUND 1');
});

test('of another ceremony', async () => {
  const other = smallSubject(SIZE, { number: 2n });
  expect(await refusal(verify(honest, { about: other, base: startState(other) }))).toBe('CRS_BASE 1');
  const renamed = { ...honest, head: { ...honest.head, base: startState(other).digest } };
  expect(await refusal(verify(renamed, { about: other, base: startState(other) }))).toBe('CRS_PROOF 1');
});

test('for proofs of another size', async () => {
  const changed = { ...honest, head: { ...honest.head, maxBits: 64 } };
  expect(await refusal(verify(changed))).toBe('CRS_MAX_BITS 1');
});

test('starting over, which would erase what others contributed', async () => {
  const after = await verify(honest);
  const fresh = await make(start, 2);
  expect(await refusal(verify(fresh, { round: 2, base: after }))).toBe('CRS_BASE 2');
  const renamed = { ...fresh, head: { ...fresh.head, base: after.digest } };
  expect(await refusal(verify(renamed, { round: 2, base: after }))).toBe('CRS_PROOF 2');
});

test.each([
  ['two powers in G1 exchanged', (g1: Uint8Array) => swap(g1, G1_BYTES, 2, 3), 'CRS_POWERS'],
  ['two powers in G2 exchanged', (_: Uint8Array, g2: Uint8Array) => swap(g2, G2_BYTES, 2, 3), 'CRS_POWERS'],
  ['a wrong point after the empty place', (g1: Uint8Array) => swap(g1, G1_BYTES, SIZE + 1, SIZE + 2), 'CRS_POWERS'],
  ['the empty place filled', (g1: Uint8Array) => g1.copyWithin(SIZE * G1_BYTES, 0, G1_BYTES), 'CRS_MIDDLE'],
  ['infinity in G1', (g1: Uint8Array) => at(g1, 2).fill(0), 'CRS_IDENTITY'],
  ['infinity in the upper half of G1', (g1: Uint8Array) => at(g1, SIZE + 3).fill(0), 'CRS_IDENTITY'],
  ['infinity in G2', (_: Uint8Array, g2: Uint8Array) => g2.fill(0, G2_BYTES, 2 * G2_BYTES), 'CRS_IDENTITY'],
  ['a point off the curve', (g1: Uint8Array) => nudge(at(g1, 2)), 'CRS_CURVE'],
  ['a point off the curve of G2', (_: Uint8Array, g2: Uint8Array) => nudge(g2), 'CRS_CURVE'],
  ['a point of order 2 added', (g1: Uint8Array) => addTorsion(at(g1, 2), ORDER_2), 'CRS_SUBGROUP'],
  ['a point of order 3 added', (g1: Uint8Array) => addTorsion(at(g1, 2), ORDER_3), 'CRS_SUBGROUP'],
])('%s', async (_, change, code) => {
  expect(await refusal(verify(relisted(honest, change)))).toBe(`${code} 1`);
});

test('every factor but the right one is seen in a list of powers', async () => {
  const factor = scalarsToBytes([R - 2n]);
  const change = (g1: Uint8Array) => at(g1, 1).set(tools.curve.g1.multiply(at(g1, 1).slice() as G1Points, factor));
  expect(await refusal(verify(relisted(honest, change)))).toBe('CRS_POWERS 1');
});

test('lists that are not those of the head', async () => {
  const { head } = honest;
  const { g1, g2 } = relisted(honest, (points) => swap(points, G1_BYTES, 2, 3));
  expect(await refusal(verify({ head, g1, g2 }))).toBe('CRS_LISTS 1');
  const other = relisted(honest, (points) => swap(points, G1_BYTES, 0, 1));
  expect(await refusal(verify(other))).toBe('CRS_LISTS 1');
});

test('a proof that is off by one', async () => {
  const response = asScalars(honest.head.response.map((byte, index) => (index === 0 ? byte ^ 1 : byte)));
  expect(await refusal(verify({ ...honest, head: { ...honest.head, response } }))).toBe('CRS_PROOF 1');
});

/** The sum by the chord, for points that noble takes for none of its own. */
function addTorsion(point: Uint8Array, torsion: { readonly x: bigint; readonly y: bigint }): void {
  const { Fp } = G1;
  const [x = 0n, y = 0n] = coordinatesFromBytes(point);
  const slope = Fp.div(Fp.sub(y, torsion.y), Fp.sub(x, torsion.x));
  const sum = Fp.sub(Fp.sub(Fp.sqr(slope), x), torsion.x);
  point.set(coordinatesToBytes([sum, Fp.sub(Fp.mul(slope, Fp.sub(x, sum)), y)]));
}

/** A small change: coordinates stay below p. */
function nudge(point: Uint8Array): void {
  point[0] = point[0]! ^ 1;
}

test('any changed, cut or longer contribution is refused or is another one', () => {
  const bytes = encodeContribution(honest);
  const refusedOrCanonical = (input: Uint8Array) => {
    try {
      expect(encodeContribution(decodeContribution(input, SIZE, 1))).toEqual(input);
    } catch (error) {
      expect(error).toMatchObject({ name: 'CrsError', code: 'CRS_MALFORMED', party: 1 });
    }
  };
  fc.assert(
    fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (place, xor) => {
      const changed = bytes.slice();
      changed[place] = changed[place]! ^ xor;
      refusedOrCanonical(changed);
      refusedOrCanonical(bytes.slice(0, place));
    }),
  );
  fc.assert(fc.property(fc.uint8Array({ maxLength: 2 * bytes.length }), refusedOrCanonical));
});
