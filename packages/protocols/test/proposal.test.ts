// Goal: proposals and batch records have one spelling, and bytes of strangers do nothing but throw a typed error.
// Method: round trips, random bytes, and mutations of good encodings; a decoded value must encode to the same bytes.
import { CodecError } from '@keyquorum/codec/error';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeRecord, decodeStart, encodeRecord, encodeStart } from '../src/decryption/batch-record.ts';
import {
  bundlesOf,
  decodeProposal,
  encodeProposal,
  onlineSessionId,
  PROPOSAL_BUNDLES_MAX,
  PROPOSAL_BYTES_MAX,
  type ProposalItem,
  proposalDigest,
  splitItems,
} from '../src/decryption/proposal.ts';
import { decodeContent, encodeContent } from '../src/keygen/content.ts';

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const hex = bytes(32).map((each) => Buffer.from(each).toString('hex'));
const u32 = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const item = fc.record({
  output: fc.constantFrom('public' as const, 'user' as const),
  requestId: hex,
  contentHash: bytes(32),
  keyId: hex,
  value: u32,
  firstBlock: u32,
  blocks: u32,
});
const proposal = fc.record({
  batch: hex,
  owner: fc.integer({ min: 0, max: 255 }),
  number: u32,
  low: u32,
  items: fc.array(item, { maxLength: 12 }),
});
const start = fc.record({
  epoch: u32,
  bundles: u32,
  leader: fc.integer({ min: 0, max: 255 }),
  nonces: fc.array(fc.record({ party: fc.integer({ min: 0, max: 255 }), nonce: bytes(32), signature: bytes(64) }), {
    maxLength: 15,
  }),
});
const record = fc.record({
  start: fc.uint8Array({ maxLength: 90 }),
  certificate: fc.uint8Array({ maxLength: 90 }),
  values: fc.uint8Array({ maxLength: 300 }),
});

const FORMATS = [
  {
    name: 'proposal',
    good: proposal.map(encodeProposal),
    again: (each: Uint8Array) => encodeProposal(decodeProposal(each)),
  },
  { name: 'START', good: start.map(encodeStart), again: (each: Uint8Array) => encodeStart(decodeStart(each)) },
  { name: 'record', good: record.map(encodeRecord), again: (each: Uint8Array) => encodeRecord(decodeRecord(each)) },
];

/** Decodes to something that has exactly this spelling, or is refused. */
function accepts(again: (bytes: Uint8Array) => Uint8Array, encoded: Uint8Array): boolean {
  try {
    expect(Buffer.from(again(encoded))).toEqual(Buffer.from(encoded));
    return true;
  } catch (error) {
    if (error instanceof CodecError) return false;
    throw error;
  }
}

test.each(FORMATS)('$name: every good encoding is read back', ({ good, again }) => {
  fc.assert(fc.property(good, (encoded) => accepts(again, encoded)));
});

test.each(FORMATS)('$name: random and changed bytes are refused or have one spelling', ({ good, again }) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 600 }), (encoded) => void accepts(again, encoded)),
    { numRuns: 500 },
  );
  const changes = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 })), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(good, changes, fc.integer({ min: -9, max: 9 }), (encoded, flips, longer) => {
      const changed = Buffer.concat([encoded, Buffer.alloc(Math.max(0, longer))]).subarray(0, encoded.length + longer);
      for (const [at, mask] of flips) if (changed.length > 0) changed[at % changed.length]! ^= mask;
      accepts(again, Uint8Array.from(changed));
      if (longer !== 0) expect(accepts(again, Uint8Array.from(Buffer.concat([encoded, Buffer.alloc(9)])))).toBe(false);
    }),
    { numRuns: 500 },
  );
});

test('a length that promises more than there is costs nothing', () => {
  const encoded = encodeProposal({ batch: '0'.repeat(64), owner: 1, number: 1, low: 0, items: [] });
  encoded.fill(255, encoded.length - 8);
  expect(() => decodeProposal(encoded)).toThrow(CodecError);
});

test('the longest proposal has the promised length', () => {
  const one: ProposalItem = {
    output: 'user',
    requestId: '0'.repeat(64),
    contentHash: new Uint8Array(32),
    keyId: '0'.repeat(64),
    value: 0,
    firstBlock: 0,
    blocks: 1,
  };
  const items = Array(PROPOSAL_BUNDLES_MAX).fill(one);
  const encoded = encodeProposal({ batch: '0'.repeat(64), owner: 1, number: 1, low: 0, items });
  expect(encoded.length).toBe(PROPOSAL_BYTES_MAX);
});

test('different proposals have different digests and sessions', () => {
  fc.assert(
    fc.property(proposal, proposal, (one, other) => {
      const [left, right] = [encodeProposal(one), encodeProposal(other)];
      fc.pre(Buffer.compare(left, right) !== 0);
      expect(onlineSessionId(proposalDigest(left))).not.toBe(onlineSessionId(proposalDigest(right)));
    }),
  );
});

test('splitItems: the first blocks, in order, and exactly the rest', () => {
  const sized = item.chain((each) =>
    fc.record({
      ...Object.fromEntries(Object.entries(each).map(([key, value]) => [key, fc.constant(value)])),
      firstBlock: fc.nat(100),
      blocks: fc.integer({ min: 1, max: 40 }),
    }),
  ) as fc.Arbitrary<ProposalItem>;
  const blocks = (items: readonly ProposalItem[]): string[] =>
    items.flatMap((each) =>
      Array.from({ length: each.blocks }, (_, at) => `${each.requestId} ${each.value} ${each.firstBlock + at}`),
    );
  fc.assert(
    fc.property(fc.array(sized, { maxLength: 8 }), fc.integer({ min: 0, max: 120 }), (items, count) => {
      const [taken, left] = splitItems(items, count);
      expect([...blocks(taken), ...blocks(left)]).toEqual(blocks(items));
      expect(bundlesOf(taken)).toBeLessThanOrEqual(count);
      const next = left[0] && { ...left[0], blocks: 1 };
      const grown = taken.map((each) => ({ ...each }));
      const last = grown.at(-1);
      if (next && last && last.requestId === next.requestId && last.value === next.value) last.blocks += 1;
      else if (next) grown.push(next);
      if (next) expect(bundlesOf(grown)).toBeGreaterThan(count);
      expect([...taken, ...left].every((each) => each.blocks > 0)).toBe(true);
    }),
  );
});

test('the content of a key generation: every choice is read back, anything else is refused', () => {
  for (const parameters of ['default', 'base', 'test'] as const) {
    for (const purpose of ['development', 'production'] as const) {
      expect(decodeContent(encodeContent({ parameters, purpose }))).toEqual({ parameters, purpose });
    }
  }
  for (const other of [[], [0], [3, 0], [0, 2], [0, 255], [0, 0, 0]])
    expect(() => decodeContent(Uint8Array.from(other))).toThrow();
});
