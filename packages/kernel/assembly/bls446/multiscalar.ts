// Sums over many points with public scalars: branches and addresses depend on the data.
import { copy, negate, size } from "./coordinate";
import {
  addAffine, addPoints, affineBytes, double, infinityMask, normalise, packPoints, projectiveBytes, setInfinity,
} from "./point";
import { SCALAR_BYTES, signedDigit } from "./scalar";
import { MULTIPLY_SCRATCH as SCRATCH } from "./scratch";

const SCALAR_BITS: usize = 299;
const SUBSETS: usize = 8; // of one call: one byte chooses for a point

/**
 * out = sum_i [scalars[i]] points[i] in stored bytes (Pippenger): per window, points are collected by the size of their
 * digit. `points` are affine limbs, `buckets` has room for 2^(width-1) projective points.
 */
export function multiScalar<F>(
  out: usize, points: usize, scalars: usize, count: usize, width: usize, buckets: usize,
): void {
  const total = SCRATCH, sum = total + projectiveBytes<F>(), running = sum + projectiveBytes<F>();
  const bucketCount: usize = 1 << (width - 1);
  setInfinity<F>(total);
  for (let window = SCALAR_BITS / width + 1; window-- > 0; ) {
    for (let i: usize = 0; i < width; i++) double<F>(total, total);
    for (let i: usize = 0; i < bucketCount; i++) setInfinity<F>(buckets + i * projectiveBytes<F>());
    collect<F>(buckets, points, scalars, count, window * width, width);
    setInfinity<F>(sum);
    setInfinity<F>(running);
    for (let i: usize = bucketCount; i-- > 0; ) { // bucket i counts i + 1 times
      addPoints<F>(running, running, buckets + i * projectiveBytes<F>());
      addPoints<F>(sum, sum, running);
    }
    addPoints<F>(total, total, sum);
  }
  normalise<F>(sum, total, 1, running);
  packPoints<F>(out, sum, 1);
}

/** Adds every point to the bucket of its digit at `bit`, or subtracts it. */
function collect<F>(buckets: usize, points: usize, scalars: usize, count: usize, bit: usize, width: usize): void {
  const negative = SCRATCH + 3 * projectiveBytes<F>();
  for (let i: usize = 0; i < count; i++) {
    const digit = signedDigit(scalars, bit, width);
    if (digit != 0 && !infinityMask<F>(points)) {
      const bucket = buckets + <usize>(abs(digit) - 1) * projectiveBytes<F>();
      if (digit < 0) {
        copy<F>(negative, points);
        negate<F>(negative + size<F>(), points + size<F>());
      }
      addAffine<F>(bucket, bucket, digit < 0 ? negative : points);
    }
    points += affineBytes<F>(); scalars += SCALAR_BYTES;
  }
}

/**
 * sums[j] = the sum of the points whose byte in `choices` has bit j, j < 8, projective. `buckets` has room for 256
 * projective points. Points are anything on the curve; see point.ts.
 */
export function subsetSums<F>(sums: usize, points: usize, choices: usize, count: usize, buckets: usize): void {
  const P = projectiveBytes<F>();
  for (let i: usize = 0; i < (1 << SUBSETS); i++) setInfinity<F>(buckets + i * P);
  for (let i: usize = 0; i < count; i++) {
    const point = points + i * affineBytes<F>(), bucket = buckets + <usize>load<u8>(choices + i) * P;
    if (!infinityMask<F>(point)) addAffine<F>(bucket, bucket, point);
  }
  for (let j = SUBSETS; j-- > 0; ) { // the upper half has bit j; then it joins the lower one
    const half: usize = 1 << j, sum = sums + j * P;
    setInfinity<F>(sum);
    for (let i: usize = 0; i < half; i++) {
      addPoints<F>(sum, sum, buckets + (half + i) * P);
      addPoints<F>(buckets + i * P, buckets + i * P, buckets + (half + i) * P);
    }
  }
}
