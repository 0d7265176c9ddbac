/** A service in this process, on a folder of its own unless one is given. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { createService, type ServiceOptions } from '../../src/service.ts';

/** Gone when its owner is. */
export async function temporaryFolder(): Promise<{ readonly folder: string } & AsyncDisposable> {
  const folder = await mkdtemp(join(tmpdir(), 'keyquorum-coordinator-'));
  return { folder, [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) };
}

export interface RunningService extends AsyncDisposable {
  readonly app: FastifyInstance;
}

type Options = Partial<ServiceOptions> & Pick<ServiceOptions, 'committee'>;

export async function startService(options: Options): Promise<RunningService> {
  await using stack = new AsyncDisposableStack();
  const folder = options.folder ?? stack.use(await temporaryFolder()).folder;
  const app = await createService({ deadlineMs: 20_000, logLevel: 'silent', ...options, folder });
  stack.defer(() => app.close());
  const rest = stack.move();
  return { app, [Symbol.asyncDispose]: () => rest.disposeAsync() };
}
