/** Prometheus metrics. Names are part of the interface (docs/metrics.md); gauges are read when they are scraped. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Kind, Report } from './contract.ts';
import { verdictsOf } from './event-log.ts';
import type { LedgerStatus } from './ledger.ts';

const LATENCY_BUCKETS_SECONDS = [0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

export interface Metrics {
  scrape(): Promise<{ readonly contentType: string; readonly text: string }>;
  observeHttp(operation: string, status: number, seconds: number): void;
  /** `seconds`: until the last node had spoken or was late. */
  requestEnded(kind: Kind, report: Report, seconds: number): void;
}

interface Sources {
  running(): number;
  waiting(): number;
  ledger(): LedgerStatus;
}

export function createMetrics({ running, waiting, ledger }: Sources): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry, prefix: 'keyquorum_' });
  const gauge = (name: string, help: string, read: () => number) => {
    new Gauge({
      name: `keyquorum_coordinator_${name}`,
      help,
      registers,
      collect() {
        this.set(read());
      },
    });
  };
  gauge('running', 'Requests to nodes under way', running);
  gauge('waiting', 'Long polls and event streams', waiting);
  gauge('kept_requests', 'Requests on disk', () => ledger().requests);
  gauge('kept_bytes', 'Bytes of their records', () => ledger().bytes);
  gauge('damaged_records', 'Records dropped as damaged since the start', () => ledger().damaged);
  gauge('store_failed', '1 when nothing can be written to disk any more', () => Number(ledger().failed));
  const http = new Histogram({
    name: 'keyquorum_http_request_seconds',
    help: 'Time to answer, by operation of the OpenAPI document and HTTP status',
    labelNames: ['operation', 'status'],
    buckets: LATENCY_BUCKETS_SECONDS,
    registers,
  });
  const requests = new Histogram({
    name: 'keyquorum_coordinator_request_seconds',
    help: 'Time until every node had spoken or was late',
    labelNames: ['kind', 'outcome'],
    buckets: LATENCY_BUCKETS_SECONDS,
    registers,
  });
  const verdicts = new Counter({
    name: 'keyquorum_coordinator_verdicts_total',
    help: 'What became of each node in requests that ended',
    labelNames: ['party', 'verdict'],
    registers,
  });
  return {
    scrape: async () => ({ contentType: registry.contentType, text: await registry.metrics() }),
    observeHttp: (operation, status, seconds) => http.observe({ operation, status: String(status) }, seconds),
    requestEnded(kind, report, seconds) {
      requests.observe({ kind, outcome: report.state }, seconds);
      for (const { party, verdict } of verdictsOf(report)) verdicts.inc({ party: String(party), verdict });
    },
  };
}
