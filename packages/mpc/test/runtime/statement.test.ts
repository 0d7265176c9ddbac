/** SPEC R17: different claims never have equal bytes, and signatures hold for exactly one claim of one party. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { toHex } from '../../src/bytes.ts';
import { LABELS } from '../../src/labels.ts';
import type { Roster } from '../../src/roster.ts';
import { createSigner } from '../../src/runtime/identity.ts';
import {
  encodeStatement,
  rosterDigest,
  type Statement,
  signStatement,
  subjectOf,
  verifyStatement,
} from '../../src/runtime/statement.ts';
import { TAG_LENGTH_MAX } from '../../src/transport.ts';

const ascii = fc.string({ unit: fc.constantFrom(...'abc/ 1~'), minLength: 1, maxLength: 12 });
const hash = fc.uint8Array({ minLength: 32, maxLength: 32 });
const statement: fc.Arbitrary<Statement> = fc.record({
  domain: ascii,
  network: hash,
  session: hash.map(toHex),
  tag: ascii,
  sender: fc.integer({ min: 1, max: 15 }),
  receiver: fc.integer({ min: 0, max: 15 }),
  length: fc.maxSafeNat(),
  digest: hash,
});
/** Two statements that differ in a few fields only: those are the dangerous pairs. */
const pair = fc
  .tuple(statement, statement, fc.array(fc.boolean(), { minLength: 8, maxLength: 8 }))
  .map(([left, other, takes]): [Statement, Statement] => {
    const entries = Object.entries(left).map(([name, value], index) => [
      name,
      takes[index] ? Reflect.get(other, name) : value,
    ]);
    return [left, Object.fromEntries(entries)];
  });
const textOf = (value: Statement) =>
  JSON.stringify({ ...value, network: [...value.network], digest: [...value.digest] });

const signers = [1, 2, 3, 4].map((byte) => createSigner(new Uint8Array(32).fill(byte)));
const roster: Roster = { network: 'test', n: 4, t: 1, publicKeys: signers.map(({ publicKey }) => publicKey) };
const speaker = (self: number) => ({ roster, self, signer: signers[self - 1]! });
const scope = { domain: LABELS.message, session: 'aa'.repeat(32), tag: 'round/1', receiver: 0 };

describe('statements', () => {
  test('are equal bytes only when they are equal claims', () => {
    fc.assert(
      fc.property(pair, ([left, right]) => {
        const equal = Buffer.compare(encodeStatement(left), encodeStatement(right)) === 0;
        expect(equal).toBe(textOf(left) === textOf(right));
      }),
      { numRuns: 2_000 },
    );
  });

  test.each([
    ['empty domain', { domain: '' }],
    ['long tag', { tag: 'a'.repeat(TAG_LENGTH_MAX + 1) }],
    ['control character', { tag: 'a\u0000' }],
    ['letter beyond ASCII', { domain: 'é' }],
    ['short digest', { digest: new Uint8Array(31) }],
    ['upper-case session', { session: 'AA'.repeat(32) }],
    ['sender above a byte', { sender: 256 }],
  ])('refuse a field out of range: %s', (_what, change) => {
    const good = { ...scope, network: new Uint8Array(32), sender: 1, length: 0, digest: new Uint8Array(32) };
    expect(() => encodeStatement(good)).not.toThrow();
    expect(() => encodeStatement({ ...good, ...change })).toThrow(RangeError);
  });
});

describe('signatures', () => {
  const subject = subjectOf(scope, Uint8Array.of(1, 2, 3));
  const signature = signStatement(speaker(2), subject);

  test('hold for the party, payload and scope that were signed, and no other', () => {
    expect(verifyStatement(roster, 2, subject, signature)).toBe(true);
    expect(verifyStatement(roster, 3, subject, signature)).toBe(false);
    expect(verifyStatement(roster, 9, subject, signature)).toBe(false);
    expect(verifyStatement(roster, 2, subjectOf(scope, Uint8Array.of(1, 2)), signature)).toBe(false);
    for (const change of [{ domain: LABELS.ok }, { session: 'bb'.repeat(32) }, { tag: 'round/2' }, { receiver: 3 }]) {
      expect(verifyStatement(roster, 2, { ...subject, ...change }, signature)).toBe(false);
    }
  });

  test('hold in one network only', () => {
    for (const change of [{ network: 'other' }, { t: 0 }, { publicKeys: [...roster.publicKeys].reverse() }]) {
      const other = { ...roster, ...change };
      expect(rosterDigest(other)).not.toEqual(rosterDigest(roster));
      expect(verifyStatement(other, 2, subject, signature)).toBe(false);
    }
  });

  test('any bytes as signature are refused without an error', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 70 }), (bytes) => {
        expect(verifyStatement(roster, 2, subject, bytes)).toBe(false);
      }),
    );
  });

  test('match RFC 8032, test 1', () => {
    const seed = Uint8Array.from(
      Buffer.from('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60', 'hex'),
    );
    const signer = createSigner(seed);
    expect(toHex(signer.publicKey)).toBe('d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a');
    expect(toHex(signer.sign(new Uint8Array()))).toBe(
      'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155' +
        '5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
    );
  });
});
