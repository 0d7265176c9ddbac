import type { CiphertextValue } from '@keyquorum/tfhe/ciphertext';
import { BOOL, type FheType } from '@keyquorum/tfhe/fhe-type';
import { publicDecryptionDigest } from '@keyquorum/wire/eip712';
import { createSigner, recoverSigner } from '@keyquorum/wire/signer';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { publicContentOf } from '../../src/requests/content.ts';
import { publicAnswer } from '../../src/requests/public-answer.ts';

const signing = {
  signer: createSigner(new Uint8Array(32).fill(1)),
  domain: { chainId: 654_321, verifyingContract: `0x${'44'.repeat(20)}` },
} as const;

/** A value of the type without its ciphertext, which an answer does not look at; two bits per block. */
function ciphertextOf(type: FheType): CiphertextValue {
  const blocks = type.kind === 'bool' ? 1 : type.bits / 2;
  const pieces = Array.from({ length: blocks }, (_, block) => ({ block, shift: 0 as const, bits: 2 as const }));
  const none = new Uint8Array(0);
  const blockBits = pieces.map(() => 2);
  return { type, key: 'pke', deltaLog2: 59, dimension: 0, masks: none, bodies: none, blockBits, pieces };
}

function messagesOf(type: FheType, value: bigint): Uint8Array {
  const bits = BigInt.asUintN(type.bits, value);
  return Uint8Array.from(ciphertextOf(type).pieces, ({ block }) => Number((bits >> BigInt(2 * block)) & 3n));
}

const type = fc.oneof(
  fc.constant(BOOL),
  fc.record({
    kind: fc.constantFrom('uint' as const, 'int' as const),
    bits: fc.constantFrom(8, 64, 160, 256, 512, 2048),
  }),
);
const sample = type.chain((drawn) => {
  const signed = drawn.kind === 'int';
  const min = signed ? -(2n ** BigInt(drawn.bits - 1)) : 0n;
  const max = 2n ** BigInt(signed ? drawn.bits - 1 : drawn.bits) - 1n;
  return fc.record({ type: fc.constant(drawn), value: fc.bigInt({ min, max }) });
});

test('values, words and signature fit together for every type', () => {
  fc.assert(
    fc.property(fc.array(sample, { minLength: 1, maxLength: 5 }), fc.constantFrom('', '00'), (samples, extraData) => {
      const ciphertexts = samples.map((_, index) => ({
        ...{ handle: index.toString(16).padStart(64, '0'), format: 'fhe' as const, bytes: 'AAAA' },
      }));
      const content = publicContentOf(
        { requestId: '0'.repeat(64), keyId: '0'.repeat(64), ciphertexts, extraData },
        'a',
      );
      const values = samples.map(({ type: of }) => ciphertextOf(of));
      const messages = samples.map(({ type: of, value }) => messagesOf(of, value));
      const answer = publicAnswer(content, { values, outcome: { messages, faults: [] } }, signing);
      expect(answer.values.map(({ value }) => BigInt(value))).toEqual(samples.map(({ value }) => value));
      let rest = answer.abiEncoded;
      for (const { type: of, value } of samples) {
        const bits = Math.ceil(of.bits / 256) * 256;
        expect(BigInt(`0x${rest.slice(0, bits / 4)}`)).toBe(BigInt.asUintN(bits, value));
        rest = rest.slice(bits / 4);
      }
      expect(rest).toBe('');
      const digest = publicDecryptionDigest(signing.domain, {
        handles: ciphertexts.map(({ handle }) => new Uint8Array(Buffer.from(handle, 'hex'))),
        decryptedResult: new Uint8Array(Buffer.from(answer.abiEncoded, 'hex')),
        extraData: new Uint8Array(0),
      });
      expect(recoverSigner(digest, new Uint8Array(Buffer.from(answer.signature, 'hex')))).toBe(signing.signer.address);
    }),
    { numRuns: 40 },
  );
});

test('each fault is named once, by party', () => {
  const content = publicContentOf(
    {
      ...{ requestId: '0'.repeat(64), keyId: '0'.repeat(64) },
      ciphertexts: [{ handle: '0'.repeat(64), format: 'fhe', bytes: 'AAAA' }],
    },
    'a',
  );
  const faults = [
    { party: 3, kind: 'silent' },
    { party: 1, kind: 'wrong-share', detail: 'x' },
    { party: 3, kind: 'silent' },
  ] as const;
  const outcome = { messages: [Uint8Array.of(1)], faults };
  expect(publicAnswer(content, { values: [ciphertextOf(BOOL)], outcome }, signing).faults).toEqual([
    { party: 1, kind: 'wrong-share' },
    { party: 3, kind: 'silent' },
  ]);
});
