/** Parameter structs of tfhe-rs as they are written inside keys; parameters.ts of this package holds the values. */
import { bool, type Decoded, f64, u32, unit } from '@keyquorum/codec/codec';
import { struct, unsupported, variants } from '@keyquorum/codec/composites';
import { ciphertextModulus, dimension, levelCount, log, smallNumber } from './core.ts';
import { versioned, versionedStruct, versions } from './versioned.ts';

const number = versioned(0, f64);

export const keyChoice = versioned(0, variants({ Big: unit, Small: unit }));
export const pbsOrder = versioned(0, variants({ KeyswitchBootstrap: unit, BootstrapKeyswitch: unit }));
export const atomicPattern = versioned(0, variants({ Standard: pbsOrder, KeySwitch32: unit }));
export type AtomicPattern = Decoded<typeof atomicPattern>;

export const noiseDistribution = versioned(
  0,
  variants({
    Gaussian: versionedStruct(0, { std: f64, mean: f64 }),
    TUniform: versionedStruct(0, { boundLog2: u32 }),
  }),
);

export const modulusSwitchType = versioned(
  0,
  variants({
    Standard: unit,
    Drift: versionedStruct(0, { zeros: dimension, bound: number, rSigma: number, inputVariance: number }),
    CenteredMean: unit,
  }),
);

export const pbsParameters = versioned(
  0,
  variants({
    Classic: versionedStruct(2, {
      lweDimension: dimension,
      glweDimension: dimension,
      polynomialSize: dimension,
      lweNoise: noiseDistribution,
      glweNoise: noiseDistribution,
      pbsBaseLog: log,
      pbsLevels: levelCount,
      ksBaseLog: log,
      ksLevels: levelCount,
      messageModulus: smallNumber,
      carryModulus: smallNumber,
      maxNoiseLevel: smallNumber,
      log2FailureProbability: f64,
      ciphertextModulus,
      encryptionKeyChoice: keyChoice,
      modulusSwitchType,
    }),
    MultiBit: unsupported('multi-bit bootstrapping parameters'),
  }),
);

/**
 * Whether ciphertexts of a compact list are cast to another key when expanded. Tag 0 is written by tfhe-rs before
 * 1.6.
 */
export const expansionKind = versions({
  0: variants({ RequiresCasting: unit, NoCasting: pbsOrder }),
  1: variants({ RequiresCasting: unit, NoCasting: atomicPattern }),
});
export type ExpansionKind = Decoded<typeof expansionKind>;

export const pkeParameters = versionedStruct(1, {
  dimension,
  noise: noiseDistribution,
  messageModulus: smallNumber,
  carryModulus: smallNumber,
  ciphertextModulus,
  expansionKind,
  zkScheme: versioned(0, variants({ ZkNotSupported: unit, V1: unit, V2: unit })),
});
export type PkeParameters = Decoded<typeof pkeParameters>;

export const keySwitchingParameters = versionedStruct(0, {
  baseLog: log,
  levels: levelCount,
  destinationKey: keyChoice,
});

export const compressionParameters = versioned(
  1,
  variants({
    Classic: versionedStruct(0, {
      bootstrapLevels: levelCount,
      bootstrapBaseLog: log,
      packingLevels: levelCount,
      packingBaseLog: log,
      packingPolynomialSize: dimension,
      packingGlweDimension: dimension,
      ciphertextsPerGlwe: dimension,
      storageLogModulus: log,
      noise: noiseDistribution,
    }),
    MultiBit: unsupported('multi-bit compression parameters'),
  }),
);

export const noiseSquashingParameters = versioned(
  2,
  variants({
    Classic: versionedStruct(0, {
      glweDimension: dimension,
      polynomialSize: dimension,
      noise: noiseDistribution,
      baseLog: log,
      levels: levelCount,
      modulusSwitchType,
      messageModulus: smallNumber,
      carryModulus: smallNumber,
      ciphertextModulus,
    }),
    MultiBit: unsupported('multi-bit noise squashing parameters'),
  }),
);

export const noiseSquashingCompressionParameters = versionedStruct(0, {
  packingLevels: levelCount,
  packingBaseLog: log,
  polynomialSize: dimension,
  glweDimension: dimension,
  ciphertextsPerGlwe: dimension,
  noise: noiseDistribution,
  messageModulus: smallNumber,
  carryModulus: smallNumber,
  ciphertextModulus,
});

export const reRandomizationParameters = versioned(
  0,
  variants({
    LegacyDedicatedKey: struct({ keySwitching: keySwitchingParameters }),
    DerivedPublicKey: unit,
  }),
);

/** Used by both sides of a string entry of a list. */
export const stringShape = struct({ characters: u32, padded: bool });
