/** Publishing to object storage as a node's configuration says; the client library is loaded only when it is needed. */
import type { Services } from '@keyquorum/protocols/services';
import type { Logger } from 'pino';
import type { NodeConfig } from '../config/config.ts';
import { readS3Credentials } from '../config/s3-settings.ts';
import { createPublishing, type Publishing } from '../material/publishing.ts';
import type { Store } from '../store/store.ts';

const RETRY_MS = 60_000;

interface Parts {
  readonly config: NodeConfig;
  readonly environment: NodeJS.ProcessEnv;
  readonly store: Store;
  readonly services: Services;
  readonly log: Logger;
}

/** Undefined without object storage. Throws ConfigError when its credentials cannot be read. */
export async function createPublishingOf(parts: Parts): Promise<Publishing | undefined> {
  const { config, environment, store, services, log } = parts;
  if (config.s3 === undefined) return undefined;
  const credentials = readS3Credentials(config.s3, environment);
  const { createS3Material } = await import('../material/s3-material.ts');
  const place = createS3Material(config.s3.place, credentials);
  return createPublishing({ services, place, table: store.published, log, retryMs: RETRY_MS });
}
