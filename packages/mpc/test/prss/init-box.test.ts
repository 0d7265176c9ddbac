import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fromHex, toHex } from '../../src/bytes.ts';
import { BOX_OVERHEAD_BYTES, boxPublicKey, openBox, sealBox } from '../../src/prss/init-box.ts';
import { createPrng } from '../../src/simulate/prng.ts';

/** The top bit of the ephemeral key: X25519 ignores it, the box must not. */
const UNUSED_BIT = 255;
const random = createPrng('box');
const secretKey = random.bytes(32);
const owners = { scope: random.bytes(32), sender: 1, receiver: 2 };
const seal = (content: Uint8Array, receiverKey = boxPublicKey(secretKey)) =>
  sealBox(owners, receiverKey, random.bytes(32), content);

test('public keys agree with RFC 7748, section 6.1', () => {
  const alice = fromHex('77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a');
  expect(toHex(boxPublicKey(alice))).toBe('8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a');
});

test('the receiver reads what was sealed, in an array of its own', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (content) => {
      const box = seal(content);
      expect(box).toHaveLength(BOX_OVERHEAD_BYTES + content.length);
      const opened = openBox(owners, secretKey, box)!;
      expect(opened).toEqual(content);
      expect(opened.buffer.byteLength).toBe(content.length);
    }),
  );
});

test('any changed bit, other owners, another scope or another key: nothing opens', () => {
  const content = random.bytes(64);
  const box = seal(content);
  fc.assert(
    fc.property(fc.oneof(fc.integer({ min: 0, max: 8 * box.length - 1 }), fc.constant(UNUSED_BIT)), (bit) => {
      const changed = box.map((byte, at) => (at === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte));
      expect(openBox(owners, secretKey, changed)).toBeUndefined();
    }),
  );
  expect(openBox({ ...owners, sender: 3 }, secretKey, box)).toBeUndefined();
  expect(openBox({ ...owners, receiver: 3 }, secretKey, box)).toBeUndefined();
  expect(openBox({ ...owners, scope: new Uint8Array(32) }, secretKey, box)).toBeUndefined();
  expect(openBox(owners, random.bytes(32), box)).toBeUndefined();
});

test('keys of small order get a box that nobody can open, short boxes neither', () => {
  for (const u of [0, 1]) {
    const smallOrder = Uint8Array.of(u, ...new Uint8Array(31));
    const box = seal(random.bytes(16), smallOrder);
    expect(box).toEqual(new Uint8Array(BOX_OVERHEAD_BYTES + 16));
    expect(openBox(owners, secretKey, box)).toBeUndefined();
  }
  for (const length of [0, 32, BOX_OVERHEAD_BYTES - 1]) {
    expect(openBox(owners, secretKey, new Uint8Array(length))).toBeUndefined();
  }
});

test('equal content in two boxes looks different', () => {
  const content = random.bytes(32);
  expect(seal(content)).not.toEqual(seal(content));
});
