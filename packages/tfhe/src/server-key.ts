/**
 * The evaluation key that a coprocessor computes with, as tfhe-rs 1.7 reads it: CompressedServerKey, bodies only, each
 * component with the seed and the position of its masks in the key set's one stream.
 */
import { keyStreamCompressionSeed } from './csprng.ts';
import { type KeySetComponent, keySetComponents, type OptionalPart } from './key-set-components.ts';
import { type BodyPlaceholders, bodyPlaceholders, type FileLayout, fileLayout } from './key-set-layout.ts';
import type { ModulusSwitch, ParameterSet } from './parameters.ts';
import { TYPE_NAME, writeSafeSerialized } from './safe-serialize.ts';
import { type CompressionSeed, NATIVE_64, NATIVE_128 } from './schema/core.ts';
import { type CompressedServerKey, compressedServerKey, type ModulusSwitchConfiguration } from './schema/server-key.ts';

/** Which key set: its parameters, its parts, and the 16-byte joint seed of its mask stream. */
export interface KeySetDescription {
  readonly parameters: ParameterSet;
  readonly parts: readonly OptionalPart[];
  /** Little-endian u128. */
  readonly seed: Uint8Array;
  /** Free bytes that keys and the ciphertexts made with them carry, at most 4096. Empty when absent. */
  readonly tag?: Uint8Array;
}

/** The file that `CompressedServerKey` of tfhe-rs safe-deserialises. */
export function compressedServerKeyLayout(description: KeySetDescription): FileLayout {
  const components = keySetComponents(description.parameters, description.parts);
  const placeholders = bodyPlaceholders(components);
  const value = serverKeyValue(description, components, placeholders);
  return fileLayout(components, placeholders, (writer) =>
    writeSafeSerialized(writer, TYPE_NAME.compressedServerKey, compressedServerKey, value),
  );
}

type IntegerKey = CompressedServerKey['key'];
/** The object to write, `bodies` standing for the data. */
export function serverKeyValue(
  description: KeySetDescription,
  components: readonly KeySetComponent[],
  bodies: BodyPlaceholders,
): CompressedServerKey {
  const { parameters, parts, seed } = description;
  const source = new ComponentSource(components, bodies, seed);
  const has = (part: OptionalPart) => parts.includes(part);
  const moduli = { messageModulus: parameters.messageModulus, carryModulus: parameters.carryModulus };
  const key: IntegerKey = {
    key: computeKey(parameters, source),
    castingKey: {
      material: {
        keySwitchingKey: source.keySwitchingKey('casting-key'),
        castRightShift: 0,
        destinationKey: { kind: 'Small', value: null },
        destinationAtomicPattern: { kind: 'Standard', value: null },
      },
    },
    compressionKey: has('compression') ? compressionKey(parameters, source) : null,
    decompressionKey: has('compression') ? decompressionKey(parameters, source) : null,
    noiseSquashingKey: has('noise-squashing') ? { key: { ...squashingKey(parameters, source), ...moduli } } : null,
    noiseSquashingCompressionKey: has('noise-squashing-compression')
      ? {
          key: {
            packingKey: source.packingKey('noise-squashing-compression-key'),
            ciphertextsPerGlwe: parameters.noiseSquashingCompression.ciphertextsPerGlwe,
          },
        }
      : null,
    reRandomizationKey: has('rerandomization') ? reRandomizationKey(parameters, source) : null,
    oprfKey: has('oprf') ? { key: { kind: 'Classic', value: { key: source.bootstrapKey('oprf-key') } } } : null,
  };
  return { key, tag: { data: description.tag ?? new Uint8Array(0) } };
}

/** The core entities of a key set, without knowing what they are for. */
class ComponentSource {
  readonly #components: ReadonlyMap<string, KeySetComponent>;
  readonly #bodies: BodyPlaceholders;
  readonly #seed: Uint8Array;

  constructor(components: readonly KeySetComponent[], bodies: BodyPlaceholders, seed: Uint8Array) {
    this.#components = new Map(components.map((component) => [component.component, component]));
    this.#bodies = bodies;
    this.#seed = seed;
  }

  keySwitchingKey(name: 'key-switching-key' | 'casting-key') {
    const { plan, ...entity } = this.#decomposed(name);
    return { ...entity, outputLweSize: plan.shape.dimension + 1 };
  }

  packingKey(name: 'compression-packing-key' | 'noise-squashing-compression-key') {
    const { plan, ...entity } = this.#decomposed(name);
    const { dimension, polynomialSize } = plan.shape;
    return { ...entity, outputGlweSize: dimension + 1, outputPolynomialSize: polynomialSize };
  }

  bootstrapKey(name: 'bootstrapping-key' | 'decompression-key' | 'oprf-key' | 'noise-squashing-key') {
    const { plan, ...entity } = this.#decomposed(name);
    const { dimension, polynomialSize } = plan.shape;
    return { ggswList: { ...entity, glweSize: dimension + 1, polynomialSize } };
  }

