/** Payloads and their opening: one spelling, bounded, and a code for every way an answer can be wrong. */
import { asGr128 } from '@keyquorum/kernel/batch';
import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { createUserKeyPair, type UserKeyPair } from '../src/encryption-key.ts';
import { WireError, type WireErrorCode } from '../src/error.ts';
import {
  type AnsweredRequest,
  createResponse,
  decodePayload,
  encodePayload,
  type UserDecryptionResponse,
} from '../src/response.ts';
import { createResponseCheck, type ExpectedResponses } from '../src/response-check.ts';
import { signcrypt, unsigncrypt } from '../src/signcryption.ts';
import { createSigner } from '../src/signer.ts';
import { createResponseOpener } from '../src/user-decryption.ts';
import {
  ALL_TYPES,
  createCommittee,
  DOMAIN,
  deal,
  type Lie,
  random,
  respond,
  signedAgain,
} from './support/committee.ts';

const committee = createCommittee(4, 1);
const keys: UserKeyPair = createUserKeyPair(random(64));
const request: AnsweredRequest = {
  domain: DOMAIN,
  encryptionKey: keys.encryptionKey,
  userAddress: `0x${'22'.repeat(20)}`,
  extraData: Uint8Array.of(1, ...Array(32).fill(7)),
};
const values = [deal(ALL_TYPES[0]!, 4, 1), deal(ALL_TYPES[4]!, 4, 1)];
const expected: ExpectedResponses = {
  ...request,
  handles: values.map(({ handle }) => handle),
  fheTypes: [0, 5],
  signers: committee.signers.map(({ address }) => address),
  threshold: 1,
};
let answer: UserDecryptionResponse;
beforeAll(async () => {
  answer = await respond(committee, request, values, { party: 2 });
});

/** The code with which an opener refuses, or undefined. */
async function codeOf(given: UserDecryptionResponse, changes: Partial<ExpectedResponses> = {}, party = 2) {
  try {
    await createResponseOpener({ ...expected, ...changes }, keys).open(party, given);
  } catch (error) {
    if (error instanceof WireError) return error.code;
    throw error;
  }
}

test('an honest answer opens to the shares, which are of their own memory', async () => {
  const opened = await createResponseOpener(expected, keys).open(2, answer);
  expect(opened.party).toBe(2);
  expect(opened.values.map(({ elements }) => elements)).toEqual(values.map(({ shares }) => shares[1]));
  expect(answer.extraData).toEqual(request.extraData);
});

test('the outside is checked without a private key; what is wrong inside, only the user sees', async () => {
  const check = createResponseCheck(expected);
  expect(check(2, answer)).toEqual(decodePayload(answer.payload));
  for (const lie of ['another party', 'another linker', 'another packing factor'] as const) {
    const response = await respond(committee, request, values, { party: 2, lie });
    expect(() => check(2, response)).toThrow(WireError);
  }
  const unreadable = await respond(committee, request, values, { party: 2, lie: 'three bytes for a signcryption' });
  expect(check(2, unreadable)).toMatchObject({ party: 2, degree: 1 });
});

test.each<[Lie, WireErrorCode | undefined]>([
  ['random shares', undefined], // only the other shares show it
  ['fewer elements', 'SHARE_LENGTH'],
  ['more elements', 'SHARE_LENGTH'],
  ['a share that does not decode', 'SHARE_LENGTH'],
  ['a signcryption that does not decrypt', 'SIGNCRYPTION_UNREADABLE'],
  ['three bytes for a signcryption', 'SIGNCRYPTION_MALFORMED'],
  ['another degree', 'RESPONSE_PARTY'],
  ['another party', 'RESPONSE_PARTY'],
  ['another linker', 'RESPONSE_REQUEST'],
  ['another packing factor', 'PACKING_FACTOR'],
  ['a signature of somebody else', 'SIGNER_WRONG'],
])('%s: %s', async (lie, code) => {
  expect(await codeOf(await respond(committee, request, values, { party: 2, lie }))).toBe(code);
});

test('answers to another request, of another party, or under another domain are refused', async () => {
  const other = random(32);
  const cases: [WireErrorCode, Partial<ExpectedResponses>, number?][] = [
    ['SIGNER_WRONG', { handles: [expected.handles[0]!, other] }],
    ['SIGNER_WRONG', { handles: [...expected.handles].reverse() }],
    ['SIGNER_WRONG', { extraData: new Uint8Array(0) }],
    ['SIGNER_WRONG', { domain: { ...DOMAIN, chainId: 1n } }],
    ['SIGNER_WRONG', {}, 3],
    ['RESPONSE_REQUEST', { userAddress: `0x${'23'.repeat(20)}` }],
    ['RESPONSE_REQUEST', { fheTypes: [0, 4] }],
    ['RESPONSE_PARTY', { threshold: 2 }],
  ];
  for (const [code, changes, party] of cases) expect(await codeOf(answer, changes, party)).toBe(code);
  await expect(createResponseOpener(expected, keys).open(5, answer)).rejects.toThrow(RangeError);
});

