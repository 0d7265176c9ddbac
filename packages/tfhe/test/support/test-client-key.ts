/**
 * A client key of the Test parameters, with every optional part, from fixed bits: node-tfhe's own builder cannot ask
 * for those parts, but it loads such a key and makes every object from it within milliseconds.
 */
import { createHash } from 'node:crypto';
import type { Decoded } from '@keyquorum/codec/codec';
import type { Decomposition, GlweShape, ModulusSwitch, ParameterSet } from '../../src/parameters.ts';
import { lweDimensionOf } from '../../src/parameters.ts';
import { safeSerialize, TYPE_NAME } from '../../src/safe-serialize.ts';
import { NATIVE_64, NATIVE_128, type WordBytes } from '../../src/schema/core.ts';
import { clientKey } from '../../src/schema/keys.ts';
import type { modulusSwitchType, noiseDistribution } from '../../src/schema/parameters.ts';

type ClientKey = Decoded<typeof clientKey>;

/** Key bits as words, the same in every run. */
function bits(label: string, count: number, wordBytes: WordBytes = 8): Uint8Array {
  const words = new Uint8Array(count * wordBytes);
  const stream = createHash('shake256', { outputLength: count }).update(label).digest();
  for (const [index, byte] of stream.entries()) words[index * wordBytes] = byte & 1;
  return words;
}

const tUniform = (boundLog2: number): Decoded<typeof noiseDistribution> => ({ kind: 'TUniform', value: { boundLog2 } });

function modulusSwitch(value: ModulusSwitch): Decoded<typeof modulusSwitchType> {
  if (value.kind === 'centered-mean') return { kind: 'CenteredMean', value: null };
  const { kind: _, ...content } = value;
  return { kind: 'Drift', value: content };
}

function glweKey(label: string, shape: GlweShape, wordBytes: WordBytes = 8) {
  return { data: bits(label, lweDimensionOf(shape), wordBytes), polynomialSize: shape.polynomialSize };
}

const packing = ({ baseLog, levels }: Decomposition) => ({ packingBaseLog: baseLog, packingLevels: levels });

function standardKey(set: ParameterSet): ClientKey['key']['key'] {
  const { messageModulus, carryModulus, maxNoiseLevel, log2FailureProbability } = set;
  const parameters = {
    lweDimension: set.lwe.dimension,
    glweDimension: set.glwe.dimension,
    polynomialSize: set.glwe.polynomialSize,
    lweNoise: tUniform(set.lwe.noiseBoundLog2),
    glweNoise: tUniform(set.glwe.noiseBoundLog2),
    pbsBaseLog: set.bootstrap.baseLog,
    pbsLevels: set.bootstrap.levels,
    ksBaseLog: set.keySwitch.baseLog,
    ksLevels: set.keySwitch.levels,
    messageModulus,
    carryModulus,
    maxNoiseLevel,
    log2FailureProbability,
    ciphertextModulus: NATIVE_64,
    encryptionKeyChoice: { kind: 'Big' as const, value: null },
    modulusSwitchType: modulusSwitch(set.modulusSwitch),
  };
  const value = {
    glweSecretKey: glweKey('big', set.glwe),
    lweSecretKey: { data: bits('small', set.lwe.dimension) },
    parameters: { kind: 'Classic' as const, value: parameters },
    wopbsParameters: null,
  };
  return { key: { atomicPattern: { kind: 'Standard', value } } };
}

function compactPrivateKey(set: ParameterSet): ClientKey['key']['compactPrivateKey'] {
  const { messageModulus, carryModulus, pke } = set;
  const parameters = {
    dimension: pke.dimension,
    noise: tUniform(pke.noiseBoundLog2),
    messageModulus,
    carryModulus,
    ciphertextModulus: NATIVE_64,
    expansionKind: { version: 1 as const, value: { kind: 'RequiresCasting' as const, value: null } },
    zkScheme: { kind: pke.zkScheme, value: null },
  };
  const casting = { ...pke.casting, destinationKey: { kind: 'Small' as const, value: null } };
  return { key: { key: { key: { data: bits('pke', pke.dimension) }, parameters } }, casting };
}

function squashingParts(set: ParameterSet) {
  const { messageModulus, carryModulus, noiseSquashing: sns, noiseSquashingCompression: list } = set;
  const moduli = { messageModulus, carryModulus, ciphertextModulus: NATIVE_128 };
  const squashing = {
    glweDimension: sns.dimension,
    polynomialSize: sns.polynomialSize,
    noise: tUniform(sns.noiseBoundLog2),
    baseLog: sns.bootstrap.baseLog,
    levels: sns.bootstrap.levels,
    modulusSwitchType: modulusSwitch(sns.modulusSwitch),
    ...moduli,
  };
  const compression = {
    ...packing(list.packing),
    polynomialSize: list.polynomialSize,
    glweDimension: list.dimension,
    ciphertextsPerGlwe: list.ciphertextsPerGlwe,
    noise: tUniform(list.noiseBoundLog2),
    ...moduli,
  };
  return {
    noiseSquashingKey: {
      key: { key: glweKey('squashing', sns, 16), parameters: { kind: 'Classic' as const, value: squashing } },
    },
    noiseSquashingCompressionKey: { key: { key: glweKey('squashed list', list, 16), parameters: compression } },
  };
}

function compressionKey(set: ParameterSet): ClientKey['key']['compressionKey'] {
  const { compression } = set;
  const value = {
    ...packing(compression.packing),
    bootstrapBaseLog: compression.decompression.baseLog,
    bootstrapLevels: compression.decompression.levels,
    packingPolynomialSize: compression.polynomialSize,
    packingGlweDimension: compression.dimension,
    ciphertextsPerGlwe: compression.ciphertextsPerGlwe,
    storageLogModulus: compression.storageLogModulus,
    noise: tUniform(compression.noiseBoundLog2),
  };
  return { key: { key: glweKey('list', compression), parameters: { kind: 'Classic', value } } };
}

/** The file that node-tfhe loads. */
export function clientKeyBytes(set: ParameterSet): Uint8Array {
  const key = {
    key: standardKey(set),
    compactPrivateKey: compactPrivateKey(set),
    compressionKey: compressionKey(set),
    ...squashingParts(set),
    reRandomizationParameters: { kind: 'DerivedPublicKey' as const, value: null },
    oprfKey: { kind: 'Standard' as const, value: { data: bits('oprf', set.oprf.dimension) } },
  };
  return safeSerialize(TYPE_NAME.clientKey, clientKey, { key, tag: { data: new Uint8Array(0) } });
}
