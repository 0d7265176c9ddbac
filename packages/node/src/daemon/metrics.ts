/** Prometheus metrics. Names are part of the interface (docs/metrics.md); gauges are read when they are scraped. */
import type { PeerStats } from '@keyquorum/p2p/options';
import type { CeremonyKind } from '@keyquorum/protocols/ceremony/ceremony';
import type { Services } from '@keyquorum/protocols/services';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Requester } from '../config/schema.ts';
import type { PublishingStatus } from '../material/publishing.ts';
import type { QuotaUse } from '../requests/quotas.ts';

const LATENCY_BUCKETS_SECONDS = [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

export interface Metrics {
  scrape(): Promise<{ readonly contentType: string; readonly text: string }>;
  observeHttp(operation: string, status: number, seconds: number): void;
  decryptionEnded(outcome: 'succeeded' | 'failed', seconds: number): void;
  fault(party: number, kind: string): void;
  handleConflict(): void;
}

interface Sources {
  readonly services: Services;
  peers(): readonly PeerStats[];
  running(): number;
  /** Ciphertexts that requesters handed over. */
  held(): { readonly count: number; readonly bytes: number };
  /** Undefined without object storage. */
  published(): PublishingStatus | undefined;
  readonly requesters: readonly Requester[];
  quotaUses(): readonly QuotaUse[];
}

export function createMetrics(sources: Sources): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry, prefix: 'keyquorum_' });
  addServiceGauges(registry, sources);
  addMaterialGauges(registry, sources);
  addPeerGauges(registry, sources);
  addQuotaGauges(registry, sources);
  const http = new Histogram({
    name: 'keyquorum_http_request_seconds',
    help: 'Time to answer, by operation of the OpenAPI document and HTTP status',
    labelNames: ['operation', 'status'],
    buckets: LATENCY_BUCKETS_SECONDS,
    registers,
  });
  const decryptions = new Histogram({
    name: 'keyquorum_decryption_seconds',
    help: 'Time from admission to the durable answer of this node',
    labelNames: ['outcome'],
    buckets: LATENCY_BUCKETS_SECONDS,
    registers,
  });
  const faults = new Counter({
    name: 'keyquorum_faults_total',
    help: 'Messages of a party that were wrong, late or missing',
    labelNames: ['peer', 'kind'],
    registers,
  });
  const handleConflicts = new Counter({
    name: 'keyquorum_handle_conflicts_total',
    help: 'Ciphertexts shown to be genuine under a handle that named another one',
    registers,
  });
  return {
    scrape: async () => ({ contentType: registry.contentType, text: await registry.metrics() }),
    observeHttp: (operation, status, seconds) => http.observe({ operation, status: String(status) }, seconds),
    decryptionEnded: (outcome, seconds) => decryptions.observe({ outcome }, seconds),
    fault: (party, kind) => faults.inc({ peer: String(party), kind }),
    handleConflict: () => handleConflicts.inc(),
  };
}

/** A gauge without labels whose value is read at scrape time. */
function readGauge(registry: Registry, name: string, help: string, read: () => number): void {
  new Gauge({
    name,
    help,
    registers: [registry],
    collect() {
      this.set(read());
    },
  });
}

function addServiceGauges(registry: Registry, { services, running, held }: Sources): void {
  readGauge(registry, 'keyquorum_epoch', 'Epoch of this node; 0 before it has joined one', () => services.epoch());
  readGauge(registry, 'keyquorum_keys', 'Keys this node holds shares of', () => services.keys().length);
  readGauge(registry, 'keyquorum_requests_running', 'Decryptions under way', running);
  readGauge(registry, 'keyquorum_ciphertexts_held', 'Handed over, for requests that name them', () => held().count);
  readGauge(registry, 'keyquorum_ciphertexts_held_bytes', 'Memory that they take', () => held().bytes);
  const pool = () => services.pool();
  readGauge(registry, 'keyquorum_pool_available_blocks', 'Blocks that could be decrypted now', () => pool().available);
  readGauge(registry, 'keyquorum_pool_target_blocks', 'Blocks the pool is kept at', () => pool().target);
  readGauge(registry, 'keyquorum_pool_batches', 'Batches in the pool', () => pool().batches);
  readGauge(registry, 'keyquorum_pool_refill_blocks_per_second', 'Of the last batches', () => pool().refillPerSecond);
  new Gauge({
    name: 'keyquorum_ceremonies',
    help: 'Ceremonies this node remembers',
    labelNames: ['kind', 'state'],
    registers: [registry],
    collect() {
      this.reset();
      const kinds: readonly CeremonyKind[] = ['epoch', 'keygen', 'preprocessing', 'crs'];
      for (const kind of kinds) this.set({ kind, state: 'running' }, 0);
      for (const { kind, state } of services.ceremonies()) this.inc({ kind, state });
    },
  });
}

