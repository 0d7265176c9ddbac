/**
 * Appends little-endian, fixed-width values to a growing buffer: the mirror of reader.ts. A value that does not fit its
 * field is our own bug and throws RangeError. Growing leaves old copies behind, unless the writer is for secrets.
 */
const MAX_U128 = (1n << 128n) - 1n;

export class Writer {
  #bytes: Uint8Array<ArrayBuffer>;
  #view: DataView;
  #length = 0;
  readonly #secret: boolean;

  /** A `secret` writer zeroes what it leaves behind, and itself when it finishes. */
  constructor(capacity = 256, { secret = false } = {}) {
    this.#secret = secret;
    this.#bytes = new Uint8Array(capacity);
    this.#view = new DataView(this.#bytes.buffer);
  }

  u8(value: number): void {
    requireInteger(value, 0, 0xff);
    const at = this.#grow(1);
    this.#view.setUint8(at, value);
  }

  i8(value: number): void {
    requireInteger(value, -0x80, 0x7f);
    const at = this.#grow(1);
    this.#view.setInt8(at, value);
  }

  u32(value: number): void {
    requireInteger(value, 0, 0xffff_ffff);
    const at = this.#grow(4);
    this.#view.setUint32(at, value, true);
  }

  u64(value: bigint): void {
    if (value < 0n || value >> 64n) throw new RangeError(`u64: got ${value}`);
    const at = this.#grow(8);
    this.#view.setBigUint64(at, value, true);
  }

  u128(value: bigint): void {
    if (value < 0n || value > MAX_U128) throw new RangeError(`u128: got ${value}`);
    this.u64(BigInt.asUintN(64, value));
    this.u64(value >> 64n);
  }

  f64(value: number): void {
    if (!Number.isFinite(value)) throw new RangeError(`f64: got ${value}, want a finite number`);
    const at = this.#grow(8);
    this.#view.setFloat64(at, value, true);
  }

  /** A JavaScript integer as u64. */
  size(value: number): void {
    requireInteger(value, 0, Number.MAX_SAFE_INTEGER);
    this.u64(BigInt(value));
  }

  raw(bytes: Uint8Array): void {
    const at = this.#grow(bytes.length);
    this.#bytes.set(bytes, at);
  }

  /** A copy of everything written so far, in its own buffer. */
  finish(): Uint8Array<ArrayBuffer> {
    const written = this.#bytes.slice(0, this.#length);
    if (this.#secret) this.#bytes.fill(0);
    return written;
  }

  /** Makes room for `count` bytes and returns where they go. Replaces the view: call it before touching that. */
  #grow(count: number): number {
    const at = this.#length;
    this.#length += count;
    if (this.#length > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(2 * this.#bytes.length, this.#length));
      larger.set(this.#bytes.subarray(0, at));
      if (this.#secret) this.#bytes.fill(0);
      this.#bytes = larger;
      this.#view = new DataView(larger.buffer);
    }
    return at;
  }
}

function requireInteger(value: number, min: number, max: number): void {
  if (!Number.isInteger(value) || value < min || value > max) {
    throw new RangeError(`got ${value}, want an integer in ${min}..${max}`);
  }
}
