/** A user of a local network: a wallet, and its permit to read what the contract holds. */
import { type Client, createClient } from '@keyquorum/client/client';
import type { Committee } from '@keyquorum/client/committee';
import type { Permit } from '@keyquorum/client/permit';
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts';
import type { LocalNetwork } from './local-network.ts';

/** Any contract and chain: under a development key no contract is asked. */
export const CONTRACT = `0x${'c0'.repeat(20)}` as const;
export const HOST_CHAIN = 31_337;

export interface User {
  readonly client: Client;
  /** To be disposed of. */
  readonly permit: Permit;
}

/** The wallet is new and signs once. */
export async function userOf({ requester, apiKey }: LocalNetwork, committee: Committee): Promise<User> {
  const client = createClient({ ...committee, requester, apiKey });
  const account = privateKeyToAccount(generatePrivateKey());
  const permit = await client.createPermit({
    ...{ userAddress: account.address, contractAddresses: [CONTRACT], hostChainId: HOST_CHAIN, durationDays: 1 },
    sign: (typed) => account.signTypedData(typed),
  });
  return { client, permit };
}
