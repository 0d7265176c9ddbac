/** Properties of every combinator: round trip, and any bytes give either one canonical value or CodecError. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  bool,
  type Codec,
  decode,
  encode,
  encodeSecret,
  f64,
  i8,
  size,
  u8,
  u32,
  u64,
  u128,
  unit,
} from '../src/codec.ts';
import {
  bytes,
  fixedBytes,
  mapped,
  option,
  struct,
  text,
  unsupported,
  variants,
  vector,
  words,
} from '../src/composites.ts';
import { CodecError } from '../src/error.ts';

const nested = struct({
  flag: bool,
  id: u64,
  seed: u128,
  name: text(40),
  rows: vector(struct({ degree: size(15), data: words(8, 4) }), 5),
  choice: variants({ Big: unit, Small: struct({ shift: i8 }), Raw: bytes(9) }),
  note: option(f64),
  key: fixedBytes(3),
});

const nestedValue = fc.record({
  flag: fc.boolean(),
  id: fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
  seed: fc.bigInt({ min: 0n, max: (1n << 128n) - 1n }),
  name: fc.string({ maxLength: 10, unit: 'grapheme-ascii' }),
  rows: fc.array(
    fc.record({
      degree: fc.nat(15),
      data: fc.array(fc.nat(255), { maxLength: 4 }).map((row) => new Uint8Array(row.flatMap((v) => Array(8).fill(v)))),
    }),
    { maxLength: 5 },
  ),
  choice: fc.oneof(
    fc.constant({ kind: 'Big' as const, value: null }),
    fc.integer({ min: -128, max: 127 }).map((shift) => ({ kind: 'Small' as const, value: { shift } })),
    fc.uint8Array({ maxLength: 9 }).map((value) => ({ kind: 'Raw' as const, value })),
  ),
  note: fc.option(fc.double({ noNaN: true, noDefaultInfinity: true })),
  key: fc.uint8Array({ minLength: 3, maxLength: 3 }),
});

function expectCanonical<T>(codec: Codec<T>, input: Uint8Array): void {
  let value: T;
  try {
    value = decode(codec, input);
  } catch (error) {
    expect(error).toBeInstanceOf(CodecError);
    return;
  }
  expect(encode(codec, value)).toEqual(input);
}

function refusal(run: () => unknown): CodecError {
  try {
    run();
  } catch (error) {
    if (error instanceof CodecError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

test('every value round trips', () => {
  fc.assert(
    fc.property(nestedValue, (value) => {
      expect(decode(nested, encode(nested, value))).toEqual(value);
    }),
  );
});

test('any bytes: CodecError, or the one encoding of the value', () => {
  const flat = [u8, i8, u32, u64, u128, f64, bool, size(300), text(20), bytes(20), words(16, 3), option(u32)];
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (input) => {
      for (const codec of flat) expectCanonical(codec as Codec<unknown>, input);
      expectCanonical(nested, input);
    }),
    { numRuns: 2000 },
  );
});

test('real encodings with one byte changed: CodecError, or the one encoding of another value', () => {
  fc.assert(
    fc.property(nestedValue, fc.nat(), fc.nat(255), (value, at, byte) => {
      const input = encode(nested, value);
      input[at % input.length] = byte;
      expectCanonical(nested, input);
    }),
    { numRuns: 2000 },
  );
});

test('every truncation of a real encoding is refused, inside it and at its end', () => {
  fc.assert(
    fc.property(nestedValue, fc.nat(), (value, cut) => {
      const input = encode(nested, value);
      const error = refusal(() => decode(nested, input.subarray(0, cut % input.length)));
      expect(error.code).toBe('CODEC_END');
      expect(error.offset).toBeLessThanOrEqual(input.length);
    }),
  );
});

describe('refusals name code, offset and field', () => {
  const row = struct({ tag: u32, rows: vector(struct({ degree: size(15), on: bool }), 1000) });
  const cases: readonly [string, Uint8Array, object][] = [
    [
      'bool 2',
      encode(row, { tag: 1, rows: [{ degree: 3, on: true }] }).fill(2, 20),
      { code: 'CODEC_VALUE', offset: 20, path: 'rows[0].on' },
    ],
    [
      'degree 16',
      encode(row, { tag: 1, rows: [{ degree: 3, on: true }] }).fill(16, 12, 13),
      { code: 'CODEC_LENGTH', offset: 12, path: 'rows[0].degree' },
    ],
    ['one byte too many', new Uint8Array(13), { code: 'CODEC_TRAILING', offset: 12, path: '' }],
    [
      'a count the bytes cannot hold',
      encode(struct({ tag: u32, count: u64 }), { tag: 1, count: 999n }),
      { code: 'CODEC_END', offset: 4, path: 'rows' },
    ],
    ['a count of 2^64-1', new Uint8Array(12).fill(255), { code: 'CODEC_LENGTH', offset: 4, path: 'rows' }],
  ];
  test.each(cases)('%s', (_, input, want) => expect(refusal(() => decode(row, input))).toMatchObject(want));

  test('a variant that is known but not read', () => {
    const codec = variants({ Plain: u8, Packed: unsupported('packed values') });
    expect(refusal(() => decode(codec, new Uint8Array([1, 0, 0, 0])))).toMatchObject({ code: 'CODEC_UNSUPPORTED' });
    expect(refusal(() => decode(codec, new Uint8Array([2, 0, 0, 0, 0])))).toMatchObject({ code: 'CODEC_VARIANT' });
  });

  test('ill-formed UTF-8, NaN, a refused mapping', () => {
    expect(refusal(() => decode(text(4), new Uint8Array([1, 0, 0, 0, 0, 0, 0, 0, 0xff]))).code).toBe('CODEC_VALUE');
    expect(refusal(() => decode(f64, new Uint8Array(8).fill(255))).code).toBe('CODEC_VALUE');
    const even = mapped(u8, {
      to: (v) => (v % 2 === 0 ? v : undefined),
      from: (v: number) => v,
      want: 'an even number',
    });
    expect(refusal(() => decode(even, new Uint8Array([3]))).message).toContain('an even number');
  });
});

test('byte fields are views: decoding a huge declared or real length allocates nothing', () => {
  const input = encode(words(8, 1 << 20), new Uint8Array(8 << 20));
  expect(decode(words(8, 1 << 20), input).buffer).toBe(input.buffer);
});

test('the writer refuses what the reader would refuse', () => {
  expect(() => encode(u8, 256)).toThrow(RangeError);
  expect(() => encode(u128, 1n << 128n)).toThrow(RangeError);
  expect(() => encode(size(4), 5)).toThrow(RangeError);
  expect(() => encode(f64, Number.NaN)).toThrow(RangeError);
  expect(() => encode(words(8, 4), new Uint8Array(7))).toThrow(RangeError);
  expect(() => encode(fixedBytes(2), new Uint8Array(3))).toThrow(RangeError);
  expect(() => encode(vector(u8, 1), [1, 2])).toThrow(RangeError);
  expect(() => encode(text(4), '\ud800')).toThrow(RangeError);
});

test('bytes after the value are ignored only on request', () => {
  expect(decode(u8, new Uint8Array([7, 1]), { allowTrailing: true })).toBe(7);
});

test('a secret is encoded like anything else, and the writer keeps no copy of it', () => {
  const words16 = words(16, 1_000);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (data) => {
      const value = new Uint8Array(160 * data.length).fill(data[0] ?? 0);
      expect(encodeSecret(words16, value)).toEqual(encode(words16, value));
    }),
  );
  // Typed arrays inherit their slice: for once, one of their own shows what buffer the result was copied from.
  const copied: Uint8Array[] = [];
  const { slice } = Uint8Array.prototype;
  Uint8Array.prototype.slice = function (...range) {
    copied.push(this);
    return slice.apply(this, range);
  };
  try {
    encodeSecret(words16, new Uint8Array(16).fill(7));
  } finally {
    Reflect.deleteProperty(Uint8Array.prototype, 'slice');
  }
  expect(copied.map((buffer) => buffer.every((byte) => byte === 0))).toEqual([true]);
});
