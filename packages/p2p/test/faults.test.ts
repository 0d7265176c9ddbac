/** What the network and restarts may do to a link, and what must hold nevertheless. Faults are triggered by events. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { MeshEvent } from '../src/options.ts';
import { Network, Party, partyOptions, session, startMesh, stopAll } from './meshes.ts';
import { failOnUncaught } from './uncaught.ts';

const FAST = { silenceMsMax: 400, pingIntervalMs: 50, redialMsMin: 5, redialMsMax: 50 };
const ROUND_BYTES = 300_000;

failOnUncaught();
let parties: Party[] = [];
let network = new Network();

beforeEach(() => {
  network = new Network();
});
afterEach(async () => {
  await stopAll(parties);
  await network.close();
  parties = [];
});

/** Small seeded generator (mulberry32); a failing run repeats with the same choices. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
}

function bodyOf(round: number, from: number, size: number): Uint8Array {
  return new Uint8Array(
    Buffer.alloc(
      size,
      Uint8Array.from({ length: 253 }, (_, index) => index ^ round ^ (from << 4)),
    ),
  );
}

/** All parties send to all others each round and wait for all; every body is compared. */
async function runRounds(rounds: number, sizeOf: (round: number) => number): Promise<void> {
  const run = async (party: Party): Promise<void> => {
    const others = parties.filter((other) => other !== party).map((other) => other.mesh.self);
    for (let round = 0; round < rounds; round++) {
      const body = bodyOf(round, party.mesh.self, sizeOf(round));
      for (const other of others) party.mesh.send(other, { session: session('chaos'), tag: `${round}`, body });
      for (const other of others) {
        const got = await party.receive(other, `${round}`);
        expect(Buffer.compare(got, bodyOf(round, other, sizeOf(round))), `round ${round} from ${other}`).toBe(0);
      }
    }
  };
  await Promise.all(parties.map(run));
}

function expectExactlyOnce(party: Party, count: number): void {
  const keys = party.envelopes.entries.map(({ from, envelope }) => `${from} ${envelope.tag}`);
  expect(new Set(keys).size).toBe(keys.length);
  expect(keys).toHaveLength(count);
}

test('chaos: connections cut at random under 300 KB rounds; all contents right, everything exactly once', async () => {
  parties = await startMesh(4, { limits: FAST }, network);
  const random = generator(20_260_101);
  let deliveries = 0;
  let cuts = 0;
  for (const party of parties) {
    const original = party.onEnvelope.bind(party);
    party.onEnvelope = (from, envelope) => {
      original(from, envelope);
      if (++deliveries % 4 === 0 && network.relays[random() % 6]?.cut(random())) cuts += 1;
    };
  }
  const rounds = 40;
  await runRounds(rounds, (round) => (round % 3 === 0 ? 500 : ROUND_BYTES));
  for (const party of parties) {
    expectExactlyOnce(party, 3 * rounds);
    expect(party.changes.entries.filter(({ state }) => state === 'restarted')).toEqual([]);
  }
  const resent = parties
    .flatMap(({ mesh }) => mesh.stats())
    .reduce((sum, { control, bulk }) => sum + control.resentFrames + bulk.resentFrames, 0);
  expect(cuts).toBeGreaterThan(50);
  expect(resent).toBeGreaterThan(10);
}, 60_000);

test('resend: frames a cut connection swallowed are sent again, none is delivered twice', async () => {
  parties = await startMesh(2, { limits: FAST }, network);
  const [lower, higher] = parties as [Party, Party];
  for (let index = 0; index < 200; index++) {
    lower.mesh.send(2, { session: session('a'), tag: `small/${index}`, body: new Uint8Array(100) });
    lower.mesh.send(2, { session: session('a'), tag: `large/${index}`, body: new Uint8Array(70_000) });
    if (index === 100) {
      await higher.receive(1, 'small/50');
      network.relays[0]!.cutAll();
    }
  }
  await Promise.all([higher.receive(1, 'small/199'), higher.receive(1, 'large/199')]);
  expectExactlyOnce(higher, 400);
});

