/** The link with which the page of packages/client/examples knows a network; its network.ts reads it. */
import type { LocalNetwork } from './local-network.ts';

/** @param origin where the page is served, like `http://localhost:5173` */
export function pageLink(origin: string, { nodes, requester }: LocalNetwork, keyId: string): string {
  const addresses = nodes.map(({ rest }) => ['node', rest]);
  return `${origin}/#${new URLSearchParams([...addresses, ['key', keyId], ['requester', requester]])}`;
}
