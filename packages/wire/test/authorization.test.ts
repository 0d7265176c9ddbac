/** Headers say one thing in one way, and a signature counts for a while only. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  authorizationMessage,
  EXPIRY_SECONDS_MAX,
  EXPIRY_TOLERANCE_SECONDS,
  encodeAuthorization,
  expiryProblem,
  parseAuthorization,
} from '../src/authorization.ts';

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const EXPIRES = 1_790_000_000;
const signed = {
  requester: 'demo',
  contentHash: new Uint8Array(32).fill(1),
  expires: EXPIRES,
  signature: new Uint8Array(64).fill(2),
};
const header = encodeAuthorization(signed);

test('a header is read as it was written', () => {
  const requester = fc.stringMatching(/^[a-zA-Z0-9._-]{1,64}$/);
  const expires = fc.integer({ min: 1, max: 999_999_999_999 });
  fc.assert(
    fc.property(requester, bytes(32), expires, bytes(64), (requester, contentHash, expires, signature) => {
      const shown = { requester, contentHash, expires, signature };
      expect(parseAuthorization(encodeAuthorization(shown))).toEqual({ scheme: 'signed', ...shown });
    }),
  );
});

test('what a header looks like', () => {
  const content = '01'.repeat(32);
  const signature = '02'.repeat(64);
  expect(header).toBe(
    `Keyquorum requester="demo", content="${content}", expires="1790000000", signature="${signature}"`,
  );
});

test.each(['0', '01790000000', '+1790000000', '-1', '1.5', '1e9', '0x10', ' 1790000000', '', '1234567890123', '١'])(
  'a time that is written "%s" is none',
  (written) => {
    expect(parseAuthorization(header.replace('1790000000', written))).toBeUndefined();
  },
);

test.each([
  ['no time', header.replace(/expires="\d+", /, '')],
  ['two times', header.replace(/(expires="\d+", )/, '$1$1')],
  ['another order', header.replace(/(content="\w+"), (expires="\d+")/, '$2, $1')],
  ['more behind it', `${header}, more="1"`],
  ['a line behind it', `${header}\n`],
])('%s: no header', (_, changed) => {
  expect(changed).not.toBe(header);
  expect(parseAuthorization(changed)).toBeUndefined();
});

test('any change of a header is another header or none', () => {
  const at = fc.nat({ max: header.length });
  const letter = fc.oneof(fc.string({ minLength: 1, maxLength: 1 }), fc.constantFrom(...'0123456789abcdef"'));
  fc.assert(
    fc.property(at, fc.nat({ max: 2 }), letter, (at, removed, letter) => {
      const changed = header.slice(0, at) + letter + header.slice(at + removed);
      const shown = parseAuthorization(changed);
      if (shown?.scheme !== 'signed') return;
      expect(encodeAuthorization(shown).toLowerCase()).toBe(changed.toLowerCase()); // RFC 9110: schemes in any case
    }),
    { numRuns: 2_000 },
  );
});

test('what is signed: label, content and time, which is eight bytes, the lowest first', () => {
  const message = authorizationMessage(signed.contentHash, 0x1_0203_0405);
  const label = Buffer.from('KEYQUORUM/node/authorization/v2|');
  expect(message).toEqual(
    new Uint8Array(Buffer.concat([label, signed.contentHash, Uint8Array.of(5, 4, 3, 2, 1, 0, 0, 0)])),
  );
});

describe('a signature counts', () => {
  const problemAt = (ms: number, grace?: number) => expiryProblem(EXPIRES, EXPIRES * 1_000 + ms, grace);

  test('until its time, and with a grace until that is over', () => {
    expect(problemAt(-1)).toBeUndefined();
    expect(problemAt(0)).toMatch(/expired 0 s ago: sign the request again; .* clock/);
    expect(problemAt(3_600_000)).toMatch(/expired 3600 s ago/);
    const graceMs = EXPIRY_TOLERANCE_SECONDS * 1_000;
    expect(problemAt(graceMs - 1, EXPIRY_TOLERANCE_SECONDS)).toBeUndefined();
    expect(problemAt(graceMs, EXPIRY_TOLERANCE_SECONDS)).toMatch(/expired 300 s ago/);
  });

  test('from two days before, by a clock that may be behind', () => {
    const earliest = -1_000 * (EXPIRY_SECONDS_MAX + EXPIRY_TOLERANCE_SECONDS);
    expect(problemAt(earliest)).toBeUndefined();
    for (const grace of [0, EXPIRY_TOLERANCE_SECONDS]) {
      expect(problemAt(earliest - 1, grace)).toMatch(/expires in 173100 s, more than 172800 s ahead: .* clock/);
    }
  });

  test('never by a clock that tells no time', () => {
    expect(expiryProblem(EXPIRES, Number.NaN)).toBeDefined();
  });
});
