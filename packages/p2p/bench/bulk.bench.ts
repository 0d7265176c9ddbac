/**
 * CPU seconds per GB (10^9 bytes) of bulk envelopes between real processes on loopback: one way between two, and four
 * all to all as in a key generation; beside it the cipher alone. CPU time, since on a machine that others share wall
 * time says little.
 * Run: node packages/p2p/bench/bulk.bench.ts [MiB per receiver, default 1024] [idle records on each heap, default 0].
 * `node --cpu-prof` before it profiles every party, `node --trace-gc` shows the collections.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { releaseBuffer } from '@keyquorum/kernel/release';
import type { Uint8ArrayList } from 'uint8arraylist';
import { createMesh } from '../src/mesh.ts';
import { cachedKeyCrypto } from '../src/noise-crypto.ts';
import { partyOptions, session } from '../test/meshes.ts';

/** A chunk of a key generation, and what it has in flight to each peer. */
const BODY_BYTES = 1024 * 1024;
const QUEUE_BYTES = 8 * BODY_BYTES;
/** Envelopes before the clock starts: until the code is compiled and the windows have grown. */
const WARM_UP = 200;
/** Longest plaintext of a Noise record. */
const RECORD_BYTES = 65_519;

interface Task {
  readonly senders: readonly number[];
  readonly receivers: readonly number[];
  /** Envelopes from each sender to each receiver. */
  readonly count: number;
  /** The receiver detaches each body when it is done with it, instead of leaving it to the garbage collector. */
  readonly givesBack: boolean;
  /** On the heap of each party, three objects each: a real node has a larger heap to collect than a bench. */
  readonly idleRecords: number;
}
interface Figures {
  readonly cpuS: number;
  readonly wallS: number;
}

function cpuSeconds(since?: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(since);
  return (user + system) / 1e6;
}

/** One party in its process: runs each task the parent names, together with all others. */
async function runParty(self: number, n: number, addresses: readonly string[]): Promise<void> {
  const known = new Map(addresses.flatMap((address, index) => (address ? [[index + 1, address] as const] : [])));
  const mesh = createMesh(partyOptions(self, n, known));
  let arrived = 0;
  let expected = 0;
  let givesBack = false;
  let idle: unknown[] = [];
  let wake = () => {};
  const until = async (condition: () => boolean) => {
    while (!condition()) await new Promise<void>((resolve) => (wake = resolve));
  };
  const sendAll = async (to: number, count: number) => {
    const body = new Uint8Array(BODY_BYTES).fill(self);
    for (let index = 0; index < count; index++) {
      await mesh.drained(to, QUEUE_BYTES - BODY_BYTES);
      mesh.send(to, { session: session('bulk'), tag: `bulk/${index}`, body });
    }
  };
  const run = async (task: Task): Promise<Figures> => {
    const others = (parties: readonly number[]) => parties.filter((party) => party !== self);
    const targets = task.senders.includes(self) ? others(task.receivers) : [];
    if (task.receivers.includes(self)) expected += task.count * others(task.senders).length;
    givesBack = task.givesBack;
    idle =
      idle.length > 0 ? idle : Array.from({ length: task.idleRecords }, (_, index) => ({ index, pair: [{ index }] }));
    const since = process.cpuUsage();
    const startMs = performance.now();
    await Promise.all([...targets.map((to) => sendAll(to, task.count)), until(() => arrived === expected)]);
    await Promise.all(targets.map((to) => mesh.drained(to, 0)));
    return { cpuS: cpuSeconds(since), wallS: (performance.now() - startMs) / 1000 };
  };
  await mesh.start({
    onEnvelope: (_, { body }) => {
      if (givesBack && body.buffer instanceof ArrayBuffer) body.buffer.transfer(0);
      arrived += 1;
      wake();
    },
    onPeer: () => wake(),
  });
  process.on('message', async (task: Task) => process.send?.(await run(task)));
  process.on('disconnect', () => process.exit(0));
  process.send?.({ address: mesh.addresses()[0] });
  await until(() => mesh.stats().every(({ up }) => up));
  process.send?.('up');
}

