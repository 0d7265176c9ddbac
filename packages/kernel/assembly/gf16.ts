// GF(16) = GF(2)[x]/(x^4+x+1), one element per byte (0..15) in memory, two per byte on the wire.
// Constants are public: a product by a constant is one i8x16.swizzle with the 16 products as a register table.
// Products of two secrets are masked Horner steps. Nothing indexes memory by an element.
// Kernels run on whole vectors: up to 15 bytes past the end of a batch are read and written; the facade leaves slack.

/** out[i] = a[i] * b[i], most significant bit of b first; values live in the high nibble, so bit 7 is the test bit. */
export function gf16Mul(out: usize, a: usize, b: usize, count: u32): void {
  const end = out + count;
  const zero = i8x16.splat(0), reduction = i8x16.splat(0x30); // x^4 = x + 1, shifted to the high nibble
  while (out < end) {
    const x = i8x16.shl(v128.load(a), 4);
    let y = i8x16.shl(v128.load(b), 4);
    let r = v128.and(x, i8x16.lt_s(y, zero));
    for (let k = 0; k < 3; k++) {
      y = i8x16.add(y, y);
      r = v128.xor(i8x16.add(r, r), v128.and(i8x16.lt_s(r, zero), reduction));
      r = v128.xor(r, v128.and(x, i8x16.lt_s(y, zero)));
    }
    v128.store(out, i8x16.shr_u(r, 4));
    out += 16; a += 16; b += 16;
  }
}

/** out[i] = sum_j constant_j * inputs[j][i]; tables: per constant its products with 0..15. */
export function gf16Row(out: usize, tables: usize, inputs: usize, stride: usize, columns: u32, count: u32): void {
  const end = out + count;
  while (out < end) {
    let sum = i8x16.splat(0), a = inputs, table = tables;
    for (let j: u32 = 0; j < columns; j++) {
      sum = v128.xor(sum, i8x16.swizzle(v128.load(table), v128.load(a)));
      a += stride; table += 16;
    }
    v128.store(out, sum);
    out += 16; inputs += 16;
  }
}

/** out[i] = a[i] + b[i] */
export function gf16Add(out: usize, a: usize, b: usize, count: u32): void {
  const end = out + count;
  while (out < end) {
    v128.store(out, v128.xor(v128.load(a), v128.load(b)));
    out += 16; a += 16; b += 16;
  }
}

/** acc += constant * keystream on packed elements (two per byte). */
export function gf16AccumulatePacked(acc: usize, keystream: usize, table: usize, bytes: u32): void {
  const end = acc + bytes, products = v128.load(table), nibble = i8x16.splat(15);
  while (acc < end) {
    const x = v128.load(keystream);
    const low = i8x16.swizzle(products, v128.and(x, nibble));
    const high = i8x16.shl(i8x16.swizzle(products, i8x16.shr_u(x, 4)), 4);
    v128.store(acc, v128.xor(v128.load(acc), v128.or(low, high)));
    acc += 16; keystream += 16;
  }
}

/** Two elements per byte, low nibble first, to one per byte: writes 2*bytes. */
export function gf16Unpack(out: usize, packed: usize, bytes: u32): void {
  const end = packed + bytes, nibble = i8x16.splat(15);
  while (packed < end) {
    const x = v128.load(packed);
    const low = v128.and(x, nibble), high = i8x16.shr_u(x, 4);
    v128.store(out, i8x16.shuffle(low, high, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23));
    v128.store(out, i8x16.shuffle(low, high, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31), 16);
    packed += 16; out += 32;
  }
}

/** Inverse of gf16Unpack: reads 2*bytes elements. */
export function gf16Pack(out: usize, a: usize, bytes: u32): void {
  const end = out + bytes;
  while (out < end) {
    const p = v128.load(a), q = v128.load(a, 16);
    const even = i8x16.shuffle(p, q, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
    const odd = i8x16.shuffle(p, q, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);
    v128.store(out, v128.or(even, i8x16.shl(odd, 4)));
    out += 16; a += 32;
  }
}
