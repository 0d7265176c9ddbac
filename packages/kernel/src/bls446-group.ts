/** One of the groups G1 and G2: the facade over assembly/bls446. */
import type { CurveGroup, RandomBytes } from './bls446.ts';
import { type G1Points, type G2Points, SCALAR_BYTES, type Scalars } from './bls446-encoding.ts';
import { requireExponents, requireSingle } from './bls446-scalars.ts';
import type { GroupExports } from './bls446-wasm.ts';
import { convert, wholeItems } from './context.ts';
import { KernelError } from './errors.ts';
import type { KernelMemory, Scratch } from './memory.ts';
import { requireSameLength } from './shape.ts';

/** Points in WASM memory at a time when all are needed at once; with the copies that sums make, 6 of 8 MiB. */
const CHUNK_POINT_BYTES = 2 << 20;
/** Independent sums share inversions: those of 448 points in G1, of 128 in G2. More would gain nothing. */
const SHARED_BYTES = 5 << 18;
/** Room for a scalar in memory that stays aligned. */
const POWER_BYTES = 64;
const SCALAR_BITS = 299;
const WINDOW_BITS_MAX = 10; // 513 buckets: 0.2 MB in G2
/** One byte of randomness puts a point into 8 random subsets; 16 of them make 128. */
const SUBSETS = 8;
const SUBSET_ROUNDS = 16;
/** Below about this many points the exact test of each is faster than that of 128 sums. */
export const SUBSET_POINTS_MIN = 256;

export interface GroupContext<P> {
  readonly pointBytes: number;
  readonly generator: P;
  readonly wasm: GroupExports;
  readonly memory: KernelMemory;
}

/** Sizes in WASM memory: 28-bit limbs in 32-bit words, affine and projective. */
const affineBytes = ({ pointBytes }: GroupContext<unknown>) => (pointBytes / 7) * 8;
const projectiveBytes = (context: GroupContext<unknown>) => (affineBytes(context) / 2) * 3;
/** Working memory of sums over `count` points in `buckets` buckets, and the one for zero. */
const sumBytes = ({ wasm }: GroupContext<unknown>, count: number, buckets: number) =>
  count * wasm.collectBytes() + (buckets + 1) * wasm.bucketBytes();

export function createGroup<P extends G1Points | G2Points>(context: GroupContext<P>): CurveGroup<P> {
  const { pointBytes, generator, wasm } = context;
  return {
    pointBytes,
    generator,
    firstOffCurve: (points) => firstOf(context, points, wasm.firstOffCurve),
    firstOutsideSubgroup: (points) => firstOf(context, points, wasm.firstOutsideSubgroup),
    inSubgroup: (points, random) => inSubgroup(context, points, random),
    multiply: (points, scalars) => multiply(context, points, scalars),
    multiplyByPowers: (points, base, firstExponent) => multiplyByPowers(context, points, base, firstExponent),
    multiScalar: (points, scalars) => multiScalar(context, points, scalars),
    add: (left, right) => add(context, left, right),
    negate: (points) => negate(context, points),
  };
}

function multiply<P extends Uint8Array>(context: GroupContext<P>, points: P, scalars: Scalars): P {
  const { pointBytes, wasm, memory } = context;
  const count = requireScalars(context, points, scalars);
  const out = zeros(context, count);
  const inputs = [
    { bytes: points, step: pointBytes },
    { bytes: scalars, step: SCALAR_BYTES },
  ];
  const outputs = [{ bytes: out, step: pointBytes }];
  const plan = { count, inputs, outputs, temporary: wasm.multiplyBytes(), chunkBytes: SHARED_BYTES };
  memory.stream(plan, (at, items) => wasm.multiply(at.outputs[0]!, at.inputs[0]!, at.inputs[1]!, items, at.temporary));
  return out;
}

function multiplyByPowers<P extends Uint8Array>(
  context: GroupContext<P>,
  points: P,
  base: Scalars,
  firstExponent: number,
): P {
  const { pointBytes, wasm, memory } = context;
  const count = wholeItems('points', points, pointBytes);
  requireSingle(base);
  requireExponents(firstExponent, count);
  const out = zeros(context, count);
  const [inputs, outputs] = [[{ bytes: points, step: pointBytes }], [{ bytes: out, step: pointBytes }]];
  const temporary = wasm.multiplyBytes() + POWER_BYTES;
  const plan = { count, inputs, outputs, constants: [base], temporary, chunkBytes: SHARED_BYTES };
  memory.stream(plan, (at, items, first) => {
    const [from, powers, work] = [firstExponent + first, at.temporary, at.temporary + items * POWER_BYTES];
    wasm.multiplyByPowers(at.outputs[0]!, at.inputs[0]!, at.constants[0]!, from, powers, items, work);
  });
  return out;
}

/** Chunk by chunk, because every window needs all points. */
function multiScalar<P extends Uint8Array>(context: GroupContext<P>, points: P, scalars: Scalars): P {
  const { pointBytes, wasm, memory } = context;
  requireScalars(context, points, scalars);
  let total = zeros(context, 1);
  forChunks(context, points, (chunk, count, first) => {
    const part = zeros(context, 1);
    memory.use((scratch) => {
      const affine = load(context, scratch, chunk);
      const at = scratch.reserve(count * SCALAR_BYTES);
      scratch.write(at, scalars.subarray(first * SCALAR_BYTES, (first + count) * SCALAR_BYTES));
      const width = windowBits(count);
      const work = scratch.reserve(sumBytes(context, count, 2 ** (width - 1)));
      const out = scratch.reserve(pointBytes);
      wasm.multiScalar(out, affine, at, count, width, work);
      scratch.read(out, part);
    });
    total = first === 0 ? part : add(context, total, part);
  });
  return total;
}

