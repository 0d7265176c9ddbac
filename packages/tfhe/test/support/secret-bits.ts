/** The secret keys of a key set as bits: out of a client key, or fixed ones. */
import { createHash } from 'node:crypto';
import { type SecretKeyName, secretKeyBits } from '../../src/key-set-components.ts';
import type { ParameterSet } from '../../src/parameters.ts';
import { safeDeserialize, TYPE_NAME } from '../../src/safe-serialize.ts';
import { clientKey } from '../../src/schema/keys.ts';
import type { SecretBits } from './dealer.ts';

/** Every key of a client key that has every part. */
export function secretBitsOf(file: Uint8Array): SecretBits {
  const { key } = safeDeserialize(TYPE_NAME.clientKey, clientKey, file);
  const bits = (words: Uint8Array, wordBytes = 8) =>
    Uint8Array.from({ length: words.length / wordBytes }, (_, i) => words[i * wordBytes]!);
  const standard = key.key.key.atomicPattern.value;
  return {
    pke: bits(key.compactPrivateKey!.key.key.key.data),
    big: bits(standard.glweSecretKey.data),
    small: bits(standard.lweSecretKey.data),
    compression: bits(key.compressionKey!.key.key.data),
    'noise-squashing': bits(key.noiseSquashingKey!.key.key.data, 16),
    'noise-squashing-compression': bits(key.noiseSquashingCompressionKey!.key.key.data, 16),
    oprf: bits(key.oprfKey!.value.data),
  };
}

/** The same bits in every run. */
export function fixedSecretBits(set: ParameterSet): SecretBits {
  const bits = (key: SecretKeyName) =>
    new Uint8Array(
      createHash('shake256', { outputLength: secretKeyBits(set, key) })
        .update(key)
        .digest(),
    ).map((byte) => byte & 1);
  return {
    pke: bits('pke'),
    big: bits('big'),
    small: bits('small'),
    compression: bits('compression'),
    'noise-squashing': bits('noise-squashing'),
    'noise-squashing-compression': bits('noise-squashing-compression'),
    oprf: bits('oprf'),
  };
}
