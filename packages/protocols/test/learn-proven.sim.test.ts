/**
 * Whom others have proven corrupt (SPEC R3). Goal: a party enters what t+1 others say, or what evidence shows, and
 * nothing else; peers that say what they cannot show cost a bounded number of files. Method: liars name everybody and
 * serve files of their choice while the pool is filled.
 */
import { encode, u8 } from '@keyquorum/codec/codec';
import { vector } from '@keyquorum/codec/composites';
import { type FaultStrategy, type Faults, intercept } from '@keyquorum/mpc/simulate/strategy';
import { describe, expect, test } from 'vitest';
import { encodeEvidenceFile } from '../src/evidence/file.ts';
import { poolWithLiars } from './support/evidence.ts';
import { provenBy, upTo } from './support/generation.ts';
import { accuse, accuseOfBroken, createCommittee, makeBatch, makeEpoch } from './support/made-evidence.ts';

const SIZES = [
  { n: 4, t: 1 },
  { n: 7, t: 2 },
];
const TRIES_MAX = 3;
const namedParties = vector(u8, 15);

/** Says that all others are proven corrupt, and serves this as the evidence; counts who asked for what. */
function slanderer(file: Uint8Array | undefined, asked: Map<string, number>): FaultStrategy {
  return {
    name: 'says that all others are proven corrupt',
    wrap: (transport, { self, roster }) =>
      intercept(transport, {
        async answer(from, { name }, answer) {
          if (name === 'proven/list')
            return encode(
              namedParties,
              upTo(roster.n).filter((party) => party !== self),
            );
          if (name !== 'proven/file') return answer();
          asked.set(`${from} of ${self}`, (asked.get(`${from} of ${self}`) ?? 0) + 1);
          if (file === undefined) throw new Error('nothing to show');
          return file;
        },
      }),
  };
}

/** About another committee with the same names: properly made, and about nobody here. */
const foreign = createCommittee(4, 1, 'sim');
const files: readonly [string, Uint8Array | undefined][] = [
  ['nothing', undefined],
  ['no file', new Uint8Array(100)],
  ['a wrong share, which takes long to judge', encodeEvidenceFile(wrongShare())],
  ['evidence of another network', encodeEvidenceFile(brokenInit())],
];

function wrongShare() {
  return accuse(foreign, makeBatch(foreign), { party: 2, step: 'share' });
}

function brokenInit() {
  const made = makeEpoch(foreign, (body, step, party) => (step === 1 && party === 2 ? body.slice(1) : body));
  return accuseOfBroken(foreign, made, 2);
}

describe.each(SIZES)('n=$n, t=$t', ({ n, t }) => {
  test.each(files)(
    't liars show %s of whom they name: nobody is entered, and the pool is filled',
    async (what, file) => {
      const asked = new Map<string, number>();
      const liars = upTo(n).slice(-t);
      const faults: Faults = Object.fromEntries(liars.map((party) => [party, slanderer(file, asked)]));
      const network = await poolWithLiars({ seed: what, n, t }, faults);
      for (const party of upTo(n - t)) expect(provenBy(network, party), `by party ${party}`).toEqual([]);
      expect(asked.size).toBeGreaterThan(0);
      for (const [who, times] of asked) expect(times, who).toBeLessThanOrEqual(TRIES_MAX * (n - 1));
    },
  );
});
