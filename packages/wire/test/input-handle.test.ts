/** Goal: handles of inputs as the ecosystem computes them. Oracle: the same out of viem, laid out by hand. */
import { concat, keccak256, pad, slice, stringToHex, toHex } from 'viem';
import { expect, test } from 'vitest';
import { inputHandle } from '../src/input-handle.ts';

const list = Uint8Array.from({ length: 100 }, (_, index) => (7 * index) % 256);
const [aclAddress, chainId] = [`0x${'3c'.repeat(20)}`, 31_337n] as const;

test.each([
  [0, 0],
  [3, 5],
  [254, 8],
])('value %i of type %i', (index, fheType) => {
  const blob = keccak256(concat([stringToHex('ZK-w_rct'), toHex(list)]));
  const place = concat([toHex(index, { size: 1 }), aclAddress, pad(toHex(chainId), { size: 32 })]);
  const hash = keccak256(concat([stringToHex('ZK-w_hdl'), blob, place]));
  const tail = [toHex(index, { size: 1 }), toHex(chainId, { size: 8 }), toHex(fheType, { size: 1 }), '0x00'] as const;
  expect(toHex(inputHandle({ list, index, fheType, aclAddress, chainId })!)).toBe(
    concat([slice(hash, 0, 21), ...tail]),
  );
});

test('there is no room for more values', () => {
  expect(inputHandle({ list, index: 255, fheType: 0, aclAddress, chainId })).toBeUndefined();
});