test('reconnect storm: 7 parties on one host lose all 42 connections at once, again and again', async () => {
  parties = await startMesh(7, { limits: { ...FAST, silenceMsMax: 5_000 } }, network);
  for (let wave = 0; wave < 3; wave++) {
    const down = parties.flatMap((party) =>
      party.mesh
        .stats()
        .map(({ party: peer }) => party.changes.next((change) => change.peer === peer && change.state === 'down')),
    );
    for (const relay of network.relays) relay.cutAll();
    await Promise.all(down);
    await Promise.all(parties.map((party) => party.up()));
  }
  await runRounds(3, () => 100);
}, 60_000);

test('a network that swallows bytes silently is noticed by both sides; after it heals nothing is lost', async () => {
  parties = await startMesh(2, { limits: FAST }, network);
  const [lower, higher] = parties as [Party, Party];
  const noticed = parties.map((party) => party.events.next((event) => event.kind === 'down'));
  network.relays[0]!.freeze();
  lower.mesh.send(2, { session: session('a'), tag: 'held', body: new Uint8Array(100) });
  higher.mesh.send(1, { session: session('a'), tag: 'held', body: new Uint8Array(100_000) });
  for (const event of await Promise.all(noticed))
    expect(event).toMatchObject({ reason: expect.stringMatching(/no byte|closed/) });
  network.relays[0]!.thaw();
  await Promise.all([higher.receive(1, 'held'), lower.receive(2, 'held')]);
  await Promise.all(parties.map((party) => party.up()));
  for (const party of parties) expectExactlyOnce(party, 1);
});

test('a slow reader holds its sender back; the stream is not aborted and control traffic goes on', async () => {
  parties = await startMesh(2, { limits: FAST });
  const [lower, higher] = parties as [Party, Party];
  higher.mesh.pause(1);
  const large = 20;
  for (let index = 0; index < large; index++) {
    lower.mesh.send(2, { session: session('a'), tag: `large/${index}`, body: new Uint8Array(2_000_000) });
    lower.mesh.send(2, { session: session('a'), tag: `between/${index}`, body: new Uint8Array(100) });
    await higher.receive(1, `between/${index}`); // so that each large one finds the stream held, not just the first
  }
  const endMs = performance.now() + 3 * FAST.silenceMsMax; // far beyond what a silent lane would survive
  let rounds = 0;
  for (; performance.now() < endMs; rounds++) {
    lower.mesh.send(2, { session: session('a'), tag: `round/${rounds}`, body: new Uint8Array(100) });
    await higher.receive(1, `round/${rounds}`);
  }
  // One stream window of 1 MiB and one batch; anything more would sit in an unbounded buffer of libp2p.
  expect(lower.mesh.stats()[0]?.bulk.bytesSent).toBeLessThan(1_500_000);
  expect(lower.mesh.queuedBytes(2)).toBeGreaterThan(30_000_000);
  higher.mesh.resume(1);
  await lower.mesh.drained(2, 0);
  await higher.receive(1, `large/${large - 1}`);
  expectExactlyOnce(higher, 2 * large + rounds);
  for (const party of parties) {
    expect(party.changes.entries.map(({ state }) => state)).toEqual(['up']);
    expect(party.mesh.stats()[0]?.bulk.streams).toBe(1);
  }
});

test('overflow: beyond the bound the queue is dropped, both sides are told, and the link works again', async () => {
  parties = await startMesh(2, { limits: { ...FAST, silenceMsMax: 60_000, queuedBytesMax: 1_000_000 } }, network);
  const [lower, higher] = parties as [Party, Party];
  network.relays[0]!.freeze();
  const drained = [lower.mesh.drained(2, 0)];
  for (let index = 0; lower.mesh.isUp(2); index++) {
    lower.mesh.send(2, { session: session('a'), tag: `lost/${index}`, body: new Uint8Array(90_000) });
    drained.push(lower.mesh.drained(2, 0));
  }
  await Promise.all(drained); // a dropped queue must not leave anybody waiting
  expect(lower.mesh.queuedBytes(2)).toBe(0);
  expect(lower.events.entries.map(({ kind }) => kind)).toContain('overflow');
  network.relays[0]!.thaw();
  await higher.changes.find(({ state }) => state === 'restarted');
  lower.mesh.send(2, { session: session('a'), tag: 'after', body: new Uint8Array(90_000) });
  higher.mesh.send(1, { session: session('a'), tag: 'after', body: new Uint8Array(10) });
  await Promise.all([higher.receive(1, 'after'), lower.receive(2, 'after')]);
  expectExactlyOnce(lower, 1);
});

