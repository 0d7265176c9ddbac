// LWE masks times a shared key. Masks are public 64-bit words, key shares are GR(2^64,4) elements.

/** out[r] = sum_j masks[r][j] * key[j], rows of `dimension` words. One i64.mul per cycle, so batching gains nothing. */
export function innerProducts(out: usize, masks: usize, key: usize, dimension: u32, rows: u32): void {
  const keyEnd = key + (<usize>dimension << 5);
  for (let r: u32 = 0; r < rows; r++) {
    let s0: u64 = 0, s1: u64 = 0, s2: u64 = 0, s3: u64 = 0;
    for (let k = key; k < keyEnd; k += 32) {
      const m = load<u64>(masks);
      s0 += m * load<u64>(k);
      s1 += m * load<u64>(k, 8);
      s2 += m * load<u64>(k, 16);
      s3 += m * load<u64>(k, 24);
      masks += 8;
    }
    store<u64>(out, s0); store<u64>(out, s1, 8); store<u64>(out, s2, 16); store<u64>(out, s3, 24);
    out += 32;
  }
}

/** Row r = polynomial * X^(first+r) mod X^N+1, for first + rows <= N. Public data. */
export function rotations(out: usize, polynomial: usize, degree: u32, first: u32, rows: u32): void {
  for (let r: u32 = 0; r < rows; r++) {
    const shift = first + r;
    const tail = polynomial + (<usize>(degree - shift) << 3);
    for (let j: usize = 0; j < <usize>shift << 3; j += 8) store<u64>(out + j, 0 - load<u64>(tail + j));
    memory.copy(out + (<usize>shift << 3), polynomial, <usize>(degree - shift) << 3);
    out += <usize>degree << 3;
  }
}
