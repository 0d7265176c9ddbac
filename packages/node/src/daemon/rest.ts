/** The HTTP side of a node: requests, key views, metrics and server, put together. */
import { randomBytes } from 'node:crypto';
import type { CiphertextShelf } from '@keyquorum/wire/ciphertext-shelf';
import type { FastifyInstance } from 'fastify';
import { contractPolicy } from '../chains/access-list.ts';
import { createHostChains } from '../chains/host-chain.ts';
import { createNodeMaterial } from '../material/node-material.ts';
import { createProofPool, type ProofPool } from '../proofs/pool.ts';
import { type HandleBook, openHandleBook } from '../provenance/handle-book.ts';
import { provenanceRules } from '../provenance/rules.ts';
import { PublicDecryptionBody, UserDecryptionBody } from '../requests/body.ts';
import { createCiphertexts, createShelf } from '../requests/ciphertexts.ts';
import { createDecryptions, type DecryptionModules } from '../requests/decryptions.ts';
import { createForwarding } from '../requests/forwarding.ts';
import type { AnswerSigner } from '../requests/public-answer.ts';
import { publicDecryption } from '../requests/public-decryption.ts';
import { createQuotas, type Quotas } from '../requests/quotas.ts';
import { createRequestBook, type RequestBook } from '../requests/request-book.ts';
import { createRequesters, type Requesters } from '../requests/requester.ts';
import { userDecryption } from '../requests/user-decryption.ts';
import { createCrsViews } from '../rest/crs-view.ts';
import { createKeyViews } from '../rest/key-view.ts';
import { createServer } from '../rest/server.ts';
import { createWaiting } from '../rest/waiting.ts';
import type { Node } from './daemon.ts';
import { createMetrics, type Metrics } from './metrics.ts';
import { statusOf } from './status.ts';

export interface Rest {
  readonly server: FastifyInstance;
  /** Opens the port; the result is where callers reach it. */
  listen(): Promise<string>;
  /** Admits no more decryptions, lets running ones end for `waitMs`, then ends long polls. */
  drain(waitMs: number): Promise<void>;
}

export async function createRest(node: Node): Promise<Rest> {
  const { config, services, store, keys, mesh, publishing, log } = node;
  const startedMs = Date.now();
  const limits = { kept: config.limits.keptRequests, running: config.limits.runningRequests };
  const book = await createRequestBook({ table: store.requests, limits, now: Date.now });
  const quotas = createQuotas({ table: store.quotas, now: Date.now });
  const shelf = createShelf(config.limits);
  const published = () => publishing?.status();
  const metrics = createMetrics({
    ...{ services, published, requesters: config.requesters },
    peers: () => mesh.stats(),
    running: () => book.running(),
    held: () => shelf.held(),
    quotaUses: () => quotas.uses(),
  });
  const handles = openHandleBook({
    ...{ table: store.handles, kept: config.limits.keptHandles, now: Date.now },
    onConflict(conflict) {
      log.error(conflict, 'HANDLE_CONFLICT: two ciphertexts were shown to be genuine under one handle');
      metrics.handleConflict();
    },
  });
  node.faults.onFault = ({ party, kind }) => metrics.fault(party, kind);
  const signing: AnswerSigner = { signer: keys.answerKey, domain: config.network.domain };
  const requesters = createRequesters(config.requesters, Date.now);
  const waiting = createWaiting(config.limits.waiters);
  const signer = keys.answerKey.address;
  const proofs = createProofPool();
  const decryptions = decryptionsOf(node, { shelf, book, quotas, handles, requesters, signing, metrics, proofs });
  const material = createNodeMaterial(services, () => urlOf(node, server));
  const uris = (digest: string) => [material.uri(digest), ...(publishing?.uris(digest) ?? [])];
  const server = await createServer({
    ...{ config, log, services, waiting, requesters, shelf, signer, material, ...decryptions },
    keys: createKeyViews({ services, signing, uris }),
    referenceStrings: createCrsViews({ services, signing, uris, url: () => urlOf(node, server) }),
    status: () => statusOf({ ...node, signer, startedMs }),
    metrics: () => metrics.scrape(),
    observe: (operation, status, seconds) => metrics.observeHttp(operation, status, seconds),
  });
  return {
    server,
    async listen() {
      await server.listen({ host: config.rest.host, port: config.rest.port });
      return urlOf(node, server);
    },
    async drain(waitMs) {
      const enough = AbortSignal.timeout(waitMs);
      const timeUp = new Promise<void>((resolve) => enough.addEventListener('abort', () => resolve()));
      const drained = Promise.all(Object.values(decryptions).map((each) => each.drain()));
      await Promise.race([drained, timeUp]);
      waiting.stop();
      await proofs.close();
    },
  };
}

interface Parts {
  readonly shelf: CiphertextShelf;
  readonly book: RequestBook;
  readonly handles: HandleBook;
  readonly quotas: Quotas;
  readonly requesters: Requesters;
  readonly signing: AnswerSigner;
  readonly metrics: Metrics;
  readonly proofs: ProofPool;
}

const secureRandom = (count: number) => new Uint8Array(randomBytes(count));

/** Every kind of decryption has its own exchange between nodes; ids, answers and limits are common. */
function decryptionsOf(node: Node, { shelf, book, quotas, handles, requesters, signing, metrics, proofs }: Parts) {
  const { config, party, services, log } = node;
  const { limits } = config;
  const warn = (message: string, fields: object) => log.warn(fields, message);
  const metering = { ended: metrics.decryptionEnded };
  const modules: DecryptionModules = {
    ...{ self: party.self, services, book, quotas, handles, limits, metering, warn, now: Date.now },
    ciphertexts: createCiphertexts(party, shelf, limits.bodyBytes),
    provenance: provenanceRules(config.applications, { domain: signing.domain, services, proofs }),
  };
  const links = { party, requesters, bodyBytes: limits.bodyBytes, warn };
  const publicForwarding = createForwarding<PublicDecryptionBody>('public-decryption', PublicDecryptionBody, links);
  const userForwarding = createForwarding<UserDecryptionBody>('user-decryption', UserDecryptionBody, links);
  const { t: threshold } = party.roster;
  const shareSigner = { ...signing, party: party.self, threshold, random: secureRandom };
  const contracts = contractPolicy(createHostChains(config.chains, { now: Date.now, warn }), config.applications);
  const rules = { domain: signing.domain, toleranceSeconds: limits.userClockSeconds, contracts, now: Date.now };
  return {
    publicDecryptions: createDecryptions(publicDecryption(services, signing, contracts), publicForwarding, modules),
    userDecryptions: createDecryptions(userDecryption(services, shareSigner, rules), userForwarding, modules),
  };
}

/** As configured, else where the server listens: port 0 is known only then. */
function urlOf({ config }: Node, server: FastifyInstance): string {
  if (config.rest.url !== undefined) return config.rest.url.replace(/\/$/, '');
  const [bound] = server.addresses();
  if (typeof bound !== 'object') return `http://${config.rest.host}:${config.rest.port}`; // not listening yet
  const { address, port, family } = bound;
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
}
