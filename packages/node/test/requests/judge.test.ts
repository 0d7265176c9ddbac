/** What a node says to a ciphertext before it takes part: values of packed lists, by slot, type and size. */
import type { KeyRecord } from '@keyquorum/protocols/services';
import { TEST_PARAMETERS } from '@keyquorum/tfhe/parameters';
import { safeSerialize, TYPE_NAME } from '@keyquorum/tfhe/safe-serialize';
import { squashedInteger } from '@keyquorum/tfhe/schema/ciphertexts';
import { NATIVE_128 } from '@keyquorum/tfhe/schema/core';
import { expect, test } from 'vitest';
import { NO_PROVENANCE } from '../../src/provenance/provenance.ts';
import type { PublicDecryptionBody } from '../../src/requests/body.ts';
import { publicContentOf } from '../../src/requests/content.ts';
import { judge } from '../../src/requests/judge.ts';
import { zeroList } from './zero-list.ts';

const id = (byte: number) => byte.toString(16).padStart(2, '0').repeat(32);
const requester = { name: 'alice', apps: ['default'], operator: false, apiKeySha256: id(0), publicKey: id(0) };
const limits = { ciphertextsPerRequest: 4, blocksPerRequest: 8, bodyBytes: 2 ** 20 } as Parameters<
  typeof judge
>[1]['limits'];

async function judged(change: Partial<PublicDecryptionBody['ciphertexts'][number]>) {
  const bytes = Buffer.from(zeroList()).toString('base64');
  const ciphertexts = [{ handle: id(3), format: 'compressed-list' as const, bytes, ...change }];
  const keys = [{ keyId: id(2), parameters: 'test', purpose: 'development' }] as KeyRecord[];
  const { values } = await judge(
    publicContentOf({ requestId: id(1), keyId: id(2), ciphertexts }, 'alice'),
    { requester, keys, limits, source: ({ bytes }) => bytes!, provenance: () => NO_PROVENANCE },
    () => [],
  );
  return values;
}

test('a value of a compressed list, by slot', async () => {
  const [flag] = await judged({ fheType: 'bool' });
  expect(flag).toMatchObject({ type: { kind: 'bool' }, key: 'compression', blockBits: [2] });
  const [number] = await judged({ slot: 1, fheType: 2 });
  expect(number).toMatchObject({ type: { kind: 'uint', bits: 8 }, key: 'compression', blockBits: [2, 2, 2, 2] });
});

test('a squashed block counts as four', async () => {
  const { dimension, polynomialSize } = TEST_PARAMETERS.noiseSquashing;
  const lwe = { data: new Uint8Array(16 * (dimension * polynomialSize + 1)), ciphertextModulus: NATIVE_128 };
  const block = { lwe, degree: 15, messageModulus: 4, carryModulus: 4 };
  const squashed = (blocks: number) => {
    const value = { blocks: Array(blocks).fill(block), originalBlockCount: 2 * blocks };
    const state = { kind: 'Normal' as const, value: null };
    const object = { value, state, tag: { data: new Uint8Array(0) } };
    const bytes = safeSerialize(TYPE_NAME.squashedUint, squashedInteger, object);
    return judged({ format: 'squashed', bytes: Buffer.from(bytes).toString('base64') });
  };
  expect(await squashed(2)).toMatchObject([{ type: { kind: 'uint', bits: 8 }, key: 'noise-squashing' }]);
  await expect(squashed(4)).rejects.toMatchObject({ code: 'REQUEST_TOO_LARGE' });
});

test.each([
  [{ slot: 2 }, 'CIPHERTEXT_SLOT'],
  [{ slot: 1, fheType: 'int8' }, 'CIPHERTEXT_TYPE'],
  [{ format: 'compact-list' }, 'CIPHERTEXT_MALFORMED'],
] as const)('refused: %o', async (change, code) => {
  await expect(judged(change)).rejects.toMatchObject({ code, message: expect.stringMatching(/^ciphertexts\.0: /) });
});
