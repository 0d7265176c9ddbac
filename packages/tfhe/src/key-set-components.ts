/**
 * What a key set consists of, as data: which rows each public component has, in the order of the file and of the mask
 * stream, under which secret key each row is encrypted and what it encrypts. A protocol that makes key sets on shares
 * and a writer of files both follow these plans (docs/protocols/key-generation.md).
 *
 * A row is an LWE or GLWE encryption: k*N public mask words from the key set's stream, and a body of N words (1 for
 * LWE): body = sum_q mask_q * key_q + noise + plaintext, ordinary negacyclic products, but with the reversed key in
 * compact public keys. Noise is TUniform(noiseBoundLog2).
 */
import { type KeyStreamComponent, keyStreamLayout } from './csprng.ts';
import { type Decomposition, type GlweShape, lweDimensionOf, type ParameterSet } from './parameters.ts';

/** The secret keys of a key set, by what they are for. */
export type SecretKeyName =
  | 'pke' //                         lists under the compact public key
  | 'big' //                         integers and booleans
  | 'small' //                       input of bootstrapping
  | 'compression'
  | 'noise-squashing'
  | 'noise-squashing-compression'
  | 'oprf';

/** Parts that a key set can do without. */
export type OptionalPart =
  | 'compression'
  | 'noise-squashing'
  | 'noise-squashing-compression' // needs noise-squashing
  | 'rerandomization'
  | 'oprf';

export const ALL_PARTS: readonly OptionalPart[] = [
  'compression',
  'noise-squashing',
  'noise-squashing-compression',
  'rerandomization',
  'oprf',
];
/** Enough to compute, without the parts that are hundreds of megabytes. */
export const BASE_PARTS: readonly OptionalPart[] = ['rerandomization', 'oprf'];

export interface ComponentPlan {
  readonly component: KeyStreamComponent;
  /** 8: numbers mod 2^64; 16: mod 2^128. */
  readonly wordBytes: 8 | 16;
  /** Rows are encrypted under this key. */
  readonly outputKey: SecretKeyName;
  /** Shape of the output key in this component; polynomialSize 1 means LWE rows. */
  readonly shape: GlweShape;
  /** Compact public keys: the mask is multiplied by rev(S), rev(S)[j] = S[N-1-j]. */
  readonly reversed: boolean;
  readonly noiseBoundLog2: number;
  readonly rowCount: number;
  /** What is encrypted: nothing, the bits of a key, or GGSW rows of its bits. */
  readonly content:
    | { readonly kind: 'zero' }
    | { readonly kind: 'bits' | 'ggsw'; readonly inputKey: SecretKeyName; readonly decomposition: Decomposition };
}

/** A component at its place in the mask stream of one key set. */
export interface KeySetComponent extends ComponentPlan {
  /** Byte position of its first mask. */
  readonly position: number;
  readonly maskBytes: number;
  readonly bodyBytes: number;
}

/**
 * Plaintext of a row, as a polynomial of the output ring.
 * bit: + s * 2^exponent in coefficient 0. product: - s * S_polynomial(X) * 2^exponent, S the output key. s is bit
 * `inputBit` of the input key.
 */
export type RowPlaintext =
  | { readonly kind: 'zero' }
  | { readonly kind: 'bit'; readonly inputBit: number; readonly level: number; readonly exponent: number }
  | {
      readonly kind: 'product';
      readonly inputBit: number;
      readonly level: number;
      readonly exponent: number;
      readonly polynomial: number;
    };

/** Number of bits of a secret key. */
export function secretKeyBits(set: ParameterSet, key: SecretKeyName): number {
  return lweDimensionOf(secretKeyShape(set, key));
}

