/**
 * Brings every public object to a second place, beside everything else. What is listed there was read back and has the
 * right digest; what was verified is remembered, so that a restart only asks whether it is still there. What fails is
 * tried again, and never keeps a key from being finished.
 */
import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Journal } from '@keyquorum/mpc/session';
import type { PublicObject } from '@keyquorum/protocols/material/public-object';
import type { Services } from '@keyquorum/protocols/services';
import { DIGEST_BYTES } from '@keyquorum/wire/digest';
import type { Logger } from 'pino';
import type { MaterialStore } from './material-store.ts';

export interface PublishingStatus {
  /** Objects that are there, verified. */
  readonly published: number;
  /** Why the last that failed did; empty when the last round had no failure. */
  readonly problem: string;
  /** Since the node started. */
  readonly failures: number;
}

export interface Publishing {
  /** Publishes what is there and what comes, until `stop`. */
  run(): Promise<void>;
  /** Resolves when nothing is under way any more. */
  stop(): Promise<void>;
  /** Where it was published; nothing before it is verified there. */
  uris(digest: string): string[];
  status(): PublishingStatus;
}

export interface PublishingModules {
  readonly services: Pick<Services, 'objects' | 'material' | 'watch'>;
  readonly place: MaterialStore;
  /** URI of what was verified -> its version there. */
  readonly table: Journal;
  readonly log: Logger;
  /** Pause before what failed is tried again, and keys are looked for that nobody told of. */
  readonly retryMs: number;
}

export function createPublishing({ services, place, table, log, retryMs }: PublishingModules): Publishing {
  const stopping = new AbortController();
  const { signal } = stopping;
  /** Digests of what is there, in this life of the node. */
  const published = new Set<string>();
  let [problem, failures] = ['', 0];
  let running: Promise<void> = Promise.resolve();
  /** Aborted when there may be something new since the current round began. */
  let news = new AbortController();
  const unwatch = services.watch(({ state }) => state === 'succeeded' && news.abort());

  /** True when what is there was verified before and has not changed, or is right now that it is read. */
  async function isThere({ digest, label, size }: PublicObject): Promise<boolean> {
    const found = await place.find(digest, signal);
    if (found?.size !== size) return false;
    const key = place.uri(digest);
    const known = table.get(key);
    if (known !== undefined && new TextDecoder().decode(known) === found.version) return true;
    if ((await digestOf(label, place.read(digest, { signal }))) !== digest) return false;
    table.set(key, new TextEncoder().encode(found.version));
    await table.sync();
    return true;
  }

  async function publish(object: PublicObject): Promise<void> {
    const { digest, type } = object;
    if (await isThere(object)) return;
    const startMs = performance.now();
    const own = services.material(digest); // reading it there tells the caretaker of damage
    if (own === undefined) return;
    await place.put(own, signal);
    if (!(await isThere(object))) throw new Error('what was stored reads back as other bytes');
    log.info({ type, digest, uri: place.uri(digest), ms: Math.round(performance.now() - startMs) }, 'object published');
  }

  async function publishAll(): Promise<void> {
    let newest = '';
    for (const object of services.objects()) {
      const { digest, type } = object;
      if (published.has(digest)) continue;
      try {
        await publish(object);
        published.add(digest);
      } catch (error) {
        if (signal.aborted) return;
        failures += 1;
        newest = `${type}: ${String(error)}`;
        log.warn(
          { type, digest, uri: place.uri(digest), error: String(error) },
          'publishing failed; it is tried again',
        );
      }
    }
    problem = newest;
  }

  async function publishForever(): Promise<void> {
    while (!signal.aborted) {
      news = new AbortController();
      await publishAll();
      const either = AbortSignal.any([signal, news.signal]);
      await delay(retryMs, undefined, { signal: either, ref: false }).catch(() => undefined);
    }
  }

  return {
    run() {
      running = publishForever();
      return running;
    },
    async stop() {
      unwatch();
      stopping.abort(new Error('the node is stopping'));
      await running;
    },
    uris: (digest) => (published.has(digest) ? [place.uri(digest)] : []),
    status: () => ({ published: published.size, problem, failures }),
  };
}

async function digestOf(label: string, pieces: AsyncIterable<Uint8Array>): Promise<string> {
  const hash = createHash('shake256', { outputLength: DIGEST_BYTES }).update(label);
  for await (const piece of pieces) hash.update(piece);
  return hash.digest('hex');
}
