/** Readers of what nodes send: any JSON is a value of the contract or an AnswerError; lists and texts are bounded. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  AnswerError,
  CIPHERTEXTS_MAX,
  readCoordinatedAnswer,
  readCoordinatedResponses,
  readErrorCode,
  readKeyAnswer,
  readNodeAnswer,
  readState,
  readUserAnswer,
} from '../src/contract.ts';

const ID = 'ab'.repeat(32);
const SIGNATURE = '0f'.repeat(65);
const SIGNER = `0x${'1'.repeat(40)}`;
const values = [{ handle: ID, fheType: 'uint8', value: '7' }];
const ANSWER = { requestId: ID, state: 'succeeded', values, abiEncoded: '', signature: SIGNATURE, signer: SIGNER };
const OBJECT = { type: 'CompactPublicKey', digest: ID, size: 9, signature: SIGNATURE };

const READERS = [
  ['a state', readState, { requestId: ID, state: 'pending', error: { code: 'BUSY' } }],
  ['an answer', readNodeAnswer, { ...ANSWER, faults: [{ party: 3, kind: 'late' }] }],
  ['a user answer', (body: unknown) => readUserAnswer(body, 100), { payload: '00ff', signature: SIGNATURE }],
  ['a key', readKeyAnswer, { requestId: ID, objects: [OBJECT] }],
  [
    'a coordinated answer',
    readCoordinatedAnswer,
    { values, abiEncoded: '00', signatures: [{ party: 1, signature: SIGNATURE }] },
  ],
  [
    'coordinated responses',
    readCoordinatedResponses,
    { responses: [{ party: 1, payload: '00' }], nodes: [{ party: 2, verdict: 'late', reason: 'no result' }] },
  ],
] as const;

test.each(READERS)('%s: read as sent, and any other JSON is refused as such', (_, read, good) => {
  expect(JSON.stringify(read(good))).toBeTruthy();
  const fields = Object.keys(good);
  const changed = fc
    .tuple(fc.constantFrom(...fields), fc.jsonValue())
    .map(([field, value]) => ({ ...good, [field]: value }));
  fc.assert(
    fc.property(fc.oneof(fc.jsonValue(), changed), (body) => {
      try {
        read(body);
      } catch (error) {
        expect(error).toBeInstanceOf(AnswerError);
      }
    }),
    { numRuns: 1_000 },
  );
});

test.each([
  ['a value that is no number', { values: [{ handle: ID, fheType: 'uint8', value: '0x7' }] }],
  ['a value of 619 digits', { values: [{ handle: ID, fheType: 'uint8', value: '1'.repeat(619) }] }],
  ['too many values', { values: Array(CIPHERTEXTS_MAX + 1).fill(values[0]) }],
  ['too many faults', { faults: Array(65).fill({ party: 1, kind: 'late' }) }],
  ['a party of 16', { faults: [{ party: 16, kind: 'late' }] }],
  ['a signature with 0x', { signature: `0x${SIGNATURE}` }],
  ['half a byte', { abiEncoded: '0' }],
  ['another state', { state: 'pending' }],
])('%s is refused', (_, change) => {
  expect(() => readNodeAnswer({ ...ANSWER, ...change })).toThrow(AnswerError);
});

test('a payload above its bound is refused', () => {
  expect(() => readUserAnswer({ payload: '00'.repeat(101), signature: SIGNATURE }, 100)).toThrow(AnswerError);
});

test('coordinated responses: the first entry of a party counts, at most fifteen are read', () => {
  const entry = (party: number, payload: string) => ({ party, payload });
  const verdicts = ['absent', 'late', 'answered', 'pending', 'else'].map((verdict, i) => ({ party: 1 + i, verdict }));
  const read = readCoordinatedResponses({ responses: [entry(1, 'a'), entry(2, 'b'), entry(1, 'c')], nodes: verdicts });
  expect([...read.responses.values()]).toEqual(expect.arrayContaining([entry(1, 'a'), entry(2, 'b')]));
  expect(read.verdicts.get(1)).toEqual({ kind: 'absent', reason: 'absent' });
  expect([...read.verdicts.keys()].sort()).toEqual([1, 2]);
  for (const field of ['responses', 'nodes']) {
    const long = { responses: [], nodes: [], [field]: Array(16).fill({ party: 1, verdict: 'late' }) };
    expect(() => readCoordinatedResponses(long)).toThrow(AnswerError);
  }
});

test('the code of a refusal, or undefined for any other JSON', () => {
  expect(readErrorCode({ error: { code: 'BUSY', message: 'later' } })).toBe('BUSY');
  fc.assert(
    fc.property(fc.jsonValue(), (body) => {
      expect(['string', 'undefined']).toContain(typeof readErrorCode(body));
    }),
  );
});
