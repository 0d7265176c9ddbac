/**
 * What one node says to ciphertexts under a production key (SPEC R13, N23): it goes by what coprocessors signed about
 * the very bytes before it, and what they signed must still be well formed.
 */

import { sha256Hex } from '@keyquorum/mpc/bytes';
import type { KeyRecord } from '@keyquorum/protocols/services';
import { lweDimensionOf, TEST_PARAMETERS } from '@keyquorum/tfhe/parameters';
import { safeSerialize, TYPE_NAME } from '@keyquorum/tfhe/safe-serialize';
import { fheBool } from '@keyquorum/tfhe/schema/ciphertexts';
import { NATIVE_64 } from '@keyquorum/tfhe/schema/core';
import { attestationDigest, createCiphertextDigest } from '@keyquorum/wire/ciphertext-attestation';
import { createSigner } from '@keyquorum/wire/signer';
import { describe, expect, test } from 'vitest';
import type { Application } from '../../src/config/schema.ts';
import { createProofPool } from '../../src/proofs/pool.ts';
import { provenanceRules } from '../../src/provenance/rules.ts';
import type { CiphertextBody } from '../../src/requests/body.ts';
import type { CiphertextSource } from '../../src/requests/ciphertexts.ts';
import { publicContentOf } from '../../src/requests/content.ts';
import { explained } from '../../src/requests/explain.ts';
import { judge, judgementOf } from '../../src/requests/judge.ts';
import { zeroList } from '../requests/zero-list.ts';

const id = (byte: number) => byte.toString(16).padStart(2, '0').repeat(32);
const domain = { chainId: 1n, verifyingContract: `0x${'44'.repeat(20)}` } as const;
const coprocessors = [21, 22, 23].map((byte) => createSigner(new Uint8Array(32).fill(byte)));
const application: Application = {
  ...{ name: 'default', provenance: ['attested'], attestations: 2 },
  coprocessors: coprocessors.map(({ address }) => address),
};
const requester = { name: 'alice', apps: ['default', 'games'], operator: false, publicKey: id(0) };
const limits = { ciphertextsPerRequest: 4, blocksPerRequest: 64, bodyBytes: 2 ** 20 } as Parameters<
  typeof judge
>[1]['limits'];
const keyOf = (byte: number, purpose: KeyRecord['purpose']) => ({ keyId: id(byte), parameters: 'test', purpose });
const keys = [keyOf(2, 'production'), keyOf(4, 'production'), keyOf(5, 'development')] as KeyRecord[];

const LIST = {
  handle: id(3),
  format: 'compressed-list',
  bytes: Buffer.from(zeroList()).toString('base64'),
  slot: 1,
} satisfies CiphertextBody;

/** What the coprocessors sign about a ciphertext, hex. */
function attestations({ handle, format, bytes = '', slot = 0 }: CiphertextBody, keyId = id(2), who = [0, 1]): string[] {
  const running = createCiphertextDigest();
  running.update(Buffer.from(bytes, 'base64'));
  const hex = (text: string) => new Uint8Array(Buffer.from(text, 'hex'));
  const subject = { keyId: hex(keyId), handle: hex(handle), format, slot, digest: running.digest() };
  const digest = attestationDigest(domain, subject);
  return who.map((index) => Buffer.from(coprocessors[index]!.sign(digest)).toString('hex'));
}

const attested = (body: CiphertextBody): CiphertextBody => ({
  ...body,
  provenance: { attestations: attestations(body) },
});

function asked(ciphertexts: readonly CiphertextBody[], { keyId = id(2), app = 'default' } = {}) {
  const content = publicContentOf({ requestId: id(1), keyId, app, ciphertexts: [...ciphertexts] }, 'alice');
  const services = { referenceStrings: () => [], material: () => undefined };
  const provenance = provenanceRules([application], { domain, services, proofs: createProofPool() });
  const source: CiphertextSource = ({ bytes }) => bytes ?? new Uint8Array(Buffer.from(LIST.bytes, 'base64'));
  return [content, { requester, keys, limits, source, provenance }, () => []] as const;
}

/** A boolean whose mask is `coordinate` on four coordinates and zero elsewhere: its answer is four bits of the key. */
function malformed({ coordinate = 1n << 59n, noiseLevel = 1 } = {}): CiphertextBody {
  const dimension = lweDimensionOf(TEST_PARAMETERS.glwe);
  const data = new Uint8Array(8 * (dimension + 1));
  for (let index = 0; index < 4; index++) new DataView(data.buffer).setBigUint64(8 * index, coordinate, true);
  const order = { kind: 'KeyswitchBootstrap' as const, value: null };
  const block = {
    lwe: { data, ciphertextModulus: NATIVE_64 },
    ...{ degree: 1, noiseLevel, messageModulus: 4, carryModulus: 4 },
    atomicPattern: { kind: 'Standard' as const, value: order },
  };
  const value = { ciphertext: { block }, tag: { data: new Uint8Array(0) } };
  const bytes = safeSerialize(TYPE_NAME.fheBool, fheBool, { version: 1, value });
  return { handle: id(3), format: 'fhe', bytes: Buffer.from(bytes).toString('base64'), slot: 0 };
}

