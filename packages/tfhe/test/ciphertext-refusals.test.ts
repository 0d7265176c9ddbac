/**
 * What bad ciphertexts get: a code, the field, and never another exception or more memory than the format's
 * largest object.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  CiphertextError,
  type CiphertextFormat,
  isSquashed,
  MAX_CIPHERTEXT_BYTES,
  readCiphertext,
  recompose,
} from '../src/ciphertext.ts';
import { DEFAULT_PARAMETERS, TEST_PARAMETERS } from '../src/parameters.ts';
import { safeDeserialize, safeSerialize, TYPE_NAME } from '../src/safe-serialize.ts';
import { compactCiphertextList, compressedFheBool, fheBool, fheInteger } from '../src/schema/ciphertexts.ts';
import { compressedListBytes, encryptedList } from './support/compressed-list.ts';
import {
  encryptCompressed,
  encryptFhe,
  listBuilder,
  loadNodeTfhe,
  SIZE_LIMIT,
  serialize,
} from './support/node-tfhe.ts';
import { fixedSecretBits } from './support/secret-bits.ts';
import { encryptedSquashedList, encryptSquashed, fixedKey, squashedListBytes } from './support/squashed.ts';
import { clientKeyBytes } from './support/test-client-key.ts';

const tfhe = loadNodeTfhe();
const key = tfhe.TfheClientKey.safe_deserialize(clientKeyBytes(TEST_PARAMETERS), SIZE_LIMIT);
const publicKey = tfhe.TfheCompactPublicKey.new(key);
const bool = { kind: 'bool', bits: 1 } as const;
const uint16 = { kind: 'uint', bits: 16 } as const;
const compressionKey = fixedSecretBits(TEST_PARAMETERS).compression;
const squashingKey = fixedKey(TEST_PARAMETERS, 'noise-squashing');
const samples: Readonly<Record<string, readonly [CiphertextFormat, Uint8Array]>> = {
  list: [
    'compact-list',
    serialize(
      listBuilder(tfhe, publicKey, [
        { type: bool, value: 1n },
        { type: uint16, value: 513n },
      ]).build_packed(),
    ),
  ],
  plainList: ['compact-list', serialize(listBuilder(tfhe, publicKey, [{ type: uint16, value: 513n }]).build())],
  uint: ['fhe', encryptFhe(tfhe, key, uint16, 513n)],
  bool: ['fhe', encryptFhe(tfhe, key, bool, 1n)],
  seeded: ['compressed-fhe', encryptCompressed(tfhe, key, uint16, 513n)],
  seededBool: ['compressed-fhe', encryptCompressed(tfhe, key, bool, 1n)],
  compressedList: [
    'compressed-list',
    compressedListBytes(
      encryptedList(TEST_PARAMETERS, compressionKey, [
        { type: bool, value: 1n },
        { type: uint16, value: 513n },
      ]),
    ),
  ],
  squashed: ['squashed', encryptSquashed(squashingKey, { type: uint16, value: 513n })],
  squashedBool: ['squashed', encryptSquashed(squashingKey, { type: bool, value: 1n })],
  squashedList: [
    'compressed-squashed-list',
    squashedListBytes(
      encryptedSquashedList(TEST_PARAMETERS, fixedKey(TEST_PARAMETERS, 'noise-squashing-compression'), [
        { type: bool, value: 1n },
        { type: uint16, value: 513n },
      ]),
    ),
  ],
};

function refusal(format: CiphertextFormat, bytes: Uint8Array, slot = 0, parameters = TEST_PARAMETERS): CiphertextError {
  try {
    readCiphertext(format, bytes, { parameters, slot });
  } catch (error) {
    if (error instanceof CiphertextError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

function sampleUint() {
  const sample = safeDeserialize(TYPE_NAME.fheUint, fheInteger, samples.uint![1]);
  if (sample.version !== 2) throw new Error('node-tfhe 1.7 writes version 2');
  return sample;
}

/** The sample FheUint16 with one property of block 1 changed. */
function uintWith(change: object): Uint8Array {
  const { version, value } = sampleUint();
  const blocks = value.ciphertext.blocks.map((block, index) => (index === 1 ? { ...block, ...change } : block));
  return safeSerialize(TYPE_NAME.fheUint, fheInteger, { version, value: { ...value, ciphertext: { blocks } } });
}

