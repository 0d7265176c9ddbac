/**
 * A PRSS-Init seen by somebody who was not there (SPEC R2): broadcasts, certificate and openings of a real run tell the
 * keys of every party; anything else tells nothing.
 */
import { decode, encode } from '@keyquorum/codec/codec';
import { CodecError } from '@keyquorum/codec/error';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { toHex } from '../../src/bytes.ts';
import {
  encodeOpenings,
  familyKeys,
  keysFromOpenings,
  openingsFromReveals,
  readOpenings,
} from '../../src/prss/init-contributions.ts';
import { type CertifiedInit, certifiedInitCodec, verifyInit } from '../../src/prss/init-transcript.ts';
import { encodePrssKeys } from '../../src/prss/late-keys.ts';
import { quorumOf } from '../../src/roster.ts';
import { simulate } from '../../src/simulate/simulate.ts';
import { partiesUpTo } from '../sharing/sharings.ts';
import { withoutKernel } from '../without-kernel.ts';
import { expectAgreement, type InitRun, runInit, SESSION } from './init-runs.ts';

async function run(n: number, t: number) {
  const sim = simulate({ seed: 1, n, t, kernel: withoutKernel });
  const observed = await runInit(sim, { scripts: { [n]: {} } }); // the last one does not vote
  const { deliveries, certificate } = expectAgreement(observed, partiesUpTo(n - 1));
  const certified: CertifiedInit = { deliveries, signatures: certificate.signatures };
  const about = { scope: observed.scope, roster: sim.roster, session: SESSION };
  return { sim, observed, certified, about };
}

function revealed({ results }: InitRun) {
  const [{ contributions }] = [...results.values()] as [NonNullable<ReturnType<typeof results.get>>];
  const reveals = new Map([...results].map(([party, each]) => [party, each.contributions.encodeReveal()]));
  return openingsFromReveals(contributions.commitments, reveals);
}

describe.each([
  { n: 4, t: 1 },
  { n: 7, t: 2 },
])('n=$n, t=$t', ({ n, t }) => {
  test('tells transcript, commitments and, with the openings, everybody’s keys', async () => {
    const { observed, certified, about } = await run(n, t);
    const read = decode(certifiedInitCodec, encode(certifiedInitCodec, certified));
    const agreed = verifyInit(about, read)!;
    const [result] = observed.results.values();
    expect(agreed.transcript).toEqual(result!.transcript);
    const known = revealed(observed);
    const shown = encodeOpenings(agreed.commitments, observed.scope.sets, known)!;
    const openings = readOpenings(agreed.commitments, observed.scope.sets, shown)!;
    for (const [party, { keys }] of observed.results) {
      for (const [family, own] of keys) {
        const theirs = familyKeys(agreed.commitments, party, { family, openings })!;
        expect(toHex(encodePrssKeys(theirs))).toBe(toHex(encodePrssKeys(own)));
      }
    }
    expect(keysFromOpenings(agreed.commitments, n, openings)?.size).toBe(2);
  });

  test('some sets only: the keys of others stay unknown, and an opening too few is noticed', async () => {
    const { observed, certified, about } = await run(n, t);
    const { commitments } = verifyInit(about, certified)!;
    const known = revealed(observed);
    const own = observed.scope.sets.filter(({ members }) => members.includes(1));
    const openings = readOpenings(commitments, own, encodeOpenings(commitments, own, known)!)!;
    expect(keysFromOpenings(commitments, 1, openings)).toBeDefined();
    expect(keysFromOpenings(commitments, n, openings)).toBeUndefined();
    expect(encodeOpenings(commitments, observed.scope.sets, openings)).toBeUndefined();
    const shown = encodeOpenings(commitments, own, known)!;
    for (const wrong of [shown.slice(64), Uint8Array.of(...shown, 0), shown.with(70, shown[70]! ^ 1)]) {
      expect(readOpenings(commitments, own, wrong)).toBeUndefined();
    }
  });
});

test('without a quorum, or about anything else, it tells nothing', async () => {
  const { sim, certified, about } = await run(4, 1);
  const { deliveries, signatures } = certified;
  expect(signatures.size).toBe(quorumOf(sim.roster));
  const fewer = new Map([...signatures].slice(1));
  expect(verifyInit(about, { deliveries, signatures: fewer })).toBeUndefined();
  expect(verifyInit({ ...about, session: 'd0'.repeat(32) }, certified)).toBeUndefined();
  for (const [step, bodies] of deliveries.entries()) {
    for (const party of bodies.keys()) {
      const without = new Map([...bodies].filter(([sender]) => sender !== party));
      expect(verifyInit(about, { deliveries: deliveries.with(step, without), signatures })).toBeUndefined();
    }
  }
});

test('any bytes: CodecError, or the one spelling of something', async () => {
  const { certified } = await run(4, 1);
  const valid = encode(certifiedInitCodec, certified);
  const mutated = fc.tuple(fc.nat(valid.length - 1), fc.nat(255)).map(([at, byte]) => valid.with(at, byte));
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 300 }), mutated), (bytes) => {
      let read: CertifiedInit;
      try {
        read = decode(certifiedInitCodec, bytes);
      } catch (error) {
        expect(error).toBeInstanceOf(CodecError);
        return;
      }
      expect(encode(certifiedInitCodec, read)).toEqual(bytes);
    }),
    { numRuns: 1_000 },
  );
});