test.each([1, 2])(
  'party %d restarts: numbering starts anew both ways, what it had not taken arrives at its next life',
  async (restarting) => {
    const addresses = new Map<number, string>();
    const higher = new Party(partyOptions(2, 2, addresses, { limits: FAST }));
    await higher.start();
    addresses.set(2, higher.address);
    const lower = new Party(partyOptions(1, 2, addresses, { limits: FAST }));
    await lower.start();
    parties = [lower, higher];
    await Promise.all(parties.map((party) => party.up()));
    const dying = restarting === 1 ? lower : higher;
    const staying = restarting === 1 ? higher : lower;
    for (let index = 0; index < 10; index++) {
      for (const party of parties) {
        const to = 3 - party.mesh.self;
        party.mesh.send(to, {
          session: session('before'),
          tag: `before/${index}`,
          body: new Uint8Array(80_000 * (index % 2)),
        });
      }
    }
    await Promise.all(parties.map((party) => party.receive(3 - party.mesh.self, 'before/9')));
    await staying.mesh.drained(restarting, 0);
    const address = dying.address;
    const down = staying.changes.next(({ state }) => state === 'down');
    await dying.mesh.stop();
    await down;
    for (const size of [10, 400_000]) {
      staying.mesh.send(restarting, {
        session: session('between'),
        tag: `between/${size}`,
        body: new Uint8Array(size).fill(5),
      });
    }
    const reborn = new Party(partyOptions(restarting, 2, addresses, { limits: FAST, listen: address }));
    parties = [staying, reborn];
    await reborn.start();
    for (const size of [10, 400_000]) {
      expect(await reborn.receive(staying.mesh.self, `between/${size}`)).toEqual(new Uint8Array(size).fill(5));
    }
    reborn.mesh.send(staying.mesh.self, { session: session('after'), tag: 'after', body: new Uint8Array(70_000) });
    await staying.receive(restarting, 'after');
    expectExactlyOnce(reborn, 2);
    expect(staying.changes.entries.filter(({ state }) => state === 'restarted')).toHaveLength(1);
    expect(reborn.changes.entries.filter(({ state }) => state === 'restarted')).toEqual([]);
  },
);

test.each<[string, (options: ReturnType<typeof partyOptions>) => ReturnType<typeof partyOptions>, RegExp]>([
  ['network name', (options) => ({ ...options, network: 'other' }), /another network/],
  [
    'roster size',
    (options) => ({ ...options, peers: [...options.peers, ...partyOptions(1, 3, new Map()).peers.slice(1)] }),
    /counts \d parties/,
  ],
  ['own party number', (options) => ({ ...options, self: 3 }), /calls itself party 3|takes us for party/],
])(
  'configuration mismatch: another %s is told to both operators, once, and the link stays refused',
  async (_, change, reason) => {
    const higher = new Party({
      ...partyOptions(4, 4, new Map(), { limits: FAST }),
      peers: partyOptions(4, 2, new Map()).peers.slice(0, 1),
    });
    await higher.start();
    const peer = { ...partyOptions(1, 4, await network.addressesFor(1, new Map([[4, higher.address]]))).peers.at(-1)! };
    const lower = new Party(change({ ...partyOptions(1, 4, new Map(), { limits: FAST }), peers: [peer] }));
    parties = [lower, higher];
    await lower.start();
    const isMismatch = (event: MeshEvent) => event.kind === 'configuration-mismatch';
    const told = await Promise.all(parties.map((party) => party.events.find(isMismatch)));
    for (const event of told) expect(event).toMatchObject({ reason: expect.stringMatching(reason) });
    await network.relays[0]!.opened(6); // refused and dialed again several times
    for (const party of parties) {
      expect(party.events.entries.filter(isMismatch)).toHaveLength(1);
      expect(party.changes.entries).toEqual([]);
    }
  },
);
