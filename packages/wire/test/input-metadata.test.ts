/** The layout that proofs of the ecosystem are bound to. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { inputMetadata } from '../src/input-metadata.ts';

const hex = (byteCount: number) =>
  fc.uint8Array({ minLength: byteCount, maxLength: byteCount }).map((bytes) => Buffer.from(bytes).toString('hex'));

test('three addresses, then the chain as a word', () => {
  fc.assert(
    fc.property(hex(20), hex(20), hex(20), hex(32), (contract, user, acl, chain) => {
      const [contractAddress, userAddress, aclAddress] = [contract, user.toUpperCase(), acl].map((each) => `0x${each}`);
      const fields = { contractAddress, userAddress, aclAddress } as Record<string, string>;
      const bytes = inputMetadata({ ...(fields as typeof DEMO), chainId: BigInt(`0x${chain}`) });
      expect(Buffer.from(bytes).toString('hex')).toBe(contract + user + acl + chain);
    }),
  );
});

const DEMO = {
  contractAddress: `0x${'11'.repeat(20)}`,
  userAddress: `0x${'22'.repeat(20)}`,
  aclAddress: `0x${'33'.repeat(20)}`,
};

test('what is no address or chain is refused', () => {
  expect(() => inputMetadata({ ...DEMO, userAddress: '0x22', chainId: 1n })).toThrow(RangeError);
  for (const chainId of [-1n, 2n ** 256n]) expect(() => inputMetadata({ ...DEMO, chainId })).toThrow(RangeError);
});