  modulusSwitch(
    name: 'modulus-switch-zeros' | 'noise-squashing-zeros',
    set: ModulusSwitch,
  ): ModulusSwitchConfiguration {
    if (set.kind === 'centered-mean') return { kind: 'CenteredMean', value: null };
    const { plan, ...entity } = this.#entity(name);
    const { bound, rSigma, inputVariance } = set;
    const zeros = { ...entity, lweSize: plan.shape.dimension + 1 };
    return { kind: 'Drift', value: { zeros, bound, rSigma, inputVariance } };
  }

  publicKey(name: 'rerandomization-key') {
    const { plan, ...entity } = this.#entity(name);
    return { seededGlwe: { ...entity, glweSize: plan.shape.dimension + 1 } };
  }

  #decomposed(name: string) {
    const entity = this.#entity(name);
    const { content } = entity.plan;
    if (content.kind === 'zero') throw new TypeError(`${name} has no decomposition`);
    return { ...entity, ...content.decomposition };
  }

  #entity(name: string) {
    const plan = this.#components.get(name)!;
    const compressionSeed: CompressionSeed = keyStreamCompressionSeed(this.#seed, plan.position);
    const ciphertextModulus = plan.wordBytes === 8 ? NATIVE_64 : NATIVE_128;
    return { plan, data: this.#bodies.get(plan.component)!, compressionSeed, ciphertextModulus };
  }
}

function computeKey(parameters: ParameterSet, source: ComponentSource): IntegerKey['key'] {
  const { messageModulus, carryModulus, maxNoiseLevel } = parameters;
  const modulusSwitch = source.modulusSwitch('modulus-switch-zeros', parameters.modulusSwitch);
  const value = {
    keySwitchingKey: source.keySwitchingKey('key-switching-key'),
    bootstrappingKey: {
      kind: 'Classic' as const,
      value: { key: source.bootstrapKey('bootstrapping-key'), modulusSwitch },
    },
    pbsOrder: { kind: 'KeyswitchBootstrap' as const, value: null },
  };
  // Largest block value less the largest carry that a block must take from its neighbour.
  const maxDegree = messageModulus * carryModulus - 1 - (carryModulus - 1);
  return {
    key: { atomicPattern: { kind: 'Standard', value }, messageModulus, carryModulus, maxDegree, maxNoiseLevel },
  };
}

function compressionKey({ compression }: ParameterSet, source: ComponentSource): IntegerKey['compressionKey'] {
  const { ciphertextsPerGlwe, storageLogModulus } = compression;
  return { key: { packingKey: source.packingKey('compression-packing-key'), ciphertextsPerGlwe, storageLogModulus } };
}

function decompressionKey({ compression }: ParameterSet, source: ComponentSource): IntegerKey['decompressionKey'] {
  const value = {
    key: source.bootstrapKey('decompression-key'),
    modulusSwitch: { kind: 'Standard' as const, value: null },
  };
  return {
    key: { bootstrappingKey: { kind: 'Classic', value }, ciphertextsPerGlwe: compression.ciphertextsPerGlwe },
  };
}

function squashingKey(parameters: ParameterSet, source: ComponentSource) {
  const modulusSwitch = source.modulusSwitch('noise-squashing-zeros', parameters.noiseSquashing.modulusSwitch);
  const value = { key: source.bootstrapKey('noise-squashing-key'), modulusSwitch };
  return {
    atomicPattern: {
      kind: 'Standard' as const,
      value: { bootstrappingKey: { kind: 'Classic' as const, value } },
    },
    outputCiphertextModulus: NATIVE_128,
  };
}

/** A compact public key of the big key, derived: nothing encrypted under it needs casting. */
function reRandomizationKey(parameters: ParameterSet, source: ComponentSource): IntegerKey['reRandomizationKey'] {
  const keyswitchFirst = { kind: 'KeyswitchBootstrap' as const, value: null };
  const expansionKind = {
    version: 1 as const,
    value: { kind: 'NoCasting' as const, value: { kind: 'Standard' as const, value: keyswitchFirst } },
  };
  const { dimension, polynomialSize, noiseBoundLog2 } = parameters.glwe;
  const key = {
    key: source.publicKey('rerandomization-key'),
    parameters: {
      dimension: dimension * polynomialSize,
      noise: { kind: 'TUniform' as const, value: { boundLog2: noiseBoundLog2 } },
      messageModulus: parameters.messageModulus,
      carryModulus: parameters.carryModulus,
      ciphertextModulus: NATIVE_64,
      expansionKind,
      zkScheme: { kind: 'ZkNotSupported' as const, value: null },
    },
  };
  return { kind: 'DerivedPublicKey', value: { key: { key } } };
}
