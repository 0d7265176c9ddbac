/**
 * The mesh between real processes on loopback: round trip, request, all-to-all round, and rounds while bulk runs.
 * Run: node packages/p2p/bench/p2p.bench.ts [parties, default 4]. One line per figure. Bulk alone: bulk.bench.ts.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { createHash, createPrivateKey, createPublicKey } from 'node:crypto';
import { once } from 'node:events';
import type { Exchange } from '@keyquorum/mpc/transport';
import { createMesh, type Mesh } from '../src/mesh.ts';

interface Task {
  readonly kind: 'round-trip' | 'request' | 'rounds' | 'rounds-under-bulk';
  readonly bytes: number;
  readonly count: number;
}
/** Milliseconds per item, sorted, and CPU milliseconds used; empty for parties that only answer. */
interface Figures {
  readonly samplesMs: readonly number[];
  readonly cpuMs: number;
}

const TASKS: readonly Task[] = [
  { kind: 'round-trip', bytes: 100, count: 3000 },
  { kind: 'round-trip', bytes: 4096, count: 3000 },
  { kind: 'round-trip', bytes: 32_768, count: 1000 },
  { kind: 'request', bytes: 100, count: 3000 },
  { kind: 'request', bytes: 32_768, count: 1000 },
  { kind: 'rounds', bytes: 100, count: 2000 },
  { kind: 'rounds', bytes: 4096, count: 1000 },
  { kind: 'rounds', bytes: 65_536, count: 200 },
  { kind: 'rounds-under-bulk', bytes: 100, count: 500 },
];
const WARM_UP = 0.1; // share of the samples dropped at the start
const BULK_QUEUE_BYTES = 16_000_000;
const ECHO: Exchange = { name: 'echo', requestBytesMax: 65_536, responseBytesMax: 65_536 };
const REQUEST_MS_MAX = 30_000;
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');

const seedOf = (party: number) => new Uint8Array(createHash('sha256').update(`p2p bench party ${party}`).digest());
function publicKeyOf(party: number): Uint8Array {
  const key = createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, seedOf(party)]), format: 'der', type: 'pkcs8' });
  return new Uint8Array(createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(-32));
}

/** One party in its process: runs each task the parent names, together with all others. */
async function runParty(self: number, n: number, addresses: readonly string[]): Promise<void> {
  const others = Array.from({ length: n }, (_, index) => index + 1).filter((party) => party !== self);
  const arrived = new Map<string, number>();
  let wake = () => {};
  const mesh = createMesh({
    network: 'bench',
    self,
    secretKey: seedOf(self),
    listen: '/ip4/127.0.0.1/tcp/0',
    peers: others.map((party) => ({
      party,
      publicKey: publicKeyOf(party),
      address: addresses[party - 1] || '/ip4/127.0.0.1/tcp/9',
    })),
  });
  mesh.serve(ECHO, async (_, body) => body);
  await mesh.start({
    onEnvelope: (from, { session, tag, body }) => {
      if (tag.startsWith('ping/')) mesh.send(from, { session, tag: `pong/${tag}`, body });
      arrived.set(tag, (arrived.get(tag) ?? 0) + 1);
      wake();
    },
    onPeer: () => wake(),
  });
  const until = async (condition: () => boolean) => {
    while (!condition()) await new Promise<void>((resolve) => (wake = resolve));
  };
  process.on('message', async ({ task, id }: { task: Task; id: string }) => {
    await until(() => others.every((party) => mesh.isUp(party)));
    const got = (tag: string, count: number) => until(() => arrived.get(tag) === count).then(() => arrived.delete(tag));
    process.send?.({ figures: await measure(mesh, others, task, id, got) });
  });
  process.send?.({ address: mesh.addresses()[0] });
}

async function measure(
  mesh: Mesh,
  others: readonly number[],
  task: Task,
  id: string,
  got: (tag: string, count: number) => Promise<unknown>,
): Promise<Figures> {
  const session = createHash('sha256').update(id).digest('hex');
  const samplesMs: number[] = [];
  const cpu = process.cpuUsage();
  const leads = mesh.self === 1;
  const round = async (index: number) => {
    const body = new Uint8Array(task.bytes);
    for (const to of others) mesh.send(to, { session, tag: `${id}/${index}`, body });
    await got(`${id}/${index}`, others.length);
  };
  const bulk = async (count: number, to: number, bytes: number) => {
    const body = new Uint8Array(bytes);
    for (let index = 0; index < count; index++) {
      await mesh.drained(to, BULK_QUEUE_BYTES);
      mesh.send(to, { session, tag: `bulk/${id}/${index}`, body });
    }
    await mesh.drained(to, 0);
  };
  let background: Promise<void> | undefined;
  if (task.kind === 'rounds-under-bulk' && leads) background = bulk(60, 2, 4_000_000);
  for (let index = 0; index < task.count; index++) {
    const sampleMs = performance.now();
    if (task.kind === 'round-trip') {
      if (!leads) break;
      mesh.send(2, { session, tag: `ping/${id}/${index}`, body: new Uint8Array(task.bytes) });
      await got(`pong/ping/${id}/${index}`, 1);
    } else if (task.kind === 'request') {
      if (!leads) break;
      await mesh.request(2, ECHO, new Uint8Array(task.bytes), AbortSignal.timeout(REQUEST_MS_MAX));
    } else await round(index);
    samplesMs.push(performance.now() - sampleMs);
  }
  await background;
  const used = process.cpuUsage(cpu);
  const kept = samplesMs.slice(Math.floor(samplesMs.length * WARM_UP)).sort((left, right) => left - right);
  return { samplesMs: kept, cpuMs: (used.user + used.system) / 1000 };
}

async function message<T>(child: ChildProcess): Promise<T> {
  const [value] = await once(child, 'message');
  return value as T;
}

function describe(task: Task, { samplesMs, cpuMs }: Figures): string {
  const at = (share: number) => (samplesMs[Math.floor(samplesMs.length * share)] ?? 0).toFixed(3);
  return `p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, CPU ${(cpuMs / task.count).toFixed(3)} ms per party`;
}

async function runAll(n: number): Promise<void> {
  const addresses: string[] = new Array(n).fill('');
  const children: ChildProcess[] = [];
  for (let party = n; party >= 1; party--) {
    const child = fork(import.meta.filename, ['party', `${party}`, `${n}`, ...addresses]);
    addresses[party - 1] = (await message<{ address: string }>(child)).address;
    children.unshift(child);
  }
  for (const [index, task] of TASKS.entries()) {
    const answers = children.map((child) => message<{ figures: Figures }>(child));
    for (const child of children) child.send({ task, id: `task${index}` });
    const [first] = await Promise.all(answers);
    if (first)
      console.log(`${task.kind.padEnd(18)} ${`${task.bytes}`.padStart(8)} B  ${describe(task, first.figures)}`);
  }
  for (const child of children) child.kill();
}

const [role, ...rest] = process.argv.slice(2);
if (role === 'party') await runParty(Number(rest[0]), Number(rest[1]), rest.slice(2));
else await runAll(Number(role ?? 4));
