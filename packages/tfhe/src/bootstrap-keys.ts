/**
 * Components of a key set as an evaluator takes them (`@keyquorum/kernel/bootstrap`, matched by shape): bodies with the
 * stream of their masks. Each call opens the stream anew, for one batch.
 */
import { createMaskStream, keyStreamSeedData, type MaskStream } from './csprng.ts';
import type { KeySetComponent } from './key-set-components.ts';
import { lweDimensionOf, type ParameterSet } from './parameters.ts';

export interface SeededKeySwitchingKey {
  readonly masks: MaskStream;
  readonly bodies: Uint8Array;
  readonly inputDimension: number;
  readonly outputDimension: number;
  readonly baseLog: number;
  readonly levels: number;
}

export interface SeededBootstrappingKey {
  readonly masks: MaskStream;
  readonly bodies: Uint8Array;
  readonly inputDimension: number;
  readonly polynomialSize: number;
  readonly baseLog: number;
  readonly centredModulusSwitch: boolean;
}

/**
 * For 'key-switching-key' (big to small) and 'casting-key' (pke to small).
 * @param seed 16-byte joint seed of the key set
 * @throws RangeError for other components
 */
export function keySwitchingKeyOf(
  component: KeySetComponent,
  seed: Uint8Array,
  bodies: Uint8Array,
): SeededKeySwitchingKey {
  const { content, shape, rowCount } = component;
  if (content.kind !== 'bits' || shape.polynomialSize !== 1) throw unsuitable(component, 'key switching');
  const { baseLog, levels } = content.decomposition;
  const [inputDimension, outputDimension] = [rowCount / levels, lweDimensionOf(shape)];
  return { masks: masksOf(component, seed), bodies, inputDimension, outputDimension, baseLog, levels };
}

/**
 * For 'bootstrapping-key', 'oprf-key' and 'decompression-key': one polynomial, one level, 64 bits. The drift technique
 * of the Test set only lowers noise; this evaluator rounds to the nearest instead.
 * @throws RangeError for other components
 */
export function bootstrappingKeyOf(
  set: ParameterSet,
  component: KeySetComponent,
  seed: Uint8Array,
  bodies: Uint8Array,
): SeededBootstrappingKey {
  const { content, shape, rowCount, wordBytes } = component;
  const suitable = content.kind === 'ggsw' && wordBytes === 8 && shape.dimension === 1;
  if (!suitable || content.decomposition.levels !== 1) throw unsuitable(component, 'bootstrapping');
  return {
    masks: masksOf(component, seed),
    bodies,
    inputDimension: rowCount / (shape.dimension + 1),
    polynomialSize: shape.polynomialSize,
    baseLog: content.decomposition.baseLog,
    centredModulusSwitch: set.modulusSwitch.kind === 'centered-mean',
  };
}

function masksOf({ position }: KeySetComponent, seed: Uint8Array): MaskStream {
  return createMaskStream(keyStreamSeedData(seed), position);
}

function unsuitable({ component }: KeySetComponent, purpose: string): RangeError {
  return new RangeError(`${component} is no 64-bit ${purpose} key of one level and one polynomial`);
}