function addMaterialGauges(registry: Registry, { services, published }: Sources): void {
  const health = () => services.materialHealth();
  new Gauge({
    name: 'keyquorum_material_objects',
    help: 'Public objects of finished keys on this disk',
    labelNames: ['state'],
    registers: [registry],
    collect() {
      const { objects, verified, damaged } = health();
      this.set({ state: 'verified' }, verified);
      this.set({ state: 'damaged' }, damaged.length);
      this.set({ state: 'unverified' }, objects - verified - damaged.length);
    },
  });
  const found = 'Times that a public object was found damaged since the process started';
  readGauge(registry, 'keyquorum_material_damage_found', found, () => health().damageFound);
  const fetched = 'Lost parts of public objects that peers gave back since the process started';
  readGauge(registry, 'keyquorum_material_parts_fetched', fetched, () => health().partsFetched);
  const stored = 'Public objects that were verified in object storage; 0 without one';
  readGauge(registry, 'keyquorum_material_published', stored, () => published()?.published ?? 0);
  const failed = 'Attempts to publish an object that failed since the process started';
  readGauge(registry, 'keyquorum_material_publishing_failures', failed, () => published()?.failures ?? 0);
}

function addQuotaGauges(registry: Registry, { requesters, quotaUses }: Sources): void {
  new Gauge({
    name: 'keyquorum_quota_limit_blocks',
    help: 'Blocks that a requester may have decrypted in a day under each key',
    labelNames: ['requester'],
    registers: [registry],
    collect() {
      for (const { name: requester, blocksPerDay } of requesters) {
        if (blocksPerDay !== undefined) this.set({ requester }, blocksPerDay);
      }
    },
  });
  new Gauge({
    name: 'keyquorum_quota_used_blocks',
    help: 'Of it, today (UTC)',
    labelNames: ['requester', 'key'],
    registers: [registry],
    collect() {
      this.reset();
      for (const { requester, keyId: key, blocks } of quotaUses()) this.set({ requester, key }, blocks);
    },
  });
}

function addPeerGauges(registry: Registry, { peers }: Sources): void {
  const perPeer = (name: string, help: string, read: (peer: PeerStats) => number | undefined) => {
    new Gauge({
      name,
      help,
      labelNames: ['peer'],
      registers: [registry],
      collect() {
        for (const stats of peers()) {
          const value = read(stats);
          if (value !== undefined) this.set({ peer: String(stats.party) }, value);
        }
      },
    });
  };
  const seconds = (ms: number | undefined) => (ms === undefined ? undefined : ms / 1000);
  perPeer('keyquorum_peer_up', '1 while the link works', ({ up }) => Number(up));
  perPeer('keyquorum_peer_round_trip_seconds', 'Last heartbeat', ({ roundTripMs }) => seconds(roundTripMs));
  perPeer('keyquorum_peer_reconnects', 'Times the link came back', ({ reconnects }) => reconnects);
  perPeer(
    'keyquorum_peer_sent_bytes',
    'Bytes of both lanes',
    ({ control, bulk }) => control.bytesSent + bulk.bytesSent,
  );
  perPeer(
    'keyquorum_peer_received_bytes',
    'Bytes of both lanes',
    ({ control, bulk }) => control.bytesReceived + bulk.bytesReceived,
  );
  perPeer(
    'keyquorum_peer_queued_bytes',
    'Sent but not yet acknowledged',
    ({ control, bulk }) => control.queuedBytes + bulk.queuedBytes,
  );
}