test('a payload with the verification key of another party, signed by its own, is refused', async () => {
  const [, second, third] = committee.signers;
  const foreign = await createResponse(request, sharesOf(2), { party: 2, threshold: 1, signer: third!, random });
  expect(await codeOf(foreign)).toBe('SIGNER_WRONG');
  expect(await codeOf(signedAgain(request, values, foreign.payload, second!))).toBe('RESPONSE_PARTY');
  const payload = decodePayload(answer.payload);
  for (const verificationKey of [payload.verificationKey.subarray(8), new Uint8Array(41)]) {
    const bytes = encodePayload({ ...payload, verificationKey });
    expect(await codeOf(signedAgain(request, values, bytes, second!))).toBe('RESPONSE_MALFORMED');
  }
});

test('a signcryption counts for its recipient, sender, request and type only', async () => {
  const [signer, stranger] = [createSigner(random(32)), createSigner(random(32))];
  const encapsulationKey = keys.encryptionKey.subarray(-800);
  const recipient = { encapsulationKey, userAddress: request.userAddress };
  const linker = random(32);
  const share = random(72);
  const bytes = await signcrypt({ share, fheType: 5, linker }, recipient, signer, random);
  const expectation = {
    recipient,
    decapsulationKey: keys.decapsulationKey,
    senderKey: signer.publicKey,
    fheType: 5,
    linker,
  };
  expect(await unsigncrypt(bytes, expectation)).toEqual(share);
  const refused = (changes: Partial<typeof expectation>, code: WireErrorCode) =>
    expect(unsigncrypt(bytes, { ...expectation, ...changes })).rejects.toMatchObject({ name: 'WireError', code });
  await refused({ senderKey: stranger.publicKey }, 'SIGNCRYPTION_SENDER');
  await refused({ recipient: { ...recipient, userAddress: `0x${'23'.repeat(20)}` } }, 'SIGNCRYPTION_SENDER');
  await refused({ linker: random(32) }, 'SIGNCRYPTION_REQUEST');
  await refused({ fheType: 4 }, 'SIGNCRYPTION_REQUEST');
  await refused({ decapsulationKey: createUserKeyPair(random(64)).decapsulationKey }, 'SIGNCRYPTION_UNREADABLE');
});

test('payloads: any bytes are one canonical payload or refused, also valid ones with changes', () => {
  const canonical = (bytes: Uint8Array) => {
    try {
      expect(encodePayload(decodePayload(bytes))).toEqual(new Uint8Array(bytes));
    } catch (error) {
      expect(error).toMatchObject({ name: 'WireError', code: 'RESPONSE_MALFORMED' });
    }
  };
  fc.assert(fc.property(fc.uint8Array({ maxLength: 400 }), canonical), { numRuns: 500 });
  const change = fc.tuple(fc.nat(answer.payload.length - 1), fc.nat(255));
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), fc.nat(20), (changes, cut) => {
      const bytes = new Uint8Array(answer.payload.subarray(0, answer.payload.length - cut));
      for (const [at, byte] of changes) bytes[at] = byte;
      canonical(bytes);
    }),
    { numRuns: 500 },
  );
  expect(() => decodePayload(new Uint8Array([...answer.payload, 0]))).toThrow(WireError);
});

test('any bytes for a signcryption: WireError and nothing else', async () => {
  const expectation = {
    recipient: { encapsulationKey: keys.encryptionKey.subarray(-800), userAddress: request.userAddress },
    decapsulationKey: keys.decapsulationKey,
    senderKey: committee.signers[1]!.publicKey,
    fheType: 5,
    linker: random(32),
  };
  const { signcrypted } = decodePayload(answer.payload).values[0]!;
  await fc.assert(
    fc.asyncProperty(fc.nat(signcrypted.length - 1), fc.nat(255), fc.nat(40), async (at, byte, cut) => {
      const bytes = new Uint8Array(signcrypted.subarray(0, signcrypted.length - cut));
      bytes[at] = byte;
      await expect(unsigncrypt(bytes, expectation)).rejects.toBeInstanceOf(WireError);
    }),
    { numRuns: 50 },
  );
});

test('shares of the wrong length are our own bug; keys and types of a request are the caller’s', async () => {
  const party = { party: 2, threshold: 1, signer: committee.signers[1]!, random };
  const short = sharesOf(2).map((value) => ({ ...value, elements: asGr128(new Uint8Array(0)) }));
  await expect(createResponse(request, short, party)).rejects.toThrow(RangeError);
  const key = request.encryptionKey.subarray(1);
  await expect(createResponse({ ...request, encryptionKey: key }, sharesOf(2), party)).rejects.toThrow(WireError);
  const euint4 = sharesOf(2).map((value) => ({ ...value, fheType: 1 }));
  await expect(createResponse(request, euint4, party)).rejects.toMatchObject({ code: 'TYPE_UNSUPPORTED' });
});

function sharesOf(party: number) {
  return values.map(({ shares, ...value }) => ({ ...value, elements: shares[party - 1]! }));
}
