/** EIP-712 digests are those of viem, for any structs of the types that there are encoders for. */
import fc from 'fast-check';
import { bytesToHex, getAddress, type Hex, hashTypedData } from 'viem';
import { expect, test } from 'vitest';
import { type FieldValue, type StructTypes, type StructValue, typedDataDigest } from '../src/typed-data.ts';

/** A type, and a value as each of the two takes it. */
interface Sample {
  readonly type: string;
  readonly ours: FieldValue;
  readonly theirs: unknown;
}

const bytesOf = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const address = bytesOf(20).map((bytes) => getAddress(bytesToHex(bytes)));
const hexOrBytes = (bytes: Uint8Array, hex: boolean) => (hex ? bytesToHex(bytes) : bytes);
const sampleOf = (type: string, ours: FieldValue, theirs: unknown = ours): Sample => ({ type, ours, theirs });

const text = fc.string({ unit: 'binary', maxLength: 99 }).map((value) => sampleOf('string', value));
const number = fc
  .tuple(fc.constantFrom(8, 32, 256), fc.bigInt({ min: 0n, max: 2n ** 256n - 1n }))
  .map(([bits, value]) => sampleOf(`uint${bits}`, value >> BigInt(256 - bits)));
const account = address.map((value) => sampleOf('address', value));
const blob = fc
  .tuple(fc.uint8Array({ maxLength: 300 }), fc.boolean())
  .map(([bytes, hex]) => sampleOf('bytes', hexOrBytes(bytes, hex), bytesToHex(bytes)));
const word = fc
  .tuple(bytesOf(32), fc.boolean())
  .map(([bytes, hex]) => sampleOf('bytes32', hexOrBytes(bytes, hex), bytesToHex(bytes)));
const arrayOf = (samples: fc.Arbitrary<Sample>, type: string) =>
  fc.array(samples, { maxLength: 4 }).map((each) =>
    sampleOf(
      `${type}[]`,
      each.map(({ ours }) => ours),
      each.map(({ theirs }) => theirs),
    ),
  );
const inner = fc.tuple(blob, account).map(([{ ours, theirs }, { ours: who }]) => {
  return sampleOf('Inner', { b: ours, a: who }, { b: theirs, a: who });
});
const INNER = [
  { name: 'b', type: 'bytes' },
  { name: 'a', type: 'address' },
];
const field = fc.oneof(text, number, account, blob, word, arrayOf(word, 'bytes32'), arrayOf(account, 'address'));

test('any struct, with arrays and structs in it, in any domain', () => {
  const fields = fc.array(field, { minLength: 1, maxLength: 6 });
  const domains = fc.record({
    name: fc.string({ unit: 'binary' }),
    chainId: fc.bigInt(0n, 2n ** 64n),
    verifyingContract: address,
  });
  fc.assert(
    fc.property(domains, fields, arrayOf(inner, 'Inner'), inner, (domain, samples, list, one) => {
      const all = [...samples, list, one];
      const types: StructTypes = { Outer: all.map(({ type }, index) => ({ name: `f${index}`, type })), Inner: INNER };
      const messageOf = <V>(pick: (sample: Sample) => V) =>
        Object.fromEntries(all.map((sample, index) => [`f${index}`, pick(sample)]));
      const want = hashTypedData<Record<string, unknown>, string>({
        domain: { ...domain, version: '1' },
        types,
        primaryType: 'Outer',
        message: messageOf(({ theirs }) => theirs),
      });
      const typed = { types, primaryType: 'Outer', message: messageOf(({ ours }) => ours) };
      for (let time = 0; time < 2; time++) expect(bytesToHex(typedDataDigest(domain, typed))).toBe(want);
    }),
  );
});

test.each<[string, FieldValue]>([
  ['uint8', 256n],
  ['uint8', -1n],
  ['uint8', '1'],
  ['bytes32', new Uint8Array(31)],
  ['bytes32[]', new Uint8Array(32)],
  ['address', `0x${'1'.repeat(39)}`],
  ['address', new Uint8Array(32)],
  ['bytes', '0x1'],
  ['bytes', 5n],
  ['string', new Uint8Array(1)],
  ['Inner', new Uint8Array(1)],
  ['Inner', { b: new Uint8Array(1) } satisfies StructValue],
  ['int8', 1n],
])('%s: %s is refused', (type, value) => {
  const types: StructTypes = { Outer: [{ name: 'f', type }], Inner: INNER };
  const domain = { chainId: 1n, verifyingContract: `0x${'11'.repeat(20)}` as Hex };
  expect(() => typedDataDigest(domain, { types, primaryType: 'Outer', message: { f: value } })).toThrow();
});
