/** The compressed server key of tfhe-rs as bytes, with every optional part: about 0.5 GB for the default parameters. */
import { type Codec, type Decoded, f64, i8, unit } from '@keyquorum/codec/codec';
import { option, struct, unsupported, variants } from '@keyquorum/codec/composites';
import {
  ciphertextModulus,
  dimension,
  log,
  seededBootstrapKey,
  seededKeyswitchKey,
  seededLweCiphertextList,
  seededPackingKeyswitchKey,
  smallNumber,
  tag,
  type WordBytes,
  xofSeed,
} from './core.ts';
import { compressedCompactPublicKey, integerCompressedCompactPublicKey, KEY_SWITCH_32 } from './keys.ts';
import { keyChoice, pbsOrder } from './parameters.ts';
import { versioned, versionedStruct } from './versioned.ts';

const MULTI_BIT = 'multi-bit bootstrapping keys';
const number = versioned(0, f64);
const standardOnly = <T>(standard: Codec<T>) =>
  versioned(0, variants({ Standard: standard, KeySwitch32: unsupported(KEY_SWITCH_32) }));

const modulusSwitch = versioned(
  0,
  variants({
    Standard: unit,
    Drift: versionedStruct(1, {
      zeros: seededLweCiphertextList,
      bound: number,
      rSigma: number,
      inputVariance: number,
    }),
    CenteredMean: unit,
  }),
);

/** How a key rounds before bootstrapping. */
export type ModulusSwitchConfiguration = Decoded<typeof modulusSwitch>;

/** `version` is 3 for compute and decompression keys (u64) and 1 for noise squashing keys (u128). */
const bootstrapKey = (version: number, wordBytes: WordBytes) =>
  versioned(
    version,
    variants({
      Classic: struct({ key: seededBootstrapKey(wordBytes), modulusSwitch }),
      MultiBit: unsupported(MULTI_BIT),
    }),
  );

const keySwitchingMaterial = versionedStruct(2, {
  keySwitchingKey: seededKeyswitchKey,
  castRightShift: i8,
  destinationKey: keyChoice,
  destinationAtomicPattern: versioned(0, variants({ Standard: unit, KeySwitch32: unit })),
});

const computeKey = versionedStruct(2, {
  key: versionedStruct(3, {
    atomicPattern: standardOnly(
      versionedStruct(0, { keySwitchingKey: seededKeyswitchKey, bootstrappingKey: bootstrapKey(3, 8), pbsOrder }),
    ),
    messageModulus: smallNumber,
    carryModulus: smallNumber,
    maxDegree: smallNumber,
    maxNoiseLevel: smallNumber,
  }),
});

const noiseSquashingKey = versionedStruct(0, {
  key: versionedStruct(3, {
    atomicPattern: standardOnly(versionedStruct(0, { bootstrappingKey: bootstrapKey(1, 16) })),
    messageModulus: smallNumber,
    carryModulus: smallNumber,
    outputCiphertextModulus: ciphertextModulus,
  }),
});

const reRandomizationKey = versioned(
  0,
  variants({
    LegacyDedicatedKey: struct({
      keySwitching: versioned(
        0,
        variants({
          UseCastingKey: unit,
          Dedicated: versionedStruct(2, { material: keySwitchingMaterial }),
        }),
      ),
    }),
    DerivedPublicKey: struct({ key: integerCompressedCompactPublicKey }),
  }),
);

const oprfKey = versioned(
  0,
  versionedStruct(0, {
    key: versioned(0, variants({ Classic: struct({ key: seededBootstrapKey(8) }), MultiBit: unsupported(MULTI_BIT) })),
  }),
);

const integerServerKey = versionedStruct(7, {
  key: computeKey,
  castingKey: option(versionedStruct(2, { material: keySwitchingMaterial })),
  compressionKey: option(
    versionedStruct(2, {
      key: versionedStruct(2, {
        packingKey: seededPackingKeyswitchKey(8),
        ciphertextsPerGlwe: dimension,
        storageLogModulus: log,
      }),
    }),
  ),
  decompressionKey: option(
    versionedStruct(1, {
      key: versionedStruct(2, { bootstrappingKey: bootstrapKey(3, 8), ciphertextsPerGlwe: dimension }),
    }),
  ),
  noiseSquashingKey: option(noiseSquashingKey),
  noiseSquashingCompressionKey: option(
    versionedStruct(0, {
      key: versionedStruct(0, { packingKey: seededPackingKeyswitchKey(16), ciphertextsPerGlwe: dimension }),
    }),
  ),
  reRandomizationKey: option(reRandomizationKey),
  oprfKey: option(oprfKey),
});

export const compressedServerKey = versionedStruct(2, { key: integerServerKey, tag });
export type CompressedServerKey = Decoded<typeof compressedServerKey>;

/** One seed, at whose first (or before tfhe-rs 1.6, second) byte the masks of all parts begin. */
export const compressedXofKeySet = versionedStruct(1, {
  start: versioned(0, variants({ FirstByte: xofSeed, SecondByte: xofSeed })),
  publicKey: compressedCompactPublicKey,
  serverKey: compressedServerKey,
});
