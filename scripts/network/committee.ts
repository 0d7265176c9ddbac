/** The committee of a running network, as its nodes' status tells it. */
import type { Committee } from '@keyquorum/client/committee';
import type { LocalNetwork } from './local-network.ts';

/** What this workspace's programs read of `GET /v1/status`; it holds more. */
export interface Status {
  readonly party: number;
  readonly parties: number;
  readonly threshold: number;
  readonly epoch: number;
  readonly signer: `0x${string}`;
  readonly eip712: { readonly gatewayChainId: number; readonly decryptionContract: `0x${string}` };
  readonly pool: {
    readonly available: number;
    readonly target: number;
    readonly refillPerSecond: number;
    readonly reason: string;
  };
}

export function statusOf(network: LocalNetwork, party: number): Promise<Status> {
  return network.rest(party).get<Status>('/v1/status');
}

export async function committeeOf(network: LocalNetwork): Promise<Committee> {
  const statuses = await Promise.all(network.nodes.map(({ party }) => statusOf(network, party)));
  const [{ threshold, eip712 }] = statuses as [Status, ...Status[]];
  return {
    nodes: network.nodes.map(({ party, rest }, index) => ({ party, url: rest, signer: statuses[index]!.signer })),
    threshold,
    gatewayChainId: BigInt(eip712.gatewayChainId),
    decryptionContract: eip712.decryptionContract,
  };
}
