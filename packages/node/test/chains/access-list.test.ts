/** Zama's ACL contract, as its package ships it, decides about values. */
import { getAddress, type Hex, keccak256, toHex } from 'viem';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { type Chain, startChain } from '../../../../test/conformance/anvil.ts';
import { deployHostContracts, type HostContracts } from '../../../../test/conformance/host-contracts.ts';
import { contractPolicy, requireAllowed, type Use } from '../../src/chains/access-list.ts';
import { createHostChains } from '../../src/chains/host-chain.ts';
import { changing, startRpc } from './rpc-server.ts';
import { CREDULOUS } from './wallets.ts';

const account = (name: string): Hex => getAddress(`0x${keccak256(toHex(name)).slice(26)}`);
const handleOf = (name: string): Hex => keccak256(toHex(name));
const [DAPP, ALICE, BOB] = [account('dapp'), account('alice'), account('bob')];
const DAY_SECONDS = 86_400;

let chain: Chain;
let contracts: HostContracts;
let id: number;
beforeAll(async () => {
  chain = await startChain();
  id = await chain.client.getChainId();
  const domain = { gatewayChainId: 654_321n, decryptionContract: account('decryption') };
  contracts = await deployHostContracts(chain, { domain, signers: [account('signer')], quorum: 1 });
});
afterAll(() => chain?.[Symbol.asyncDispose]());

/** As a node asks: at the newest block, of the application's list. */
async function asked(uses: readonly Use[], { rpc = [chain.url], contract = contracts.address.ACL } = {}) {
  const settings = { id, rpc, finality: 'latest' as const, timeoutMs: 5_000, staleSeconds: DAY_SECONDS };
  const now = async () => Number((await chain.client.getBlock()).timestamp) * 1_000;
  const nowMs = await now();
  const chains = createHostChains([settings], { now: () => nowMs, warn: () => undefined });
  const { lists } = contractPolicy(chains, [{ name: 'default', acl: { chain: id, contract } }, { name: 'other' }]);
  expect([...lists.keys()]).toEqual(['default']);
  await requireAllowed(chains.view(BigInt(id))!, lists.get('default')!, uses);
}

const refused = (message: RegExp) =>
  expect.objectContaining({ code: 'ACL_REFUSED', message: expect.stringMatching(message) });

/** A value that the contract has. */
async function newValue(name: string): Promise<Hex> {
  const handle = handleOf(name);
  await contracts.grant(handle, DAPP);
  return handle;
}

test('everybody may have what the contract allowed for decryption, and nothing else', async () => {
  const [open, closed] = [await newValue('open'), await newValue('closed')];
  await contracts.allowForDecryption([open], DAPP);
  const uses = [open, closed].map((handle) => ({ kind: 'public' as const, handle }));
  await asked(uses.slice(0, 1));
  await expect(asked(uses)).rejects.toEqual(refused(new RegExp(`^ciphertexts.1: handle ${closed}`)));
  const lying = await startRpc(
    onTestFinished,
    chain.url,
    changing('eth_call', () => `0x${'1'.padStart(64, '0')}`),
  );
  await expect(asked(uses, { rpc: [chain.url, lying] })).rejects.toMatchObject({ code: 'CHAIN_DISAGREES' });
});

test('a user may have what both the user and the contract have', async () => {
  const handle = await newValue('of alice');
  const use = { kind: 'user', handle, user: ALICE, contract: DAPP } as const;
  await expect(asked([use])).rejects.toEqual(refused(new RegExp(`${ALICE} may not have`)));
  await contracts.allow(handle, ALICE, DAPP);
  await asked([use]);
  await expect(asked([{ ...use, user: BOB }])).rejects.toEqual(refused(new RegExp(`${BOB} may not have`)));
  const elsewhere = { ...use, contract: account('another dapp') };
  await expect(asked([use, elsewhere])).rejects.toEqual(refused(/^ciphertexts\.1: .* may not have/));
});

describe('a delegate', () => {
  const delegation = async (name: string) => {
    const handle = await newValue(name);
    const [user, delegate] = [account(`${name} user`), account(`${name} delegate`)];
    await contracts.allow(handle, user, DAPP);
    const { timestamp } = await chain.client.getBlock();
    await contracts.delegate(user, delegate, DAPP, timestamp + BigInt(DAY_SECONDS));
    return { kind: 'delegate', handle, user, delegate, contract: DAPP } as const;
  };

  test('may have what the user has, of that contract', async () => {
    const use = await delegation('delegated');
    await asked([use]);
    const own = { kind: 'user', handle: use.handle, user: use.delegate, contract: DAPP } as const;
    await expect(asked([own])).rejects.toEqual(refused(/may not have/));
    for (const change of [{ delegate: BOB }, { user: BOB }, { contract: BOB }, { handle: handleOf('unknown') }]) {
      await expect(asked([{ ...use, ...change }])).rejects.toEqual(refused(/is no delegate of/));
    }
  });

  test('until the user takes it back', async () => {
    const use = await delegation('revoked');
    await asked([use]);
    await contracts.revoke(use.user, use.delegate, DAPP);
    await expect(asked([use])).rejects.toEqual(refused(/is no delegate of/));
  });

  test('until the time is over', async () => {
    const use = await delegation('expired');
    await chain.client.increaseTime({ seconds: DAY_SECONDS + 1 });
    await chain.client.mine({ blocks: 1 });
    await expect(asked([use])).rejects.toEqual(refused(/is no delegate of/));
  });
});

test('an address that is no list allows nothing', async () => {
  const use = { kind: 'public', handle: await newValue('any') } as const;
  await expect(asked([use], { contract: account('nobody') })).rejects.toEqual(refused(/may not be decrypted/));
  await chain.client.setCode({ address: account('wallet'), bytecode: CREDULOUS });
  await expect(asked([use], { contract: account('wallet') })).rejects.toEqual(refused(/may not be decrypted/));
});
