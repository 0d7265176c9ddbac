/**
 * Timings of the BLS12-446 groups through the public facade, copies included, next to @noble/curves on BigInt.
 * Run: `node packages/kernel/bench/bls446.bench.ts` on Node 24.
 */
import { randomBytes } from 'node:crypto';
import { type CurveGroup, createBls446 } from '../src/bls446.ts';
import { asG1Points, asG2Points, type G1Points, type G2Points, R, type Scalars } from '../src/bls446-encoding.ts';
import { Curve1, Curve2 } from '../test/noble446.ts';
import { type Row, report } from './measure.ts';

/** A job of a ceremony, and a whole chunk of WASM memory in G2. */
const SECRETS = 256;
const POINTS = 8192;
const BUDGET_G1_NS = 500_000;
const BUDGET_G2_NS = 1_200_000;

const { g1, g2, scalars } = createBls446();
const random = (byteCount: number): Uint8Array => new Uint8Array(randomBytes(byteCount));
const randomScalars = (count: number): Scalars => scalars.fromWideBytes(random(56 * count));

function groupRows<Q extends G1Points | G2Points>(
  name: string,
  group: CurveGroup<Q>,
  brand: (bytes: Uint8Array) => Q,
  budgetNs: number,
): Row[] {
  const base = randomScalars(1);
  const copies = new Uint8Array(POINTS * group.pointBytes);
  for (let i = 0; i < POINTS; i++) copies.set(group.generator, i * group.pointBytes);
  const points = group.multiplyByPowers(brand(copies), base, 1);
  const few = brand(points.subarray(0, SECRETS * group.pointBytes));
  const [secrets, factors] = [randomScalars(SECRETS), randomScalars(POINTS)];
  return [
    { name: `${name} secret scalar`, items: SECRETS, run: () => group.multiply(few, secrets), budgetNs },
    { name: `${name} power of a secret`, items: SECRETS, run: () => group.multiplyByPowers(few, base, 9), budgetNs },
    { name: `${name} sum over ${POINTS}`, items: POINTS, run: () => group.multiScalar(points, factors) },
    { name: `${name} add`, items: POINTS, run: () => group.add(points, points) },
    { name: `${name} on curve`, items: POINTS, run: () => group.firstOffCurve(points) },
    { name: `${name} subgroup, exact`, items: SECRETS, run: () => group.firstOutsideSubgroup(few) },
    { name: `${name} subgroup, batch of ${POINTS}`, items: POINTS, run: () => group.inSubgroup(points, random) },
  ];
}

/** A new point each time: the oracle keeps tables of the generator. */
function nobleRows(): Row[] {
  const [p, q] = [Curve1.BASE.double(), Curve2.BASE.double()];
  const k = R - 12345678901234567890n;
  return [
    { name: 'noble G1 multiply', items: 1, run: () => p.add(Curve1.BASE).multiply(k).toAffine() },
    { name: 'noble G1 multiplyUnsafe', items: 1, run: () => p.add(Curve1.BASE).multiplyUnsafe(k).toAffine() },
    { name: 'noble G2 multiply', items: 1, run: () => q.add(Curve2.BASE).multiply(k).toAffine() },
    { name: 'noble G2 multiplyUnsafe', items: 1, run: () => q.add(Curve2.BASE).multiplyUnsafe(k).toAffine() },
  ];
}

const wide = random(56 * POINTS);
const [a, b] = [randomScalars(POINTS), randomScalars(POINTS)];
report('BLS12-446', [
  ...groupRows('G1', g1, asG1Points, BUDGET_G1_NS),
  ...groupRows('G2', g2, asG2Points, BUDGET_G2_NS),
  { name: 'scalar multiplyAdd', items: POINTS, run: () => scalars.multiplyAdd(a, b, a) },
  { name: 'scalar from wide bytes', items: POINTS, run: () => scalars.fromWideBytes(wide) },
  ...nobleRows(),
  { name: 'createBls446', items: 1, run: createBls446 },
]);
