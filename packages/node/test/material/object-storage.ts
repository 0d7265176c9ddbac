/** A real S3 server (s3rver) in a process of its own, with a disk that tests can look at and damage. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryFolder } from '../folders.ts';

type OnEnd = (task: () => Promise<void>) => void;

export const BUCKET = 'material';
/** The only ones that the server knows. */
export const CREDENTIALS = { accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' } as const;

export interface ObjectStorage {
  /** Stays the same over a restart. */
  readonly endpoint: string;
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Keys of complete objects. */
  keys(): Promise<string[]>;
  /** Changes one byte of an object behind the back of the server. */
  damage(key: string): Promise<void>;
}

const OBJECT_SUFFIX = '._S3rver_object';

export async function objectStorage(onEnd: OnEnd): Promise<ObjectStorage> {
  const folder = await temporaryFolder(onEnd);
  const bucket = join(folder, BUCKET);
  let server: ChildProcess | undefined;
  let port = 0;

  async function start(): Promise<void> {
    server = fork(join(import.meta.dirname, 's3-server.ts'), [folder, String(port)], { stdio: 'inherit' });
    const [address] = await once(server, 'message');
    port = address.port;
  }

  async function stop(): Promise<void> {
    if (server === undefined) return;
    const exited = once(server, 'exit');
    server.kill('SIGKILL');
    server = undefined;
    await exited;
  }

  onEnd(stop);
  await start();
  return {
    endpoint: `http://127.0.0.1:${port}`,
    start,
    stop,
    async keys() {
      const files = await readdir(bucket, { recursive: true });
      const objects = files.filter((file) => file.endsWith(OBJECT_SUFFIX));
      return objects.map((file) => file.slice(0, -OBJECT_SUFFIX.length)).sort();
    },
    async damage(key) {
      const file = join(bucket, key + OBJECT_SUFFIX);
      const bytes = await readFile(file);
      bytes[bytes.length >> 1]! ^= 1;
      await writeFile(file, bytes);
    },
  };
}
