/** Lists that tfhe-rs 1.7.0 itself compressed, two GLWE ciphertexts each: they open, and come back byte for byte. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { fheTypeName, readCiphertext } from '../src/ciphertext.ts';
import { parameterSet } from '../src/parameters.ts';
import { safeDeserialize, safeSerialize, TYPE_NAME } from '../src/safe-serialize.ts';
import { compressedCiphertextList } from '../src/schema/ciphertexts.ts';
import { openValue } from './support/clear-text.ts';

interface Vector {
  readonly types: readonly string[];
  readonly values: readonly string[];
  readonly lists: readonly {
    readonly parameters: 'default' | 'test';
    readonly compressionSecretBits: string;
    readonly list: string;
  }[];
}

const { types, values, lists }: Vector = JSON.parse(
  readFileSync(new URL('../vectors/compressed-list.json', import.meta.url), 'utf8'),
);

test.each(lists)('$parameters parameters', ({ parameters, compressionSecretBits, list }) => {
  const bytes = new Uint8Array(Buffer.from(list, 'base64'));
  const compression = Uint8Array.from(compressionSecretBits, Number);
  for (const [slot, type] of types.entries()) {
    const value = readCiphertext('compressed-list', bytes, { parameters: parameterSet(parameters), slot });
    expect(fheTypeName(value.type)).toBe(type);
    const { value: plaintext, noise } = openValue(value, { compression });
    expect(`${plaintext}`).toBe(values[slot]);
    expect(noise < 1n << 59n).toBe(true);
  }
  const object = safeDeserialize(TYPE_NAME.compressedCiphertextList, compressedCiphertextList, bytes);
  expect(object.inner.blocks.glwes.length).toBe(2);
  const again = safeSerialize(TYPE_NAME.compressedCiphertextList, compressedCiphertextList, object);
  expect(Buffer.compare(again, bytes)).toBe(0);
});
