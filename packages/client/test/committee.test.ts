import { expect, test } from 'vitest';
import { type Committee, type CommitteeNode, requireCommittee } from '../src/committee.ts';

function node(party: number, change: Partial<CommitteeNode> = {}): CommitteeNode {
  const signer = `0x${party.toString(16).padStart(40, '0')}` as const;
  return { party, url: `http://127.0.0.1:${8_000 + party}`, signer, ...change };
}

const four: Committee = {
  nodes: [node(3), node(1), node(4), node(2)],
  threshold: 1,
  gatewayChainId: 1n,
  decryptionContract: '0x4444444444444444444444444444444444444444',
};

test('a committee comes back in party order', () => {
  expect(requireCommittee(four).nodes.map(({ party }) => party)).toEqual([1, 2, 3, 4]);
});

test.for<[string, Partial<Committee>, RegExp]>([
  ['n < 3t+1', { threshold: 2 }, /want 7\.\.15/],
  ['no threshold', { threshold: 0 }, /threshold 0/],
  ['a party twice', { nodes: [node(1), node(2), node(3), node(3)] }, /each once/],
  [
    'one key behind two nodes',
    { nodes: [node(1), node(2), node(3), node(4, { signer: node(1).signer })] },
    /same signer/,
  ],
  ['a signer that is no address', { nodes: [node(1), node(2), node(3), node(4, { signer: '0x12' })] }, /party 4/],
  ['a url that is none', { nodes: [node(1), node(2), node(3), node(4, { url: 'file:///etc' })] }, /url of party 4/],
])('%s is refused', ([, change, message]) => {
  expect(() => requireCommittee({ ...four, ...change })).toThrow(message);
});
