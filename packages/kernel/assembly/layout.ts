// Moves between layouts, for coefficients ("words") of 8 or 16 bytes: no arithmetic beyond shifts.
// The wide loads and stores may touch up to 16 bytes past the end of a batch; the facade leaves that much slack.

/** Copies `count` words from `a`, `aStep` bytes apart, to `out`, `outStep` bytes apart. */
export function copyWords(out: usize, outStep: usize, a: usize, aStep: usize, wordBytes: u32, count: u32): void {
  for (let i: u32 = 0; i < count; i++) {
    if (wordBytes == 8) store<u64>(out, load<u64>(a));
    else v128.store(out, v128.load(a));
    out += outStep; a += aStep;
  }
}

/** Words become coordinate 0 of elements; the other coordinates are zero. */
export function embedWords(out: usize, a: usize, wordBytes: u32, count: u32): void {
  const step = <usize>wordBytes << 2;
  memory.fill(out, 0, <usize>count * step);
  copyWords(out, step, a, <usize>wordBytes, wordBytes, count);
}

/** Nonzero iff some element has a nonzero coordinate 1, 2 or 3. */
export function highCoordinates(a: usize, wordBytes: u32, count: u32): i32 {
  let any: u64 = 0;
  const step = <usize>wordBytes << 2;
  for (let i: u32 = 0; i < count; i++) {
    for (let k = <usize>wordBytes; k < step; k += 8) any |= load<u64>(a + k);
    a += step;
  }
  return i32(any != 0);
}

/** out[i] = the GF(16) element (one byte) whose bits are the coefficients of a[i] mod 2. */
export function residues(out: usize, a: usize, wordBytes: u32, count: u32): void {
  const w = <usize>wordBytes;
  for (let i: u32 = 0; i < count; i++) {
    const low = (load<u8>(a) & 1) | ((load<u8>(a + w) & 1) << 1);
    const high = (load<u8>(a + 2 * w) & 1) | ((load<u8>(a + 3 * w) & 1) << 1);
    store<u8>(out, low | (high << 2));
    out++; a += 4 * w;
  }
}

/** Keeps the low `keep` bytes of every word. Each store writes past its word; the next one overwrites that. */
export function truncateWords(out: usize, a: usize, wordBytes: u32, keep: u32, count: u32): void {
  for (let i: u32 = 0; i < count; i++) {
    if (wordBytes == 8) store<u64>(out, load<u64>(a));
    else v128.store(out, v128.load(a));
    out += keep; a += wordBytes;
  }
}

/** Inverse of truncateWords up to a factor: the `keep` bytes become the HIGH bytes of the word, the rest is zero. */
export function widenWords(out: usize, a: usize, wordBytes: u32, keep: u32, count: u32): void {
  const shift = <u64>(wordBytes - keep) << 3;
  for (let i: u32 = 0; i < count; i++) {
    const low = load<u64>(a);
    if (wordBytes == 8) store<u64>(out, low << shift);
    else if (shift >= 64) {
      store<u64>(out, 0);
      store<u64>(out, low << (shift - 64), 8);
    } else {
      store<u64>(out, low << shift);
      store<u64>(out, (load<u64>(a, 8) << shift) | (shift == 0 ? 0 : low >> (64 - shift)), 8);
    }
    out += wordBytes; a += keep;
  }
}

/** out = a >> shift, word by word, 0 <= shift < word size in bits. */
export function shiftWords(out: usize, a: usize, wordBytes: u32, shift: u32, count: u32): void {
  const s = <u64>shift;
  for (let i: u32 = 0; i < count; i++) {
    const low = load<u64>(a);
    if (wordBytes == 8) store<u64>(out, low >> s);
    else {
      const high = load<u64>(a, 8);
      if (s >= 64) {
        store<u64>(out, high >> (s - 64));
        store<u64>(out, 0, 8);
      } else {
        store<u64>(out, (low >> s) | (s == 0 ? 0 : high << (64 - s)));
        store<u64>(out, high >> s, 8);
      }
    }
    out += wordBytes; a += wordBytes;
  }
}

/** Offset of the first byte in which a and b differ, or `bytes`. For public values: stops early. */
export function firstDifference(a: usize, b: usize, bytes: u32): u32 {
  let i: u32 = 0;
  while (i + 16 <= bytes && !v128.any_true(v128.xor(v128.load(a + i), v128.load(b + i)))) i += 16;
  while (i < bytes && load<u8>(a + i) == load<u8>(b + i)) i++;
  return i;
}
