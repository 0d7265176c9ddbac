/** The key sets that can be asked for by name: a parameter set, and which of its optional parts are made. */
import { ALL_PARTS, BASE_PARTS, type OptionalPart, type SecretKeyName, secretKeyBits } from './key-set-components.ts';
import { DEFAULT_PARAMETERS, type ParameterSet, TEST_PARAMETERS } from './parameters.ts';

/**
 * default: everything a coprocessor and dApps need, 511 MB. base: the default parameters without compression and noise
 * squashing, 60 MB. test: everything of the Test set, 2.7 MB, for trials; anyone can break it.
 */
export const KEY_SET_NAMES = ['default', 'base', 'test'] as const;
export type KeySetName = (typeof KEY_SET_NAMES)[number];

export interface KeySetChoice {
  readonly parameters: ParameterSet;
  readonly parts: readonly OptionalPart[];
}

const CHOICES: Readonly<Record<KeySetName, KeySetChoice>> = {
  default: { parameters: DEFAULT_PARAMETERS, parts: ALL_PARTS },
  base: { parameters: DEFAULT_PARAMETERS, parts: BASE_PARTS },
  test: { parameters: TEST_PARAMETERS, parts: ALL_PARTS },
};

export function keySetChoice(name: KeySetName): KeySetChoice {
  return CHOICES[name];
}

/** Secret keys that come with an optional part. */
const NEEDED_BY: Partial<Record<SecretKeyName, OptionalPart>> = {
  compression: 'compression',
  'noise-squashing': 'noise-squashing',
  'noise-squashing-compression': 'noise-squashing-compression',
  oprf: 'oprf',
};

/** The order in which the bits of secret keys are generated and stored. */
const SECRET_KEYS: readonly SecretKeyName[] = [
  'pke',
  'small',
  'big',
  'compression',
  'noise-squashing',
  'noise-squashing-compression',
  'oprf',
];

/** Where the bits of a secret key stand among all secret bits of a key set. */
export interface SecretKeyPlace {
  readonly key: SecretKeyName;
  readonly first: number;
  readonly bits: number;
}

/** The secret keys of a key set, one after the other: 17,196 bits for `default`, 5,932 for `base`, 1,538 for `test`. */
export function secretKeyPlaces({ parameters, parts }: KeySetChoice): readonly SecretKeyPlace[] {
  let first = 0;
  const present = SECRET_KEYS.filter((key) => NEEDED_BY[key] === undefined || parts.includes(NEEDED_BY[key]));
  return present.map((key) => {
    const bits = secretKeyBits(parameters, key);
    const place = { key, first, bits };
    first += bits;
    return place;
  });
}
