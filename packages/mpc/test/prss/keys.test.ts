import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { toHex } from '../../src/bytes.ts';
import { familyA2, familyC } from '../../src/prss/family.ts';
import { derive, eraseKeys, PRSS_KEY_BYTES, prssKeys, sessionKeys } from '../../src/prss/keys.ts';
import { keysOfAll } from './keys-of-all.ts';

const SIZE = { n: 4, t: 1 };
const keys = keysOfAll(familyC(SIZE), 'keys').get(1)!;
const sessionId = fc.uint8Array({ minLength: 32, maxLength: 32 }).map(toHex);

describe('derive', () => {
  const parts = fc.array(fc.oneof(fc.uint8Array({ maxLength: 6 }), fc.string({ maxLength: 4 })), { maxLength: 4 });
  const key = new Uint8Array(PRSS_KEY_BYTES).fill(7);
  const spelled = (list: readonly (string | Uint8Array)[]) =>
    list.map((part) => toHex(typeof part === 'string' ? new TextEncoder().encode(part) : part)).join('/');

  test('is injective: other parts, or the same bytes cut elsewhere, give another key', () => {
    fc.assert(
      fc.property(parts, parts, (left, right) => {
        const same = left.length === right.length && spelled(left) === spelled(right);
        expect(toHex(derive(key, 'label', ...left)) === toHex(derive(key, 'label', ...right))).toBe(same);
      }),
    );
    expect(derive(key, 'label', 'ab', 'c')).not.toEqual(derive(key, 'label', 'a', 'bc'));
    expect(derive(key, 'label', 'ab')).not.toEqual(derive(key, 'labela', 'b'));
    expect(derive(key, 'label')).not.toEqual(derive(key, 'label', ''));
  });

  test('is HMAC-SHA256 of the parts, each behind its length', () => {
    const keyOf = fc.uint8Array({ maxLength: 64 });
    fc.assert(
      fc.property(keyOf, parts, (anyKey, list) => {
        const mac = createHmac('sha256', anyKey);
        for (const part of ['label', ...list]) {
          const bytes = Buffer.from(part);
          mac.update(Uint32Array.of(bytes.length)).update(bytes);
        }
        expect(toHex(derive(anyKey, 'label', ...list))).toBe(mac.digest('hex'));
      }),
    );
    expect(() => derive(new Uint8Array(65), 'label')).toThrow(RangeError);
  });

  test('gives 32 bytes in a buffer of their own', () => {
    const derived = derive(key, 'label', 'part');
    expect(derived).toHaveLength(PRSS_KEY_BYTES);
    expect(derived.buffer.byteLength).toBe(PRSS_KEY_BYTES);
  });
});

test('session keys of two sessions have nothing in common, and neither shows the epoch keys', () => {
  fc.assert(
    fc.property(fc.uniqueArray(sessionId, { minLength: 2, maxLength: 4 }), (sessions) => {
      const all = [keys, ...sessions.map((id) => sessionKeys(keys, id))];
      const spelled = all.flatMap(({ bySubset }) => [...bySubset.values()].map(toHex));
      expect(new Set(spelled).size).toBe(spelled.length);
    }),
    { numRuns: 30 },
  );
});

test('every member of a set derives the same session key', () => {
  const session = 'ab'.repeat(32);
  const derived = [...keysOfAll(familyC(SIZE), 'members').values()].map((own) => sessionKeys(own, session));
  for (const [index, members] of familyC(SIZE).subsets.entries()) {
    const said = members.map((party) => toHex(derived[party - 1]!.bySubset.get(index)!));
    expect(new Set(said).size).toBe(1);
  }
});

test('the family is part of a session key', () => {
  const bytes = new Uint8Array(PRSS_KEY_BYTES).fill(1);
  const [c, a2] = [familyC(SIZE), familyA2(SIZE)].map((family) => {
    const indices = family.subsets.flatMap((set, index) => (set.includes(1) ? [index] : []));
    return sessionKeys(prssKeys(family, 1, new Map(indices.map((index) => [index, bytes]))), 'cd'.repeat(32));
  });
  expect(c!.bySubset.get(0)).not.toEqual(a2!.bySubset.get(0));
});

test('erasing session keys leaves the epoch keys', () => {
  const derived = sessionKeys(keys, 'ef'.repeat(32));
  eraseKeys(derived);
  for (const key of derived.bySubset.values()) expect(key).toEqual(new Uint8Array(PRSS_KEY_BYTES));
  for (const key of keys.bySubset.values()) expect(key).not.toEqual(new Uint8Array(PRSS_KEY_BYTES));
});

test('exactly one key of 32 bytes per set of the party', () => {
  const family = familyC(SIZE);
  const [first, ...rest] = [...keys.bySubset];
  const short: [number, Uint8Array] = [first![0], new Uint8Array(31)];
  for (const wrong of [rest, [short, ...rest], [...keys.bySubset, [99, new Uint8Array(32)] as const]]) {
    expect(() => prssKeys(family, 1, new Map(wrong as [number, Uint8Array][]))).toThrow(RangeError);
  }
  expect(() => prssKeys(family, 2, keys.bySubset)).toThrow(RangeError);
});
