// Exact negacyclic product of u64 polynomials by Karatsuba: integers only, the oracle of the floating-point transform.

const BASE: usize = 32; // schoolbook below this many coefficients; 16..64 measured within 10 %

/** out (2n words) = a * b over the integers mod 2^64, four rows at a time. n is a multiple of 4. */
function schoolbook(out: usize, a: usize, b: usize, n: usize): void {
  memory.fill(out, 0, n << 4);
  const bytes = n << 3, end = b + bytes;
  for (let i: usize = 0; i < bytes; i += 32) {
    const x0 = load<u64>(a + i), x1 = load<u64>(a + i, 8), x2 = load<u64>(a + i, 16), x3 = load<u64>(a + i, 24);
    let p = out + i;
    let y1: u64 = 0, y2: u64 = 0, y3: u64 = 0;
    for (let q = b; q < end; q += 8) {
      const y = load<u64>(q);
      store<u64>(p, load<u64>(p) + x0 * y + x1 * y1 + x2 * y2 + x3 * y3);
      y3 = y2; y2 = y1; y1 = y; p += 8;
    }
    store<u64>(p, load<u64>(p) + x1 * y1 + x2 * y2 + x3 * y3);
    store<u64>(p, load<u64>(p, 8) + x2 * y1 + x3 * y2, 8);
    store<u64>(p, load<u64>(p, 16) + x3 * y1, 16);
  }
}

/** out (2n words) = a * b; scratch of 4n words beyond `scratch` (2n here, the rest for the recursion). */
function product(out: usize, a: usize, b: usize, n: usize, scratch: usize): void {
  if (n <= BASE) {
    schoolbook(out, a, b, n);
    return;
  }
  const bytes = n << 3, half = bytes >> 1, middle = scratch + bytes;
  product(out, a, b, n >> 1, scratch);
  product(out + bytes, a + half, b + half, n >> 1, scratch);
  for (let i: usize = 0; i < half; i += 16) {
    v128.store(scratch + i, i64x2.add(v128.load(a + i), v128.load(a + half + i)));
    v128.store(scratch + half + i, i64x2.add(v128.load(b + i), v128.load(b + half + i)));
  }
  product(middle, scratch, scratch + half, n >> 1, scratch + 2 * bytes);
  for (let i: usize = 0; i < bytes; i += 16) {
    const outer = i64x2.add(v128.load(out + i), v128.load(out + bytes + i));
    v128.store(middle + i, i64x2.sub(v128.load(middle + i), outer));
  }
  for (let i: usize = 0; i < bytes; i += 16) {
    v128.store(out + half + i, i64x2.add(v128.load(out + half + i), v128.load(middle + i)));
  }
}

/** out (N words) = a * b mod X^N+1, N a power of two >= 4; scratch: 6N words. */
export function karatsuba(out: usize, a: usize, b: usize, degree: u32, scratch: usize): void {
  const bytes = <usize>degree << 3;
  product(scratch, a, b, <usize>degree, scratch + 2 * bytes);
  for (let i: usize = 0; i < bytes; i += 16) {
    v128.store(out + i, i64x2.sub(v128.load(scratch + i), v128.load(scratch + bytes + i)));
  }
}
