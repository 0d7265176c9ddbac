/** Bodies of PRSS-Init: one spelling each, and nothing that a peer sends makes a decoder throw or allocate. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { familyA2, familyC } from '../../src/prss/family.ts';
import {
  bodyBytesMax,
  decodeComplaints,
  decodeContribution,
  decodeKeys,
  decodeManifest,
  encodeComplaints,
  encodeContribution,
  encodeKeys,
  encodeManifest,
  hasView,
  manifestBytesMax,
  othersOf,
} from '../../src/prss/init-messages.ts';
import { createScope } from '../../src/prss/init-scope.ts';
import { createPrng } from '../../src/simulate/prng.ts';
import { partiesUpTo, SIZES } from '../sharing/sharings.ts';

const SESSION = 'e0'.repeat(32);
const rosterOf = (n: number, t: number, network = 'test') => {
  const publicKeys = partiesUpTo(n).map((party) => new Uint8Array(32).fill(party));
  return { network, n, t, publicKeys };
};
const scopeOf = (n: number, t: number, context = new Uint8Array(0), session = SESSION, network = 'test') => {
  const roster = rosterOf(n, t, network);
  return createScope({ session, roster }, [familyC(roster), familyA2(roster)], context);
};

describe.each(SIZES)('n=$n, t=$t', ({ n, t }) => {
  const scope = scopeOf(n, t);
  const random = createPrng(`messages ${n}`);
  const view = random.bytes(32);
  const [keysMax, contributionMax, complaintsMax] = bodyBytesMax(scope);

  test('keys, contributions and complaints are read back and fit their bounds', () => {
    for (const self of [1, n]) {
      const keys = {
        nonce: random.bytes(32),
        keys: new Map(othersOf(scope, self).map((id) => [id, random.bytes(32)])),
      };
      expect(encodeKeys(keys)).toHaveLength(keysMax);
      expect(decodeKeys(scope, self, encodeKeys(keys))).toEqual(keys);

      const receivers = othersOf(scope, self);
      const contribution = {
        commitments: new Map(scope.common(self, self).map(({ number }) => [number, random.bytes(32)])),
        boxes: new Map(receivers.map((to) => [to, random.bytes(48 + 64 * scope.common(self, to).length)])),
      };
      const body = encodeContribution(view, contribution);
      expect(body.length).toBeLessThanOrEqual(contributionMax);
      expect(hasView(body, view)).toBe(true);
      const read = decodeContribution(scope, self, receivers, body)!;
      expect(encodeContribution(view, read)).toEqual(body);

      const complaints = new Map(receivers.map((id) => [id, random.bytes(32)]));
      expect(encodeComplaints(view, complaints)).toHaveLength(complaintsMax);
      expect(decodeComplaints(scope, self, encodeComplaints(view, complaints))).toEqual(complaints);
    }
  });

  test('a manifest names who was delivered and fits its bound', () => {
    const bodies = new Map(partiesUpTo(n).map((party) => [party, random.bytes(8)]));
    const manifest = encodeManifest(scope, [bodies, new Map(), bodies]);
    expect(manifest.length).toBeLessThanOrEqual(manifestBytesMax(scope));
    expect(encodeManifest(scope, [bodies, bodies, bodies])).toHaveLength(manifestBytesMax(scope));
    expect(decodeManifest(scope, manifest)!.map((step) => [...step.keys()])).toEqual([
      partiesUpTo(n),
      [],
      partiesUpTo(n),
    ]);
    expect(decodeManifest(scopeOf(n, t, Uint8Array.of(1)), manifest)).toBeUndefined();
  });
});

describe('anything else', () => {
  const scope = scopeOf(4, 1);
  const body = fc.uint8Array({ maxLength: 800 });

  test('is undefined, and what is read has exactly one spelling', () => {
    fc.assert(
      fc.property(body, (bytes) => {
        const keys = decodeKeys(scope, 1, bytes);
        if (keys) expect(encodeKeys(keys)).toEqual(bytes);
        const contribution = decodeContribution(scope, 1, [2, 3, 4], bytes);
        if (contribution) expect(encodeContribution(bytes.subarray(0, 32), contribution)).toEqual(bytes);
        const complaints = decodeComplaints(scope, 1, bytes);
        if (complaints) expect(encodeComplaints(bytes.subarray(0, 32), complaints)).toEqual(bytes);
        decodeManifest(scope, bytes);
      }),
    );
  });

  test.each([
    ['about itself', [1]],
    ['about a party that is none', [5]],
    ['about party 0', [0]],
    ['out of order', [3, 2]],
    ['twice', [2, 2]],
  ])('complaints %s are refused', (_, senders) => {
    const records = senders.flatMap((sender) => [sender, ...new Uint8Array(32)]);
    const bytes = Uint8Array.of(...new Uint8Array(32), senders.length, ...records);
    expect(decodeComplaints(scope, 1, bytes)).toBeUndefined();
  });
});

describe('scope', () => {
  test('differs by session, network, context and families', () => {
    const roster = rosterOf(4, 1);
    const onlyC = createScope({ session: SESSION, roster }, [familyC(roster)], new Uint8Array(0));
    const scopes = [
      scopeOf(4, 1),
      scopeOf(4, 1, Uint8Array.of(0)),
      scopeOf(4, 1, new Uint8Array(0), 'e1'.repeat(32)),
      scopeOf(4, 1, new Uint8Array(0), SESSION, 'other'),
      onlyC,
    ];
    expect(new Set(scopes.map(({ digest }) => Buffer.from(digest).toString('hex'))).size).toBe(scopes.length);
  });

  test('refuses families of other sizes or twice, and long contexts', () => {
    const roster = rosterOf(4, 1);
    const make = (families: Parameters<typeof createScope>[1], bytes = 0) =>
      createScope({ session: SESSION, roster }, families, new Uint8Array(bytes));
    expect(() => make([familyC({ n: 7, t: 2 })])).toThrow(RangeError);
    expect(() => make([familyC(roster), familyC(roster)])).toThrow(RangeError);
    expect(() => make([familyC(roster)], 1025)).toThrow(RangeError);
  });
});