/** The width with the least work: per window an addition for each point, and for each bucket two at twice the price. */
function windowBits(count: number): number {
  const additions = (width: number) => (Math.floor(SCALAR_BITS / width) + 1) * (count + 2 * 2 ** width + 2 * width);
  let best = 2;
  for (let width = 3; width <= WINDOW_BITS_MAX; width++) if (additions(width) < additions(best)) best = width;
  return best;
}

/**
 * A point outside the group has a component of an order prime to r. Over the random choice of a subset the components
 * of its points cancel with probability at most 1/2, since taking one bad point in or out changes their sum; else the
 * sum fails the exact test. One random combination would not do: the cofactors are divisible by 2 and 3.
 */
function inSubgroup<P extends Uint8Array>(context: GroupContext<P>, points: P, random: RandomBytes): boolean {
  const { wasm, memory } = context;
  let inside = firstOf(context, points, wasm.firstOffCurve) < 0;
  forChunks(context, points, (chunk, count) => {
    if (!inside) return;
    if (count < SUBSET_POINTS_MIN) {
      inside = firstOf(context, chunk, wasm.firstOutsideSubgroup) < 0;
      return;
    }
    memory.use((scratch) => {
      const affine = load(context, scratch, chunk);
      const choices = scratch.reserve(count);
      const work = scratch.reserve(sumBytes(context, count, 2 ** SUBSETS - 1));
      const sums = scratch.reserve(SUBSETS * projectiveBytes(context));
      for (let round = 0; inside && round < SUBSET_ROUNDS; round++) {
        scratch.write(choices, randomBytes(random, count));
        wasm.subsetSums(sums, affine, choices, count, work);
        inside = wasm.firstSumOutside(sums, SUBSETS) < 0;
      }
    });
  });
  return inside;
}

function randomBytes(random: RandomBytes, count: number): Uint8Array {
  const bytes = random(count);
  if (bytes.length !== count) {
    throw new KernelError('BATCH_LENGTH', `random bytes: ${bytes.length}, want ${count}`);
  }
  return bytes;
}

/** Index of the first point a test finds, or -1. */
function firstOf<P extends Uint8Array>(
  context: GroupContext<P>,
  points: P,
  test: (points: number, count: number) => number,
): number {
  let found = -1;
  forChunks(context, points, (chunk, count, first) => {
    if (found >= 0) return;
    context.memory.use((scratch) => {
      const index = test(load(context, scratch, chunk), count);
      if (index >= 0) found = first + index;
    });
  });
  return found;
}

function add<P extends Uint8Array>(context: GroupContext<P>, left: P, right: P): P {
  const { pointBytes, wasm, memory } = context;
  requireSameLength('add', [left, right]);
  const count = wholeItems('points', left, pointBytes);
  const out = zeros(context, count);
  const inputs = [left, right].map((bytes) => ({ bytes, step: pointBytes }));
  const outputs = [{ bytes: out, step: pointBytes }];
  const plan = { count, inputs, outputs, temporary: wasm.addBytes(), chunkBytes: SHARED_BYTES };
  memory.stream(plan, (at, items) => wasm.add(at.outputs[0]!, at.inputs[0]!, at.inputs[1]!, items, at.temporary));
  return out;
}

function negate<P extends Uint8Array>(context: GroupContext<P>, points: P): P {
  const { pointBytes, wasm, memory } = context;
  const out = zeros(context, wholeItems('points', points, pointBytes));
  return convert(memory, { bytes: points, step: pointBytes }, { bytes: out, step: pointBytes }, wasm.negate);
}

/** Runs `body` over consecutive ranges of points that fit. */
function forChunks<P extends Uint8Array>(
  context: GroupContext<P>,
  points: P,
  body: (chunk: P, count: number, first: number) => void,
): void {
  const { pointBytes } = context;
  const total = wholeItems('points', points, pointBytes);
  const chunk = CHUNK_POINT_BYTES / affineBytes(context);
  for (let first = 0; first < total; first += chunk) {
    const count = Math.min(chunk, total - first);
    body(points.subarray(first * pointBytes, (first + count) * pointBytes) as P, count, first);
  }
}

/** Address of the points' limbs. */
function load<P extends Uint8Array>(context: GroupContext<P>, scratch: Scratch, points: P): number {
  const { pointBytes, wasm } = context;
  const count = points.length / pointBytes;
  const address = scratch.reserve(count * affineBytes(context));
  const stored = address + count * (affineBytes(context) - pointBytes); // read ahead of what is written
  scratch.write(stored, points);
  wasm.unpack(address, stored, count);
  return address;
}

function requireScalars<P extends Uint8Array>({ pointBytes }: GroupContext<P>, points: P, scalars: Scalars): number {
  const count = wholeItems('points', points, pointBytes);
  const wanted = count * SCALAR_BYTES;
  if (scalars.length !== wanted) {
    throw new KernelError('BATCH_LENGTH', `scalars: ${scalars.length} bytes for ${count} points, want ${wanted}`);
  }
  return count;
}

function zeros<P extends Uint8Array>({ pointBytes }: GroupContext<P>, count: number): P {
  return new Uint8Array(count * pointBytes) as Uint8Array as P;
}
