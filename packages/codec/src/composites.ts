/**
 * Codecs made of codecs: bytes, words, text, options, vectors, structs, enums (bincode 1 "fixint" layouts).
 * Everything with a length takes its maximum; lengths are compared with it and with the remaining bytes before use.
 */
import type { Codec, Decoded } from './codec.ts';
import type { Reader } from './reader.ts';

type AnyCodec = Codec<unknown>;
type Fields = Readonly<Record<string, AnyCodec>>;

/** u64 length, then that many bytes. Decodes to a view into the input. */
export function bytes(max: number): Codec<Uint8Array> {
  return words(1, max);
}

/**
 * Vec<u64> (`wordBytes` 8) or Vec<u128> (16) as raw little-endian bytes, never as an array of integers.
 * Decodes to a view into the input, not aligned. `maxWords` bounds the declared count.
 */
export function words(wordBytes: 1 | 8 | 16, maxWords: number): Codec<Uint8Array> {
  return {
    minBytes: 8,
    read(reader) {
      const at = reader.offset;
      const byteCount = reader.size(maxWords) * wordBytes;
      requireAvailable(reader, byteCount, at);
      return reader.take(byteCount);
    },
    write(writer, value) {
      const count = value.length / wordBytes;
      if (!Number.isInteger(count) || count > maxWords) {
        throw new RangeError(`got ${value.length} bytes, want at most ${maxWords} words of ${wordBytes} bytes`);
      }
      writer.size(count);
      writer.raw(value);
    },
  };
}

/** Exactly `count` bytes without a length. Decodes to a view into the input. */
export function fixedBytes(count: number): Codec<Uint8Array> {
  return {
    minBytes: count,
    read: (reader) => reader.take(count),
    write(writer, value) {
      if (value.length !== count) throw new RangeError(`got ${value.length} bytes, want ${count}`);
      writer.raw(value);
    },
  };
}

/** UTF-8 with a u64 byte length. Ill-formed UTF-8 is refused; a byte order mark is kept as a character. */
export function text(maxBytes: number): Codec<string> {
  const raw = bytes(maxBytes);
  return {
    minBytes: raw.minBytes,
    read(reader) {
      const at = reader.offset;
      const encoded = raw.read(reader);
      try {
        return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(encoded);
      } catch {
        throw reader.error('CODEC_VALUE', 'got ill-formed UTF-8', at);
      }
    },
    write(writer, value) {
      if (!value.isWellFormed()) throw new RangeError('got a lone surrogate, want well-formed text');
      raw.write(writer, new TextEncoder().encode(value));
    },
  };
}

/** u8 0 or 1, then the value when 1. */
export function option<T>(inner: Codec<T>): Codec<T | null> {
  return {
    minBytes: 1,
    read(reader) {
      const at = reader.offset;
      const present = reader.u8();
      if (present > 1) throw reader.error('CODEC_VALUE', `got option tag ${present}, want 0 or 1`, at);
      return present === 1 ? inner.read(reader) : null;
    },
    write(writer, value) {
      writer.u8(value === null ? 0 : 1);
      if (value !== null) inner.write(writer, value);
    },
  };
}

/** u64 count of at most `max`, then the elements. */
export function vector<T>(element: Codec<T>, max: number): Codec<readonly T[]> {
  return {
    minBytes: 8,
    read(reader) {
      const at = reader.offset;
      const count = reader.size(max);
      requireAvailable(reader, count * element.minBytes, at);
      const values: T[] = [];
      for (let index = 0; index < count; index++) values.push(reader.within(index, () => element.read(reader)));
      return values;
    },
    write(writer, values) {
      if (values.length > max) throw new RangeError(`got ${values.length} elements, want at most ${max}`);
      writer.size(values.length);
      for (const value of values) element.write(writer, value);
    },
  };
}

/** Fields in declaration order, without names or padding. Also tuples. */
export function struct<F extends Fields>(fields: F): Codec<{ readonly [K in keyof F]: Decoded<F[K]> }> {
  const entries = Object.entries(fields);
  return {
    minBytes: entries.reduce((sum, [, field]) => sum + field.minBytes, 0),
    read(reader) {
      const value: Record<string, unknown> = {};
      for (const [name, field] of entries) value[name] = reader.within(name, () => field.read(reader));
      return value as { readonly [K in keyof F]: Decoded<F[K]> }; // exactly the keys of `fields` were set
    },
    write(writer, value) {
      for (const [name, field] of entries) field.write(writer, value[name]);
    },
  };
}

/** One variant of a decoded enum. Variants without content hold null. */
export type VariantOf<F extends Fields> = {
  [K in keyof F & string]: { readonly kind: K; readonly value: Decoded<F[K]> };
}[keyof F & string];

/** u32 variant number, counted in declaration order, then the variant's content. */
export function variants<F extends Fields>(fields: F): Codec<VariantOf<F>> {
  const entries = Object.entries(fields);
  return {
    minBytes: 4 + Math.min(...entries.map(([, content]) => content.minBytes)),
    read(reader) {
      const at = reader.offset;
      const entry = entries[reader.u32()];
      if (entry === undefined) {
        const names = entries.map(([name], index) => `${index} (${name})`).join(', ');
        throw reader.error('CODEC_VARIANT', `got an unknown variant, want ${names}`, at);
      }
      const [kind, content] = entry;
      const value = reader.within(kind, () => content.read(reader));
      return { kind, value } as VariantOf<F>; // `kind` and its codec come from the same entry
    },
    write(writer, { kind, value }) {
      const index = entries.findIndex(([name]) => name === kind);
      const content = fields[kind];
      if (index < 0 || content === undefined) throw new RangeError(`got unknown variant ${kind}`);
      writer.u32(index);
      content.write(writer, value);
    },
  };
}

/** A variant that exists in the format and that we do not read. `why` completes "not supported: ...". */
export function unsupported(why: string): Codec<never> {
  return {
    minBytes: 0,
    read(reader) {
      throw reader.error('CODEC_UNSUPPORTED', `not supported: ${why}`);
    },
    write() {
      throw new RangeError(`not supported: ${why}`);
    },
  };
}

/** The same bytes as `inner` under another type in the program. `to` may return undefined to refuse the value. */
export function mapped<A, B>(
  inner: Codec<A>,
  map: { readonly to: (value: A) => B | undefined; readonly from: (value: B) => A; readonly want: string },
): Codec<B> {
  return {
    minBytes: inner.minBytes,
    read(reader) {
      const at = reader.offset;
      const value = map.to(inner.read(reader));
      if (value === undefined) throw reader.error('CODEC_VALUE', `want ${map.want}`, at);
      return value;
    },
    write: (writer, value) => inner.write(writer, map.from(value)),
  };
}

function requireAvailable(reader: Reader, byteCount: number, lengthAt: number): void {
  if (byteCount > reader.remaining) {
    const problem = `length needs ${byteCount} bytes, got ${reader.remaining} until the end`;
    throw reader.error('CODEC_END', problem, lengthAt);
  }
}
