import { CodecError } from '@keyquorum/codec/error';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  decodeEvidence,
  doubleSignature,
  EVIDENCE_BYTES_MAX,
  type Evidence,
  EXCLUSIVE_LABELS,
  encodeEvidence,
  verifyEvidence,
} from '../../src/agreement/evidence.ts';
import { LABELS } from '../../src/labels.ts';
import { type Subject, signStatement, subjectOf } from '../../src/runtime/statement.ts';
import { simulate } from '../../src/simulate/simulate.ts';
import { withoutKernel } from '../without-kernel.ts';

const sim = simulate({ seed: 2, n: 4, t: 1, kernel: withoutKernel });
const liar = sim.party(3);
const scope = { domain: LABELS.message, session: 'ef'.repeat(32), tag: 'opening/1', receiver: 0 };
const signed = (subject: Subject, party = liar) => ({ subject, signature: signStatement(party, subject) });
const one = signed(subjectOf(scope, Uint8Array.of(1)));
const two = signed(subjectOf(scope, Uint8Array.of(2)));
const evidence = doubleSignature(3, one, two);

describe('double signatures', () => {
  test('prove who signed them, in either order, also after a trip over the wire', () => {
    expect(verifyEvidence(sim.roster, evidence)).toBe(3);
    expect(doubleSignature(3, two, one)).toEqual(evidence);
    expect(verifyEvidence(sim.roster, decodeEvidence(encodeEvidence(evidence)))).toBe(3);
    expect(encodeEvidence(evidence).length).toBeLessThanOrEqual(EVIDENCE_BYTES_MAX);
  });

  const cases: [string, Evidence][] = [
    ['the same payload twice', doubleSignature(3, one, one)],
    ['another party', { ...evidence, party: 2 }],
    ['a party out of range', { ...evidence, party: 0 }],
    ['another tag', doubleSignature(3, one, signed(subjectOf({ ...scope, tag: 'opening/2' }, Uint8Array.of(2))))],
    ['another receiver', doubleSignature(3, one, signed(subjectOf({ ...scope, receiver: 1 }, Uint8Array.of(2))))],
    ['a session that another party signed', doubleSignature(3, one, signed(two.subject, sim.party(1)))],
    ['claims in the wrong order', { ...evidence, first: evidence.second, second: evidence.first }],
  ];
  test.each(cases)('prove nothing with %s', (_what, wrong) => {
    expect(verifyEvidence(sim.roster, wrong)).toBeUndefined();
  });

  test('relaying two values of a liar proves nothing against the relay', () => {
    const relay = { ...scope, domain: LABELS.broadcastRelay };
    const relayed = [1, 2].map((byte) => signed(subjectOf(relay, Uint8Array.of(byte)))) as [typeof one, typeof two];
    expect(EXCLUSIVE_LABELS).not.toContain(LABELS.broadcastRelay);
    expect(verifyEvidence(sim.roster, doubleSignature(3, ...relayed))).toBeUndefined();
  });

  test('any bytes: CodecError or the one canonical encoding', () => {
    const valid = encodeEvidence(evidence);
    const mutated = fc.tuple(fc.nat(valid.length - 1), fc.nat(255)).map(([at, byte]) => valid.with(at, byte));
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 400 }), mutated), (bytes) => {
        let decoded: Evidence;
        try {
          decoded = decodeEvidence(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(CodecError);
          return;
        }
        expect(encodeEvidence(decoded)).toEqual(bytes);
      }),
      { numRuns: 3_000 },
    );
  });
});