function uintOfBlocks(count: number): Uint8Array {
  const { version, value } = sampleUint();
  const blocks = Array.from({ length: count }, () => value.ciphertext.blocks[0]!);
  return safeSerialize(TYPE_NAME.fheUint, fheInteger, { version, value: { ...value, ciphertext: { blocks } } });
}

type ListInner = ReturnType<typeof listInner>;

function listInner() {
  return safeDeserialize(TYPE_NAME.compactCiphertextList, compactCiphertextList, samples.list![1]).inner;
}

function listWith(change: (inner: ListInner) => Partial<ListInner>): Uint8Array {
  const inner = listInner();
  const value = { inner: { ...inner, ...change(inner) }, tag: { data: new Uint8Array(0) } };
  return safeSerialize(TYPE_NAME.compactCiphertextList, compactCiphertextList, value);
}

const item = (kind: 'Unsigned' | 'Signed', value: number) => ({ version: 1 as const, value: { kind, value } });
const string = { version: 1 as const, value: { kind: 'String' as const, value: { characters: 2, padded: false } } };
const boolItem = { version: 1 as const, value: { kind: 'Boolean' as const, value: null } };

describe('parameters of another key', () => {
  test.each(Object.entries(samples))('%s of the Test set under a Default key', (_, [format, bytes]) => {
    expect(refusal(format, bytes, 0, DEFAULT_PARAMETERS)).toMatchObject({ code: 'CIPHERTEXT_PARAMETERS' });
  });

  test.each([
    ['degree', { degree: 16 }, 'blocks[1].degree'],
    ['noise level above nominal', { noiseLevel: 2 }, 'blocks[1].noiseLevel'],
    ['noise level of a trivial ciphertext, which has no mask', { noiseLevel: 0 }, 'blocks[1].noiseLevel'],
    ['message modulus', { messageModulus: 2 }, 'blocks[1].messageModulus'],
    ['carry modulus', { carryModulus: 8 }, 'blocks[1].carryModulus'],
    [
      'PBS order',
      { atomicPattern: { kind: 'Standard', value: { kind: 'BootstrapKeyswitch', value: null } } },
      'blocks[1].pbsOrder',
    ],
    ['atomic pattern', { atomicPattern: { kind: 'KeySwitch32', value: null } }, 'blocks[1].atomicPattern'],
    [
      'dimension',
      { lwe: { data: new Uint8Array(8 * 256), ciphertextModulus: { modulus: 0n, scalarBits: 64 } } },
      'blocks[1].lwe.dimension',
    ],
    [
      'no words at all',
      { lwe: { data: new Uint8Array(0), ciphertextModulus: { modulus: 0n, scalarBits: 64 } } },
      'blocks[1].lwe.dimension',
    ],
    [
      'modulus',
      { lwe: { data: new Uint8Array(8 * 257), ciphertextModulus: { modulus: 1n << 32n, scalarBits: 64 } } },
      'blocks[1].ciphertextModulus',
    ],
  ])('%s', (_, change, field) => {
    expect(refusal('fhe', uintWith(change))).toMatchObject({ code: 'CIPHERTEXT_PARAMETERS', field });
  });

  test('degree 15 is the largest that is read', () => {
    const value = readCiphertext('fhe', uintWith({ degree: 15 }), { parameters: TEST_PARAMETERS });
    expect(value.type).toEqual(uint16);
  });

  test('a block in the clear, with mask 0 and without noise, is read', () => {
    const data = new Uint8Array(8 * 257);
    new DataView(data.buffer).setBigUint64(8 * 256, 3n << 59n, true);
    const lwe = { data, ciphertextModulus: { modulus: 0n, scalarBits: 64 } };
    const value = readCiphertext('fhe', uintWith({ lwe, noiseLevel: 0 }), { parameters: TEST_PARAMETERS });
    expect(value.masks.subarray(8 * 256, 2 * 8 * 256).every((byte) => byte === 0)).toBe(true);
    expect(new DataView(value.bodies.buffer).getBigUint64(8, true)).toBe(3n << 59n);
    data[8 * 256 - 1] = 1;
    const refused = refusal('fhe', uintWith({ lwe, noiseLevel: 0 }));
    expect(refused).toMatchObject({ code: 'CIPHERTEXT_PARAMETERS', field: 'blocks[1].noiseLevel' });
  });

  test.each([
    ['degree', { degree: 16 }],
    ['message modulus', { messageModulus: 2 }],
    ['carry modulus', { carryModulus: 2 }],
    [
      'a list that needs no casting',
      { expansionKind: { version: 1, value: { kind: 'NoCasting', value: { kind: 'KeySwitch32', value: null } } } },
    ],
  ])('list: %s', (_, change) => {
    const bytes = listWith(({ blocks }) => ({ blocks: { ...blocks, ...change } as ListInner['blocks'] }));
    expect(refusal('compact-list', bytes)).toMatchObject({ code: 'CIPHERTEXT_PARAMETERS' });
  });
});