/** Polynomials of a secret key; LWE keys have polynomialSize 1, except that pke is one polynomial. */
export function secretKeyShape(set: ParameterSet, key: SecretKeyName): GlweShape {
  const shapes: Record<SecretKeyName, GlweShape> = {
    pke: { dimension: 1, polynomialSize: set.pke.dimension },
    big: set.glwe,
    small: { dimension: set.lwe.dimension, polynomialSize: 1 },
    compression: set.compression,
    'noise-squashing': set.noiseSquashing,
    'noise-squashing-compression': set.noiseSquashingCompression,
    oprf: { dimension: set.oprf.dimension, polynomialSize: 1 },
  };
  const { dimension, polynomialSize } = shapes[key];
  return { dimension, polynomialSize };
}

/**
 * The components of a key set in stream order, each at its position: absent parts take no masks, so positions depend
 * on `parts`.
 * @throws RangeError when a part lacks the one it needs
 */
export function keySetComponents(set: ParameterSet, parts: readonly OptionalPart[]): readonly KeySetComponent[] {
  if (parts.includes('noise-squashing-compression') && !parts.includes('noise-squashing')) {
    throw new RangeError('key set: noise-squashing-compression needs noise-squashing');
  }
  let position = 0;
  const present: KeySetComponent[] = [];
  for (const { component } of keyStreamLayout(set)) {
    const part = PART_OF[component];
    const plan = componentPlan(set, component);
    if ((part !== undefined && !parts.includes(part)) || plan.rowCount === 0) continue;
    const maskBytes = plan.rowCount * maskWords(plan) * plan.wordBytes;
    const bodyBytes = plan.rowCount * plan.shape.polynomialSize * plan.wordBytes;
    present.push({ ...plan, position, maskBytes, bodyBytes });
    position += maskBytes;
  }
  return present;
}

/** Components that come and go with an optional part. */
const PART_OF: Partial<Record<KeyStreamComponent, OptionalPart>> = {
  'compression-packing-key': 'compression',
  'decompression-key': 'compression',
  'noise-squashing-key': 'noise-squashing',
  'noise-squashing-zeros': 'noise-squashing',
  'noise-squashing-compression-key': 'noise-squashing-compression',
  'rerandomization-key': 'rerandomization',
  'oprf-key': 'oprf',
};

/** Mask words of one row: k*N. */
export function maskWords({ shape }: ComponentPlan): number {
  return lweDimensionOf(shape);
}

/** The plan of one component. Zero rows when the parameter set has none. */
export function componentPlan(set: ParameterSet, component: KeyStreamComponent): ComponentPlan {
  const { lwe, glwe, pke, compression, noiseSquashing: squashing, noiseSquashingCompression: packed } = set;
  switch (component) {
    case 'compact-public-key':
      return publicKey(set, component, 'pke', pke.noiseBoundLog2);
    case 'rerandomization-key':
      return publicKey(set, component, 'big', glwe.noiseBoundLog2);
    case 'compression-packing-key':
      return bits(set, component, 'big', 'compression', compression.packing, compression.noiseBoundLog2);
    case 'noise-squashing-compression-key':
      return bits(
        set,
        component,
        'noise-squashing',
        'noise-squashing-compression',
        packed.packing,
        packed.noiseBoundLog2,
      );
    case 'key-switching-key':
      return bits(set, component, 'big', 'small', set.keySwitch, lwe.noiseBoundLog2);
    case 'casting-key':
      return bits(set, component, 'pke', 'small', pke.casting, lwe.noiseBoundLog2);
    case 'decompression-key':
      return ggsw(set, component, 'compression', 'big', compression.decompression, glwe.noiseBoundLog2);
    case 'bootstrapping-key':
      return ggsw(set, component, 'small', 'big', set.bootstrap, glwe.noiseBoundLog2);
    case 'oprf-key':
      return ggsw(set, component, 'oprf', 'big', set.bootstrap, glwe.noiseBoundLog2);
    case 'noise-squashing-key':
      return ggsw(set, component, 'small', 'noise-squashing', squashing.bootstrap, squashing.noiseBoundLog2);
    case 'modulus-switch-zeros':
      return zeros(set, component, set.modulusSwitch);
    case 'noise-squashing-zeros':
      return zeros(set, component, squashing.modulusSwitch);
  }
}

