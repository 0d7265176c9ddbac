import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { createBallot } from '../src/ballot.ts';
import type { NodeAnswer } from '../src/contract.ts';
import type { Outcome } from '../src/conversation.ts';

const HANDLE = '1'.repeat(64);

function answer(value: string): NodeAnswer {
  const values = [{ handle: HANDLE, fheType: 'uint8', value }];
  const signed = { signature: '00'.repeat(65), signer: `0x${'1'.repeat(40)}` };
  return { requestId: HANDLE, state: 'succeeded', values, abiEncoded: value.padStart(64, '0'), ...signed };
}

const RIGHT = '42';
const honestOutcome = fc.constant<Outcome<NodeAnswer>>({ kind: 'answered', answer: answer(RIGHT) });
const corruptOutcome = fc.oneof(
  fc.constantFrom('1', '2', RIGHT).map((value): Outcome<NodeAnswer> => ({ kind: 'answered', answer: answer(value) })),
  fc.constantFrom('refused', 'wrong', 'late', 'absent').map((kind): Outcome<NodeAnswer> => ({ kind, reason: kind })),
);

/** n, t, the corrupt parties, an order of arrival, and what each corrupt party does. */
const runs = fc.constantFrom({ n: 4, t: 1 }, { n: 5, t: 1 }, { n: 7, t: 2 }, { n: 13, t: 4 }).chain(({ n, t }) => {
  const parties = Array.from({ length: n }, (_, index) => index + 1);
  return fc.record({
    n: fc.constant(n),
    t: fc.constant(t),
    order: fc.shuffledSubarray(parties, { minLength: n }),
    corrupt: fc.subarray(parties, { maxLength: t }),
    outcomes: fc.array(corruptOutcome, { minLength: n, maxLength: n }),
    honest: honestOutcome,
  });
});

test('t corrupt parties, any order: the right result after at most n-t answers, nobody honest is blamed', () => {
  fc.assert(
    fc.property(runs, ({ n, t, order, corrupt, outcomes, honest }) => {
      const ballot = createBallot(
        [...order].sort((left, right) => left - right),
        t,
      );
      let honestVotes = 0;
      for (const party of order) {
        const isCorrupt = corrupt.includes(party);
        ballot.record(party, isCorrupt ? outcomes[party - 1]! : honest, 1);
        if (!isCorrupt) honestVotes++;
        const agreement = ballot.agreement();
        if (agreement) expect(agreement.values[0]?.value).toBe(RIGHT);
        if (honestVotes > t) expect(agreement).toBeDefined();
        expect(ballot.open()).toBe(true);
      }
      for (const { party, verdict } of ballot.verdicts()) {
        if (!corrupt.includes(party)) expect(verdict).toBe('agreed');
      }
      expect(ballot.agreement()?.signatures.length).toBeGreaterThanOrEqual(n - corrupt.length);
    }),
    { numRuns: 2_000 },
  );
});

test('once closed, no later outcome brings an agreement', () => {
  fc.assert(
    fc.property(fc.array(corruptOutcome, { minLength: 7, maxLength: 7 }), (outcomes) => {
      const ballot = createBallot([1, 2, 3, 4, 5, 6, 7], 2);
      let closed = false;
      for (const [index, outcome] of outcomes.entries()) {
        ballot.record(index + 1, outcome, 1);
        closed ||= !ballot.open();
        if (closed) expect(ballot.agreement()).toBeUndefined();
      }
      expect(ballot.open()).toBe(ballot.agreement() !== undefined);
    }),
    { numRuns: 2_000 },
  );
});

test('the first outcome of a party counts, and strangers are an error', () => {
  const ballot = createBallot([1, 2, 3, 4], 1);
  ballot.record(1, { kind: 'late', reason: 'late' }, 1);
  ballot.record(1, { kind: 'answered', answer: answer(RIGHT) }, 2);
  expect(ballot.verdicts()[0]).toEqual({ party: 1, verdict: 'late', reason: 'late', ms: 1 });
  expect(() => ballot.record(5, { kind: 'late', reason: 'late' }, 1)).toThrow(RangeError);
});

test('a result is its words and its values: neither alone makes answers equal', () => {
  const ballot = createBallot([1, 2, 3, 4], 1);
  ballot.record(1, { kind: 'answered', answer: answer(RIGHT) }, 1);
  const retyped = { ...answer(RIGHT), values: [{ handle: HANDLE, fheType: 'uint16', value: RIGHT }] };
  ballot.record(2, { kind: 'answered', answer: retyped }, 1);
  expect(ballot.agreement()).toBeUndefined();
});
