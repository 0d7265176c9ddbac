/**
 * A codec is one value type's reader and writer, and `minBytes`, the fewest bytes any value takes: with it a vector can
 * refuse a count that the remaining bytes cannot hold before anything is allocated. Scalars of bincode 1 "fixint".
 */
import { Reader } from './reader.ts';
import { Writer } from './writer.ts';

export interface Codec<T> {
  readonly minBytes: number;
  /** @throws CodecError */
  read(reader: Reader): T;
  /** @throws RangeError when the value does not fit the format */
  write(writer: Writer, value: T): void;
}

/** The value type of a codec. */
export type Decoded<C> = C extends Codec<infer T> ? T : never;

export interface DecodeOptions {
  /** Bytes after the value are ignored instead of refused. Only for formats whose real readers do the same. */
  readonly allowTrailing?: boolean;
}

/**
 * Reads exactly one value. Byte fields of the result are views into `bytes`.
 * @throws CodecError
 */
export function decode<T>(codec: Codec<T>, bytes: Uint8Array, options: DecodeOptions = {}): T {
  const reader = new Reader(bytes);
  const value = codec.read(reader);
  if (!options.allowTrailing) reader.end();
  return value;
}

/** The one encoding of `value`, in its own buffer. */
export function encode<T>(codec: Codec<T>, value: T): Uint8Array<ArrayBuffer> {
  const writer = new Writer();
  codec.write(writer, value);
  return writer.finish();
}

/** Most secrets fit without growing. */
const SECRET_CAPACITY = 4_096;

/** The same for a secret: no other copy of it is left. The caller erases the result. */
export function encodeSecret<T>(codec: Codec<T>, value: T): Uint8Array<ArrayBuffer> {
  const writer = new Writer(SECRET_CAPACITY, { secret: true });
  codec.write(writer, value);
  return writer.finish();
}

export const u8: Codec<number> = { minBytes: 1, read: (reader) => reader.u8(), write: (w, value) => w.u8(value) };

export const i8: Codec<number> = { minBytes: 1, read: (reader) => reader.i8(), write: (w, value) => w.i8(value) };

export const u32: Codec<number> = { minBytes: 4, read: (reader) => reader.u32(), write: (w, value) => w.u32(value) };

export const u64: Codec<bigint> = { minBytes: 8, read: (reader) => reader.u64(), write: (w, value) => w.u64(value) };

export const u128: Codec<bigint> = {
  minBytes: 16,
  read(reader) {
    const low = reader.u64();
    return low | (reader.u64() << 64n);
  },
  write: (writer, value) => writer.u128(value),
};

/** Finite numbers only: a NaN has many spellings and no field of ours may be infinite. */
export const f64: Codec<number> = {
  minBytes: 8,
  read(reader) {
    const at = reader.offset;
    const value = reader.f64();
    if (!Number.isFinite(value)) throw reader.error('CODEC_VALUE', `got ${value}, want a finite number`, at);
    return value;
  },
  write: (writer, value) => writer.f64(value),
};

/** usize, and u64 fields that hold small numbers: a u64 of at most `max`. */
export function size(max: number = Number.MAX_SAFE_INTEGER): Codec<number> {
  return {
    minBytes: 8,
    read: (reader) => reader.size(max),
    write(writer, value) {
      if (value > max) throw new RangeError(`got ${value}, want at most ${max}`);
      writer.size(value);
    },
  };
}

export const bool: Codec<boolean> = {
  minBytes: 1,
  read(reader) {
    const at = reader.offset;
    const value = reader.u8();
    if (value > 1) throw reader.error('CODEC_VALUE', `got ${value}, want 0 or 1`, at);
    return value === 1;
  },
  write: (writer, value) => writer.u8(value ? 1 : 0),
};

/** Zero bytes: unit, PhantomData, types that write nothing. */
export const unit: Codec<null> = { minBytes: 0, read: () => null, write: () => undefined };
