/** A peer that is a real process: killed without a word, or stopped and continued. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from 'vitest';
import { Log, Party, partyOptions, session } from './meshes.ts';

const CHILD = fileURLToPath(new URL('./child-party.ts', import.meta.url));
const FAST = { silenceMsMax: 600, pingIntervalMs: 100, redialMsMin: 5, redialMsMax: 50 };
type ChildMessage = { readonly address?: string; readonly state?: string; readonly uncaught?: string };

class Child {
  readonly process: ChildProcess;
  readonly messages = new Log<ChildMessage>();

  constructor(listen: string) {
    this.process = fork(CHILD, [listen], { execArgv: [] });
    this.process.on('message', (message) => this.messages.add(message as ChildMessage));
  }

  async address(): Promise<string> {
    return (await this.messages.find(({ address }) => address !== undefined)).address!;
  }

  async kill(): Promise<void> {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    this.process.kill('SIGKILL');
    await once(this.process, 'exit');
  }

  get uncaught(): ChildMessage[] {
    return this.messages.entries.filter(({ uncaught }) => uncaught !== undefined);
  }
}

const children: Child[] = [];
let party: Party | undefined;
afterEach(async () => {
  await party?.mesh.stop();
  for (const child of children) expect(child.uncaught).toEqual([]);
  await Promise.all(children.splice(0).map((child) => child.kill()));
});

async function startChild(listen = '/ip4/127.0.0.1/tcp/0'): Promise<Child> {
  const child = new Child(listen);
  children.push(child);
  await child.address();
  return child;
}

async function startWithChild(): Promise<{ first: Party; child: Child; address: string }> {
  const child = await startChild();
  const address = await child.address();
  const first = new Party(partyOptions(1, 2, new Map([[2, address]]), { limits: FAST }));
  party = first;
  await first.start();
  await first.up();
  return { first, child, address };
}

function send(from: Party, tag: string, size: number): void {
  from.mesh.send(2, { session: session('process'), tag, body: new Uint8Array(size).fill(size) });
}

test('kill -9: down at once; the next life on the same port gets what waited, and is told apart', async () => {
  const { first, child, address } = await startWithChild();
  send(first, 'one', 100);
  await first.receive(2, 'echo/one');
  await first.mesh.drained(2, 0);
  const down = first.changes.next(({ state }) => state === 'down');
  const killedMs = performance.now();
  for (let index = 0; index < 20; index++) send(first, `doomed/${index}`, 300_000);
  child.process.kill('SIGKILL');
  await down;
  expect(performance.now() - killedMs).toBeLessThan(FAST.silenceMsMax); // seen, not timed out
  send(first, 'waiting', 200_000);
  const restarted = first.changes.next(({ state }) => state === 'restarted');
  await startChild(address);
  await restarted;
  expect((await first.receive(2, 'echo/waiting')).length).toBe(200_000);
  send(first, 'two', 100);
  await first.receive(2, 'echo/two');
  // What the dead life had taken but not acknowledged goes to the new life too: to its memory it is the first time.
  const tags = first.envelopes.entries
    .map(({ envelope }) => envelope.tag)
    .filter((tag) => !tag.startsWith('echo/doomed'));
  expect(tags).toEqual(expect.arrayContaining(['echo/one', 'echo/waiting', 'echo/two']));
  expect(tags).toHaveLength(3);
});

test('SIGSTOP: noticed by silence; after SIGCONT nothing is lost, nothing comes twice, no restart', async () => {
  const { first, child } = await startWithChild();
  const down = first.events.next(({ kind }) => kind === 'down');
  child.process.kill('SIGSTOP');
  const stoppedMs = performance.now();
  for (const [index, size] of [100, 100_000, 1_000_000].entries()) send(first, `held/${index}`, size);
  expect(await down).toMatchObject({ reason: expect.stringMatching(/no byte from the peer/) });
  expect(performance.now() - stoppedMs).toBeGreaterThan(FAST.silenceMsMax - FAST.pingIntervalMs);
  send(first, 'held/3', 100);
  child.process.kill('SIGCONT');
  await first.peerUp(2);
  for (const index of [0, 1, 2, 3]) await first.receive(2, `echo/held/${index}`);
  expect(first.envelopes.entries).toHaveLength(4);
  expect(first.changes.entries.map(({ state }) => state)).not.toContain('restarted');
});
