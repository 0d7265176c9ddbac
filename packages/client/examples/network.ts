/** Whom this page asks, from its link: `#node=http://127.0.0.1:4001&node=..&key=<id>&requester=demo`. */
import type { ClientOptions } from '@keyquorum/client/client';

export interface Network {
  /** All that `createClient` needs but the API key. */
  readonly options: Omit<ClientOptions, 'apiKey'>;
  readonly keyId: string;
}

/** What is read of `GET /v1/status`. */
interface Status {
  readonly party: number;
  readonly signer: `0x${string}`;
  readonly threshold: number;
  readonly eip712: { readonly gatewayChainId: number; readonly decryptionContract: `0x${string}` };
}

/**
 * Asks the nodes who they are, and believes them: fine for a network on your own machine. A real application ships
 * signers, threshold and domain, or reads them from the network's contract.
 */
export async function networkOf(link: string): Promise<Network> {
  const facts = new URLSearchParams(link.replace(/^#/, ''));
  const keyId = facts.get('key');
  const urls = facts.getAll('node');
  if (keyId === null || urls.length === 0) throw new Error('run `npm start` and open the link that it prints');
  const statuses = await Promise.all(urls.map(statusOf));
  const [{ threshold, eip712 }] = statuses as [Status, ...Status[]];
  const nodes = statuses.map(({ party, signer }, index) => ({ party, signer, url: urls[index] as string }));
  return { options: { nodes, threshold, ...eip712, requester: facts.get('requester') ?? undefined }, keyId };
}

async function statusOf(url: string): Promise<Status> {
  try {
    return await (await fetch(`${url}/v1/status`)).json();
  } catch (cause) {
    throw new Error(`${url} does not answer this page; is it up, and does its rest.origins name ${origin}?`, { cause });
  }
}
