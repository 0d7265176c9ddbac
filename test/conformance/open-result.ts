/**
 * Decryption of what tfhe-rs computes by somebody who knows the secret keys, in BigInt arithmetic. Noise is looked at
 * too: a key that only just works fails here, before values are wrong.
 */
import {
  CiphertextError,
  type CiphertextErrorCode,
  type CiphertextValue,
  readCiphertext,
} from '@keyquorum/tfhe/ciphertext';
import type { ParameterSet } from '@keyquorum/tfhe/parameters';
import { openValue } from '../../packages/tfhe/test/support/clear-text.ts';
import type { SecretBits } from '../../packages/tfhe/test/support/dealer.ts';
import type { Plain, ResultFormat } from './key-set-under-test.ts';

export interface Opener {
  readonly parameters: ParameterSet;
  readonly secrets: SecretBits;
}

/**
 * Most noise, as its logarithm. Blocks: at most 51 was seen, and a change of the value needs 58. Lists multiply by 4,
 * and rounding to 9 or 12 bits makes them noisy by design. Squashed: at most 71 was seen (66 with the default
 * parameters), and a change of the value needs 122.
 */
const NOISE_LOG2: Readonly<Record<ResultFormat, number>> = {
  fhe: 53,
  'compressed-list': 60,
  squashed: 76,
  'compressed-squashed-list': 76,
};

export function openResult(format: ResultFormat, bytes: Uint8Array, { parameters, secrets }: Opener): Plain[] {
  return valuesOf(format, bytes, parameters).map((ciphertext) => {
    const { value, noise } = openValue(ciphertext, secrets);
    const limit = NOISE_LOG2[format];
    if (noise > 1n << BigInt(limit)) {
      throw new RangeError(`noise of ${noise.toString(2).length} bits, want at most ${limit}`);
    }
    return { type: ciphertext.type, value };
  });
}

/** Every value of the object: slots are read until there is none. @throws CiphertextError when it is refused */
export function valuesOf(format: ResultFormat, bytes: Uint8Array, parameters: ParameterSet): CiphertextValue[] {
  if (format === 'fhe' || format === 'squashed') return [readCiphertext(format, bytes, { parameters })];
  const values: CiphertextValue[] = [];
  for (;;) {
    try {
      values.push(readCiphertext(format, bytes, { parameters, slot: values.length }));
    } catch (error) {
      const code: CiphertextErrorCode | undefined = error instanceof CiphertextError ? error.code : undefined;
      if (code === 'CIPHERTEXT_SLOT' && values.length > 0) return values;
      throw error;
    }
  }
}