async function message<T>(child: ChildProcess): Promise<T> {
  const [value] = await once(child, 'message');
  return value as T;
}

async function startParties(n: number): Promise<ChildProcess[]> {
  const addresses: string[] = new Array(n).fill('');
  const children: ChildProcess[] = [];
  const ups: Promise<unknown>[] = [];
  for (let party = n; party >= 1; party--) {
    const child = fork(import.meta.filename, ['party', `${party}`, `${n}`, ...addresses]);
    addresses[party - 1] = (await message<{ address: string }>(child)).address;
    ups.push(message(child));
    children.unshift(child);
  }
  await Promise.all(ups);
  return children;
}

async function runAll(children: readonly ChildProcess[], task: Task): Promise<Figures[]> {
  const answers = children.map((child) => message<Figures>(child));
  for (const child of children) child.send(task);
  return Promise.all(answers);
}

async function bench(name: string, n: number, task: Task): Promise<void> {
  const children = await startParties(n);
  await runAll(children, { ...task, count: WARM_UP });
  const figures = await runAll(children, task);
  for (const child of children) child.disconnect();
  await Promise.all(children.map((child) => once(child, 'exit')));
  const pairs = task.senders.flatMap((from) => task.receivers.filter((to) => to !== from));
  const gigabytes = (pairs.length * task.count * BODY_BYTES) / 1e9;
  const perGigabyte = (parties: readonly Figures[]) =>
    (parties.reduce((sum, { cpuS }) => sum + cpuS, 0) / gigabytes).toFixed(2);
  const sides = pairs.length === 1 ? ` (sender ${perGigabyte(figures.slice(0, 1))})` : '';
  const speed = ((gigabytes * 1000) / Math.max(...figures.map(({ wallS }) => wallS))).toFixed(0);
  console.log(`${name.padEnd(30)} ${speed.padStart(5)} MB/s, ${perGigabyte(figures)} CPU-s/GB${sides}`);
}

/** What no change outside the cipher can save. */
function benchCipher(): void {
  const { chaCha20Poly1305Encrypt, chaCha20Poly1305Decrypt } = cachedKeyCrypto();
  const [key, nonce, ad] = [new Uint8Array(32), new Uint8Array(12), new Uint8Array(0)];
  const plaintext = new Uint8Array(RECORD_BYTES);
  const record = chaCha20Poly1305Encrypt(plaintext, nonce, ad, key).slice();
  const pass = (records: number) => {
    for (let index = 0; index < records; index++) {
      for (const part of chaCha20Poly1305Encrypt(plaintext, nonce, ad, key) as Uint8ArrayList) releaseBuffer(part);
      for (const part of chaCha20Poly1305Decrypt(record, nonce, ad, key) as Uint8ArrayList) releaseBuffer(part);
    }
  };
  pass(1000);
  const since = process.cpuUsage();
  pass(10_000);
  const perGigabyte = cpuSeconds(since) / ((10_000 * RECORD_BYTES) / 1e9);
  console.log(`${'cipher alone, both sides'.padEnd(30)} ${perGigabyte.toFixed(2).padStart(16)} CPU-s/GB`);
}

const [role = '1024', ...rest] = process.argv.slice(2);
if (role === 'party') await runParty(Number(rest[0]), Number(rest[1]), rest.slice(2));
else {
  const pair = { senders: [1], receivers: [2], count: Number(role), idleRecords: Number(rest[0] ?? 0) };
  const all = { ...pair, senders: [1, 2, 3, 4], receivers: [1, 2, 3, 4], count: Math.ceil(pair.count / 3) };
  benchCipher();
  for (const givesBack of [false, true]) {
    const bodies = givesBack ? ', bodies given back' : '';
    await bench(`one way${bodies}`, 2, { ...pair, givesBack });
    await bench(`all to all${bodies}`, 4, { ...all, givesBack });
  }
}