describe('slots, types, kinds and sizes', () => {
  test.each([2, 3, 4096, -1, 0.5, Number.NaN])('slot %d of a list of two', (slot) => {
    expect(refusal('compact-list', samples.list![1], slot)).toMatchObject({ code: 'CIPHERTEXT_SLOT' });
  });

  test('slot 1 of an object that holds one value', () => {
    expect(refusal('fhe', samples.uint![1], 1)).toMatchObject({ code: 'CIPHERTEXT_SLOT' });
    expect(refusal('compressed-fhe', samples.seeded![1], 1)).toMatchObject({ code: 'CIPHERTEXT_SLOT' });
  });

  test.each([0, 9, 129, 1023])('an integer of %d blocks', (count) => {
    expect(refusal('fhe', uintOfBlocks(count))).toMatchObject({ code: 'CIPHERTEXT_TYPE' });
  });

  test('1025 blocks are above every type', () => {
    const bytes = uintOfBlocks(1024);
    new DataView(bytes.buffer).setBigUint64(57 + 12, 1025n, true);
    expect(refusal('fhe', bytes)).toMatchObject({ code: 'CIPHERTEXT_MALFORMED', field: 'ciphertext.blocks' });
  });

  test('list items: a width without a type, and strings', () => {
    const odd = listWith(() => ({ items: [item('Signed', 9)] }));
    expect(refusal('compact-list', odd)).toMatchObject({ code: 'CIPHERTEXT_TYPE' });
    const text = listWith(() => ({ items: [string, boolItem] }));
    expect(refusal('compact-list', text, 0)).toMatchObject({ code: 'CIPHERTEXT_UNSUPPORTED' });
    expect(readCiphertext('compact-list', text, { parameters: TEST_PARAMETERS, slot: 1 }).type).toEqual(bool);
  });

  test('items that do not fill the ciphertexts', () => {
    for (const items of [[item('Unsigned', 8)], [item('Unsigned', 1024), item('Unsigned', 1)], []]) {
      expect(
        refusal(
          'compact-list',
          listWith(() => ({ items })),
        ),
      ).toMatchObject({ code: 'CIPHERTEXT_MALFORMED' });
    }
  });

  test('ciphertext words that do not match the count', () => {
    const bytes = listWith(({ blocks }) => ({
      blocks: { ...blocks, lwe: { ...blocks.lwe, data: blocks.lwe.data.subarray(8) } },
    }));
    expect(refusal('compact-list', bytes)).toMatchObject({ code: 'CIPHERTEXT_MALFORMED', field: 'parts[0].lwe.data' });
  });

  test('modulus-switched seeded values', () => {
    const value = safeDeserialize(TYPE_NAME.compressedFheBool, compressedFheBool, samples.seededBool![1]);
    const bytes = safeSerialize(TYPE_NAME.compressedFheBool, compressedFheBool, value);
    bytes[headerBytes(bytes) + 8] = 1; // behind the version tags of the object and of its variants
    expect(refusal('compressed-fhe', bytes)).toMatchObject({ code: 'CIPHERTEXT_UNSUPPORTED' });
  });

  test('an object of another format', () => {
    expect(refusal('fhe', samples.list![1])).toMatchObject({ code: 'CIPHERTEXT_MALFORMED', field: 'header.typeName' });
    const others = Object.keys(MAX_CIPHERTEXT_BYTES).filter((format) => format !== 'fhe') as CiphertextFormat[];
    for (const format of others) {
      expect(refusal(format, samples.uint![1])).toMatchObject({
        code: 'CIPHERTEXT_MALFORMED',
        field: 'header.typeName',
      });
    }
    const renamed = safeSerialize(
      TYPE_NAME.fheUint,
      fheBool,
      safeDeserialize(TYPE_NAME.fheBool, fheBool, samples.bool![1]),
    );
    expect(refusal('fhe', renamed)).toMatchObject({ code: 'CIPHERTEXT_MALFORMED' });
  });

  test.each(Object.keys(MAX_CIPHERTEXT_BYTES) as CiphertextFormat[])('%s: one byte above the limit', (format) => {
    const bytes = new Uint8Array(MAX_CIPHERTEXT_BYTES[format] + 1);
    expect(refusal(format, bytes)).toMatchObject({ code: 'CIPHERTEXT_TOO_LARGE' });
  });
});