/** The plaintext of row `index`: inputs ascending, levels from high to low, then the rows of a GGSW level. */
export function rowPlaintext(plan: ComponentPlan, index: number): RowPlaintext {
  if (!Number.isInteger(index) || index < 0 || index >= plan.rowCount) {
    throw new RangeError(`${plan.component}: row ${index}, want 0..${plan.rowCount - 1}`);
  }
  if (plan.content.kind === 'zero') return { kind: 'zero' };
  const { baseLog, levels } = plan.content.decomposition;
  const rowsPerLevel = rowsOfLevel(plan.content.kind, plan.shape);
  const polynomial = index % rowsPerLevel;
  const level = levels - (Math.floor(index / rowsPerLevel) % levels);
  const inputBit = Math.floor(index / (rowsPerLevel * levels));
  const exponent = 8 * plan.wordBytes - baseLog * level;
  if (polynomial === rowsPerLevel - 1) return { kind: 'bit', inputBit, level, exponent };
  return { kind: 'product', inputBit, level, exponent, polynomial };
}

/** Rows first .. end-1 in stream and file order. */
export function* componentRows(plan: ComponentPlan, first = 0, end = plan.rowCount): Generator<RowPlaintext> {
  for (let index = first; index < end; index++) yield rowPlaintext(plan, index);
}

function rowsOfLevel(kind: 'bits' | 'ggsw', shape: GlweShape): number {
  return kind === 'ggsw' ? shape.dimension + 1 : 1;
}

function publicKey(
  set: ParameterSet,
  component: KeyStreamComponent,
  outputKey: 'pke' | 'big',
  noiseBoundLog2: number,
): ComponentPlan {
  const shape = { dimension: 1, polynomialSize: secretKeyBits(set, outputKey) };
  const content = { kind: 'zero' } as const;
  return { component, wordBytes: 8, outputKey, shape, reversed: true, noiseBoundLog2, rowCount: 1, content };
}

function bits(
  set: ParameterSet,
  component: KeyStreamComponent,
  inputKey: SecretKeyName,
  outputKey: SecretKeyName,
  decomposition: Decomposition,
  noiseBoundLog2: number,
): ComponentPlan {
  const content = { kind: 'bits', inputKey, decomposition } as const;
  return encryptions(set, { component, outputKey, noiseBoundLog2, content });
}

function ggsw(
  set: ParameterSet,
  component: KeyStreamComponent,
  inputKey: SecretKeyName,
  outputKey: SecretKeyName,
  decomposition: Decomposition,
  noiseBoundLog2: number,
): ComponentPlan {
  const content = { kind: 'ggsw', inputKey, decomposition } as const;
  return encryptions(set, { component, outputKey, noiseBoundLog2, content });
}

function encryptions(
  set: ParameterSet,
  fields: Pick<ComponentPlan, 'component' | 'outputKey' | 'noiseBoundLog2'> & {
    readonly content: Exclude<ComponentPlan['content'], { kind: 'zero' }>;
  },
): ComponentPlan {
  const { kind, inputKey, decomposition } = fields.content;
  const shape = secretKeyShape(set, fields.outputKey);
  const rowCount = secretKeyBits(set, inputKey) * decomposition.levels * rowsOfLevel(kind, shape);
  const wordBytes = fields.outputKey.startsWith('noise-squashing') ? 16 : 8;
  return { ...fields, wordBytes, shape, reversed: false, rowCount };
}

function zeros(
  set: ParameterSet,
  component: KeyStreamComponent,
  modulusSwitch: ParameterSet['modulusSwitch'],
): ComponentPlan {
  return {
    component,
    wordBytes: 8,
    outputKey: 'small',
    shape: secretKeyShape(set, 'small'),
    reversed: false,
    noiseBoundLog2: set.lwe.noiseBoundLog2,
    rowCount: modulusSwitch.kind === 'drift' ? modulusSwitch.zeros : 0,
    content: { kind: 'zero' },
  };
}