test('attested ciphertexts go through, each with its own attestations', async () => {
  const other = { ...LIST, handle: id(6), slot: 0 };
  expect((await judge(...asked([attested(LIST), attested(other)]))).values).toMatchObject([
    { type: { kind: 'uint', bits: 8 } },
    { type: { kind: 'bool' } },
  ]);
});

test('attestations are about the bytes that are found under a digest, not about the digest', async () => {
  const { bytes, ...named } = { ...attested(LIST), digest: sha256Hex(Buffer.from(LIST.bytes, 'base64')) };
  expect((await judge(...asked([named]))).values).toMatchObject([{ type: { kind: 'uint', bits: 8 } }]);
  const [content, circumstances, own] = asked([named]);
  const others = () => new Uint8Array(Buffer.from(malformed().bytes!, 'base64'));
  const swapped = judge(content, { ...circumstances, source: others }, own);
  await expect(swapped).rejects.toMatchObject({ code: 'CIPHERTEXT_MALFORMED' });
  const flipped = new Uint8Array(Buffer.from(LIST.bytes, 'base64'));
  flipped[flipped.length >> 1]! ^= 1; // in the packed words
  await expect(judge(content, { ...circumstances, source: () => flipped }, own)).rejects.toMatchObject({
    code: 'ATTESTATION_SIGNER',
  });
});

test('a development key asks for nothing', async () => {
  expect((await judge(...asked([LIST, malformed()], { keyId: id(5) }))).values).toHaveLength(2);
});

describe('refused under a production key', () => {
  const borrowed = (change: Partial<CiphertextBody>) => ({ ...attested(LIST), ...change });
  const only = (...who: number[]) => ({ ...LIST, provenance: { attestations: attestations(LIST, id(2), who) } });
  const otherBytes = Buffer.from(LIST.bytes, 'base64');
  otherBytes[otherBytes.length >> 1]! ^= 1; // in the packed words
  const cases: [string, CiphertextBody, string][] = [
    ['a raw ciphertext', LIST, 'PROVENANCE_REQUIRED'],
    ['an empty list of attestations', { ...LIST, provenance: { attestations: [] } }, 'PROVENANCE_REQUIRED'],
    ['a mask of 2^59 that nobody attested', malformed(), 'PROVENANCE_REQUIRED'],
    ['a mask of 2^59 under attestations of another', borrowed(malformed()), 'ATTESTATION_SIGNER'],
    ['a noise level above nominal, attested', attested(malformed({ noiseLevel: 2 })), 'CIPHERTEXT_PARAMETERS'],
    ['other bytes under the same handle', borrowed({ bytes: otherBytes.toString('base64') }), 'ATTESTATION_SIGNER'],
    ['the same bytes under another handle', borrowed({ handle: id(6) }), 'ATTESTATION_SIGNER'],
    ['another slot of the same list', borrowed({ slot: 0 }), 'ATTESTATION_SIGNER'],
    ['one coprocessor', only(0), 'ATTESTATIONS_TOO_FEW'],
    ['one coprocessor twice', only(0, 0), 'ATTESTATION_REPEATED'],
    ['more than there are', only(0, 1, 2, 0), 'ATTESTATIONS_TOO_MANY'],
  ];
  test.each(cases)('%s', async (_, body, code) => {
    const message = expect.stringMatching(/^ciphertexts\.1: /);
    const [first, second] = [attested({ ...LIST, handle: id(7) }), body];
    await expect(judge(...asked([first, second]))).rejects.toMatchObject({ code, message });
  });

  test('another key than was signed for', async () => {
    await expect(judge(...asked([attested(LIST)], { keyId: id(4) }))).rejects.toMatchObject({
      code: 'ATTESTATION_SIGNER',
    });
  });

  test('an application without rules, whatever is attested', async () => {
    await expect(judge(...asked([attested(LIST)], { app: 'games' }))).rejects.toMatchObject({
      code: 'PROVENANCE_REQUIRED',
      message: expect.stringMatching(/no rules for the application/),
    });
  });
});

test('a dry run has a verdict on the provenance of every ciphertext', async () => {
  const { checks } = judgementOf(...asked([attested(LIST), LIST]));
  expect((await explained(checks)).checks).toMatchObject([
    ...['application', 'extraData', 'key', 'size', 'ciphertexts.0', 'ciphertexts.1'].map((check) => {
      return { check, passed: true };
    }),
    { check: 'provenance.0', passed: true },
    { check: 'provenance.1', passed: false, code: 'PROVENANCE_REQUIRED', hint: expect.stringMatching(/origin/) },
  ]);
});

test('what shows the provenance is no part of what a request id is bound to', () => {
  const hashOf = (body: CiphertextBody) => asked([body])[0].hash;
  expect(hashOf(attested(LIST))).toEqual(hashOf(LIST));
  expect(hashOf({ ...LIST, slot: 0 })).not.toEqual(hashOf(LIST));
});
