/**
 * A node, assembled: store, transport, party, services, requests, REST. The order of starting is the order of trust:
 * what is remembered first, then who may speak, then what is offered. Stopping goes the other way round.
 */
import { randomFillSync } from 'node:crypto';
import { createKernel } from '@keyquorum/kernel/kernel';
import type { Party } from '@keyquorum/mpc/party';
import { realClock } from '@keyquorum/mpc/runtime/clock';
import { createParty } from '@keyquorum/mpc/runtime/party';
import type { Fault, Signer } from '@keyquorum/mpc/session';
import type { Transport } from '@keyquorum/mpc/transport';
import { createMesh, type Mesh } from '@keyquorum/p2p/mesh';
import type { createServices as CreateServices } from '@keyquorum/protocols/create-services';
import type { Services } from '@keyquorum/protocols/services';
import type { Logger } from 'pino';
import type { NodeConfig } from '../config/config.ts';
import { greetingName } from '../config/network.ts';
import { readUnlock } from '../config/unlock.ts';
import type { Publishing } from '../material/publishing.ts';
import { openStore, type Store } from '../store/store.ts';
import type { StoreError } from '../store/store-error.ts';
import { loadIdentity, type NodeIdentity } from './identity.ts';
import { createPeerProblems, type PeerProblems } from './peer-problems.ts';
import { createPublishingOf } from './publishing-options.ts';
import { createRest, type Rest } from './rest.ts';
import { servicesOptions } from './services-options.ts';

export interface DaemonOptions {
  readonly config: NodeConfig;
  readonly log: Logger;
  readonly environment: NodeJS.ProcessEnv;
  readonly createServices: typeof CreateServices;
  /** Wraps the transport of a node that is told to misbehave (`keyquorum start --fault`). */
  readonly misbehave?: (transport: Transport, signer: Signer) => Transport;
  /** The disk failed: the node can no longer promise anything and should be stopped. */
  onStoreFailure(error: StoreError): void;
}

export interface Daemon {
  /** Where REST listens. */
  readonly url: string;
  /** Finishes answers, tells the peers, closes the store. */
  stop(): Promise<void>;
}

/** Everything a running node consists of; the parts below see what they need of it. */
export interface Node {
  readonly config: NodeConfig;
  readonly log: Logger;
  readonly store: Store;
  readonly keys: NodeIdentity;
  readonly mesh: Mesh;
  readonly problems: PeerProblems;
  readonly party: Party;
  readonly services: Services;
  /** To object storage, when there is one. */
  readonly publishing: Publishing | undefined;
  readonly faulty: boolean;
  /** Faults of other parties, as they are noticed. */
  readonly faults: { onFault(fault: Fault): void };
}

/** How long a stopping node lets running decryptions end. */
const DRAIN_MS_MAX = 3_000;

/** In memory of its own, never the shared pool of Buffer, so that secrets can be erased. */
const random = (bytes: number) => randomFillSync(new Uint8Array(bytes));

export interface AssembledNode {
  readonly node: Node;
  readonly rest: Rest;
  /** Finishes what runs and closes the store. */
  close(): Promise<void>;
}

/** Opens the store and puts everything together, without opening a port or speaking to anybody. */
export async function assembleNode(options: DaemonOptions): Promise<AssembledNode> {
  const { config, environment, onStoreFailure } = options;
  const unlock = readUnlock(config.unlock, environment);
  const store = await openStore({ path: config.dataPath, unlock, random, onFailure: onStoreFailure });
  unlock.bytes.fill(0);
  try {
    const node = await assemble(options, store);
    const rest = await createRest(node);
    return { node, rest, close: () => close(node, rest) };
  } catch (error) {
    await store.close();
    throw error;
  }
}

/** Starts a node. Resolves when REST listens; the epoch may still be starting. */
export async function startDaemon(options: DaemonOptions): Promise<Daemon> {
  const { config, log } = options;
  const assembled = await assembleNode(options);
  try {
    await assembled.node.services.start(); // also the transport
    const url = await assembled.rest.listen();
    assembled.node.publishing?.run().catch((error) => log.error({ err: error }, 'objects are not published any more'));
    log.info({ url, digest: config.network.digest }, 'node started');
    return {
      url,
      async stop() {
        log.info('node is stopping');
        await assembled.close();
        log.info('node has stopped');
      },
    };
  } catch (error) {
    await assembled.close();
    throw error;
  }
}

async function assemble(options: DaemonOptions, store: Store): Promise<Node> {
  const { config, log, misbehave } = options;
  const problems = createPeerProblems(config.network, log);
  const keys = await loadIdentity(store, config);
  const mesh = createOwnMesh(config, keys, problems);
  const faults: Node['faults'] = { onFault: () => undefined };
  const party = createParty({
    roster: config.network.roster,
    self: config.party,
    kernel: await createKernel(),
    clock: realClock,
    journal: store.journal,
    signer: keys.identity,
    transport: misbehave ? misbehave(mesh, keys.identity) : mesh,
    random,
    onFault(fault, session) {
      log.warn({ ...fault, session }, 'a party was at fault');
      faults.onFault(fault);
    },
  });
  const services = options.createServices(servicesOptions({ config, party, store, log }));
  const publishing = await createPublishingOf({ ...options, store, services });
  const faulty = misbehave !== undefined;
  return { config, log, store, keys, mesh, problems, party, services, publishing, faults, faulty };
}

function createOwnMesh({ network, party, listen }: NodeConfig, { seed }: NodeIdentity, problems: PeerProblems): Mesh {
  const others = network.cards.filter((card) => card.party !== party);
  return createMesh({
    network: greetingName(network),
    self: party,
    secretKey: seed,
    listen,
    peers: others.map(({ party: peer, publicKey, address }) => {
      return { party: peer, publicKey: new Uint8Array(Buffer.from(publicKey, 'hex')), address };
    }),
    onEvent: problems.onEvent,
  });
}

async function close({ services, publishing, store }: Node, rest: Rest): Promise<void> {
  await rest.drain(DRAIN_MS_MAX);
  await publishing?.stop();
  await services.stop(); // ends what still runs as DECRYPTION_ABORTED, and the transport
  await rest.server.close();
  await store.close();
}