/** Bytes before the object's own version tag: two versions and the mode, then the type name. */
function headerBytes(bytes: Uint8Array): number {
  return 26 + 8 + Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(26, true));
}

describe.each(Object.entries(samples))('%s', (_, [format, sample]) => {
  /** Reads; anything but a value that recomposes or a CiphertextError fails the test. */
  function readOrRefuse(bytes: Uint8Array): void {
    try {
      const value = readCiphertext(format, bytes, { parameters: TEST_PARAMETERS });
      const wordBytes = isSquashed(value) ? 16 : 8;
      expect(value.masks.length).toBe(wordBytes * value.dimension * value.blockBits.length);
      recompose(value, new Uint8Array(value.blockBits.length).fill(15));
    } catch (error) {
      if (!(error instanceof CiphertextError)) throw error;
    }
  }

  test('trailing bytes and every truncation are refused as malformed', () => {
    expect(refusal(format, new Uint8Array([...sample, 0]))).toMatchObject({ code: 'CIPHERTEXT_MALFORMED' });
    fc.assert(
      fc.property(fc.nat(sample.length - 1), (length) => {
        expect(refusal(format, sample.subarray(0, length))).toMatchObject({ code: 'CIPHERTEXT_MALFORMED' });
      }),
    );
  });

  test('every byte outside the words, changed: a value or a CiphertextError', () => {
    const bytes = new Uint8Array(sample);
    // Mask and body words are free, so only the first and last of long objects are worth walking through.
    const offsets = [...bytes.keys()].filter((at) => at < 400 || at > bytes.length - 400);
    for (const at of offsets) {
      const before = bytes[at]!;
      for (const value of [0, 1, 2, 3, 255]) {
        bytes[at] = value;
        readOrRefuse(bytes);
      }
      bytes[at] = before;
    }
  });

  test('random splices, removals and repetitions: a value or a CiphertextError', () => {
    fc.assert(
      fc.property(
        fc.nat(sample.length),
        fc.oneof(fc.nat(40), fc.nat(sample.length)),
        fc.uint8Array({ maxLength: 40 }),
        (at, removed, inserted) => {
          readOrRefuse(new Uint8Array([...sample.subarray(0, at), ...inserted, ...sample.subarray(at + removed)]));
        },
      ),
      { numRuns: 300 },
    );
  });

  test('the largest counts a short object can declare allocate nothing', () => {
    const before = process.memoryUsage().arrayBuffers;
    for (let at = 57; at + 8 <= Math.min(sample.length, 400); at++) {
      for (const count of [2n ** 63n, 2n ** 53n - 1n, 2n ** 27n, 1024n]) {
        const bytes = new Uint8Array(sample);
        new DataView(bytes.buffer).setBigUint64(at, count, true);
        readOrRefuse(bytes);
      }
    }
    // Garbage of the copies above is collected at some time; what no bug may reach is the size of one huge count.
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 29);
  });
});

test('any bytes at all are refused as malformed', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 300 }),
      fc.constantFrom(...(Object.keys(MAX_CIPHERTEXT_BYTES) as CiphertextFormat[])),
      (bytes, format) => {
        expect(refusal(format, bytes)).toMatchObject({ code: 'CIPHERTEXT_MALFORMED' });
      },
    ),
  );
});
