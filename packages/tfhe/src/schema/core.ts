/**
 * tfhe-rs core_crypto entities and seeds, as bytes. `words` says how wide their numbers are: 8 (u64) or 16 (u128).
 * Mask and body words stay raw little-endian bytes: views into the input, aligned to nothing.
 */
import { type Decoded, size, u64, u128 } from '@keyquorum/codec/codec';
import { bytes, struct, variants, words } from '@keyquorum/codec/composites';
import { versioned, versionedSize, versionedStruct, versions } from './versioned.ts';

export type WordBytes = 8 | 16;

/** Above every dimension, polynomial size and per-GLWE count of tfhe-rs parameter sets. */
export const MAX_DIMENSION = 2 ** 16;
/** Above the longest list of any key (2^25 words); bytes in hand bound it further. */
const MAX_WORDS = 2 ** 27;
/** Above log2 of any base or modulus (128). */
const MAX_LOG = 256;
/** Seed data is an 8-byte label and a seed of a few dozen bytes. */
const MAX_SEED_BYTES = 256;

export const dimension = versionedSize(MAX_DIMENSION);
export const log = versionedSize(MAX_LOG);
export const levelCount = versionedSize(MAX_LOG);
/** Message and carry moduli, degrees, noise levels. Wide enough to tell a wrong value from a malformed one. */
export const smallNumber = versionedSize(Number.MAX_SAFE_INTEGER);

const data = (wordBytes: WordBytes) => words(wordBytes, MAX_WORDS);

/** Modulus 0 with `scalarBits` 64 or 128 is the native modulus 2^scalarBits. */
export const ciphertextModulus = versionedStruct(0, { modulus: u128, scalarBits: size(128) });
export type CiphertextModulus = Decoded<typeof ciphertextModulus>;
export const NATIVE_64: CiphertextModulus = { modulus: 0n, scalarBits: 64 };
export const NATIVE_128: CiphertextModulus = { modulus: 0n, scalarBits: 128 };

const tableIndex = versionedStruct(0, { aesIndex: versioned(0, u128), byteIndex: versioned(0, size(15)) });
/** An 8-byte label, then the seed. */
export const xofSeed = versionedStruct(0, { data: bytes(MAX_SEED_BYTES) });
const seedKind = versioned(0, variants({ Ctr: versioned(0, u128), Xof: xofSeed }));
/** Version 0 (tfhe-rs before 1.6) is a bare AES key. */
export const compressionSeed = versions({
  0: struct({ seed: u128 }),
  1: struct({ inner: versionedStruct(0, { seed: seedKind, firstIndex: tableIndex }) }),
});
export type CompressionSeed = Decoded<typeof compressionSeed>;

/** One word per key bit. */
export const lweSecretKey = (wordBytes: WordBytes) => versionedStruct(0, { data: data(wordBytes) });
export const glweSecretKey = (wordBytes: WordBytes) =>
  versionedStruct(0, { data: data(wordBytes), polynomialSize: dimension });

/** Mask words, then the body. */
export const lweCiphertext = (wordBytes: WordBytes) => versionedStruct(0, { data: data(wordBytes), ciphertextModulus });
/** Mask polynomials, then the body polynomial. */
export const glweCiphertext = versionedStruct(0, { data: data(8), polynomialSize: dimension, ciphertextModulus });

export const seededLweCiphertext = versionedStruct(0, {
  body: u64,
  lweSize: dimension,
  compressionSeed,
  ciphertextModulus,
});
export const seededLweCiphertextList = versionedStruct(0, {
  data: data(8),
  lweSize: dimension,
  compressionSeed,
  ciphertextModulus,
});
export const seededGlweCiphertext = versionedStruct(0, {
  data: data(8),
  glweSize: dimension,
  compressionSeed,
  ciphertextModulus,
});
/** All masks (one polynomial per started chunk of N ciphertexts), then all bodies. */
export const lweCompactCiphertextList = versionedStruct(0, {
  data: data(8),
  lweSize: dimension,
  count: dimension,
  ciphertextModulus,
});

/**
 * A GLWE ciphertext whose words are rounded to `bits` bits: the mask polynomials, then the first `bodyCount`
 * coefficients of the body. They are packed lowest bit first into whole words. What the last word holds behind the last
 * number is not defined: tfhe-rs writes zeros there from a CPU, and the next coefficients of the body from a GPU.
 */
export const modulusSwitchedGlwe = (wordBytes: WordBytes) =>
  versionedStruct(0, {
    packed: versionedStruct(0, { data: data(wordBytes), bits: log, count: size(MAX_WORDS) }),
    glweDimension: dimension,
    polynomialSize: dimension,
    bodyCount: dimension,
    ciphertextModulus,
  });
export type ModulusSwitchedGlwe = Decoded<ReturnType<typeof modulusSwitchedGlwe>>;

export const seededKeyswitchKey = versionedStruct(2, {
  data: data(8),
  baseLog: log,
  levels: levelCount,
  outputLweSize: dimension,
  compressionSeed,
  ciphertextModulus,
});
export const seededPackingKeyswitchKey = (wordBytes: WordBytes) =>
  versionedStruct(2, {
    data: data(wordBytes),
    baseLog: log,
    levels: levelCount,
    outputGlweSize: dimension,
    outputPolynomialSize: dimension,
    compressionSeed,
    ciphertextModulus,
  });
export const seededBootstrapKey = (wordBytes: WordBytes) =>
  versionedStruct(1, {
    ggswList: versionedStruct(1, {
      data: data(wordBytes),
      glweSize: dimension,
      polynomialSize: dimension,
      baseLog: log,
      levels: levelCount,
      compressionSeed,
      ciphertextModulus,
    }),
  });

/** Free bytes an object carries for its application. KMS keys carry a 32-byte key id at most. */
export const MAX_TAG_BYTES = 4096;
export const tag = versionedStruct(0, { data: bytes(MAX_TAG_BYTES) });
