/** What `GET /v1/status` tells: everything an operator looks at first. */
import type { Mesh } from '@keyquorum/p2p/mesh';
import type { Services } from '@keyquorum/protocols/services';
import type { NodeConfig } from '../config/config.ts';
import { peersNeeded } from '../config/network.ts';
import type { Publishing } from '../material/publishing.ts';
import type { Status } from '../rest/schemas.ts';
import { VERSION } from '../version.ts';
import type { PeerProblems } from './peer-problems.ts';

interface Sources {
  readonly config: NodeConfig;
  readonly services: Services;
  readonly publishing: Publishing | undefined;
  readonly mesh: Mesh;
  readonly problems: PeerProblems;
  readonly signer: string;
  readonly startedMs: number;
  readonly faulty: boolean;
}

export function statusOf({ config, services, publishing, mesh, problems, signer, startedMs, faulty }: Sources): Status {
  const { network, party } = config;
  const { roster, domain } = network;
  const peers = mesh.stats().map((stats) => ({
    party: stats.party,
    up: stats.up,
    address: network.cards[stats.party - 1]?.address ?? '',
    latencyMs: stats.roundTripMs ?? null,
    queuedBytes: stats.control.queuedBytes + stats.bulk.queuedBytes,
    reconnects: stats.reconnects,
    problem: problems.of(stats.party),
  }));
  const reason = notReady({ services, connected: peers.filter(({ up }) => up).length, needed: peersNeeded(roster) });
  return {
    ...{ party, parties: roster.n, threshold: roster.t, network: roster.network, networkDigest: network.digest },
    ...{ version: VERSION, epoch: services.epoch(), ready: reason === '', reason, signer, peers, faults: faulty },
    eip712: { gatewayChainId: Number(domain.chainId), decryptionContract: domain.verifyingContract },
    uptimeSeconds: Math.round((Date.now() - startedMs) / 1000),
    pool: { ...services.pool() },
    material: materialOf(services, publishing),
    keys: services.keys().map(({ keyId, purpose, parameters, epoch }) => ({ id: keyId, purpose, parameters, epoch })),
  };
}

function materialOf(services: Services, publishing: Publishing | undefined): Status['material'] {
  const { objects, verified, damaged } = services.materialHealth();
  const health = { objects, verified, damaged: [...damaged] };
  if (publishing === undefined) return health;
  const { published, problem } = publishing.status();
  return { ...health, s3: { published, problem } };
}

function notReady({ services, connected, needed }: { services: Services; connected: number; needed: number }): string {
  if (connected < needed) return `${connected} peers connected, want at least ${needed}`;
  if (services.epoch() === 0) return 'the epoch is being started: all nodes must be there for that';
  const { available, settled, reason } = services.pool();
  // After a restart the pool comes later than the epoch, and may be used only when the others have answered. Until then
  // this node counts as one of the t that may be away, also when some batches can be used already.
  return available === 0 || !settled ? reason || 'the pool is being filled' : '';
}
