import { ENVELOPE_BODY_BYTES_MAX, TAG_LENGTH_MAX } from '@keyquorum/mpc/transport';
import { afterEach, expect, test } from 'vitest';
import { createMesh } from '../src/mesh.ts';
import { MeshConfigError } from '../src/options.ts';
import { Party, partyOptions, peerOf, seedOf, session, startMesh, startParties, stopAll } from './meshes.ts';

let parties: Party[] = [];
afterEach(async () => {
  await stopAll(parties);
  parties = [];
});

/** Period 251, so that a fragment put in the wrong place is seen. */
function pattern(length: number, salt: number): Uint8Array {
  return new Uint8Array(
    Buffer.alloc(
      length,
      Uint8Array.from({ length: 251 }, (_, index) => index ^ salt),
    ),
  );
}

test('full mesh of 4: every party reaches every other, bodies of all sizes arrive unchanged', async () => {
  parties = await startMesh(4);
  const sizes = [0, 1, 100, 4096, 65_536, 65_537, 262_144, 1_000_000, ENVELOPE_BODY_BYTES_MAX];
  for (const { mesh } of parties) {
    for (const { party } of mesh.stats()) {
      for (const size of sizes)
        mesh.send(party, { session: session('a'), tag: `${size}`, body: pattern(size, mesh.self) });
      await mesh.drained(party, 0);
    }
  }
  for (const receiver of parties) {
    for (const sender of parties.filter((party) => party !== receiver)) {
      for (const size of sizes) {
        const body = await receiver.receive(sender.mesh.self, `${size}`);
        expect(Buffer.compare(body, pattern(size, sender.mesh.self)), `${size} bytes`).toBe(0);
      }
    }
    expect(receiver.envelopes.entries).toHaveLength(3 * sizes.length);
  }
}, 30_000);

test('a body may be erased by its sender as soon as send returns', async () => {
  parties = await startMesh(2);
  const [first, second] = parties as [Party, Party];
  for (const size of [100, 300_000]) {
    const body = new Uint8Array(size).fill(7);
    first.mesh.send(2, { session: session('a'), tag: `${size}`, body });
    body.fill(0);
    expect(new Set(await second.receive(1, `${size}`))).toEqual(new Set([7]));
  }
});

test('small envelopes of one sender arrive in the order sent, and so do large ones', async () => {
  parties = await startMesh(2);
  const [first, second] = parties as [Party, Party];
  const small = new Uint8Array(50);
  const large = new Uint8Array(70_000);
  for (let index = 0; index < 2000; index++) {
    first.mesh.send(2, { session: session('order'), tag: `small/${index}`, body: small });
    if (index % 40 === 0) first.mesh.send(2, { session: session('order'), tag: `large/${index / 40}`, body: large });
  }
  await Promise.all([second.receive(1, 'small/1999'), second.receive(1, 'large/49')]);
  for (const [kind, count] of [
    ['small', 2000],
    ['large', 50],
  ] as const) {
    const tags = second.envelopes.entries.map(({ envelope }) => envelope.tag).filter((tag) => tag.startsWith(kind));
    expect(tags).toEqual(Array.from({ length: count }, (_, index) => `${kind}/${index}`));
  }
});

test('envelopes sent before the peer exists arrive once it does', async () => {
  const [lower, higher] = (await startParties(2)) as [Party, Party];
  parties = [lower, higher];
  lower.mesh.send(2, { session: session('early'), tag: 'early', body: Uint8Array.of(1, 2, 3) });
  expect([...(await higher.receive(1, 'early'))]).toEqual([1, 2, 3]);
});

test('drained resolves once everything is acknowledged, and stats count both lanes', async () => {
  parties = await startMesh(2);
  const [first] = parties as [Party, Party];
  first.mesh.send(2, { session: session('a'), tag: 'small', body: new Uint8Array(1000) });
  first.mesh.send(2, { session: session('a'), tag: 'large', body: new Uint8Array(1_000_000) });
  expect(first.mesh.queuedBytes(2)).toBeGreaterThan(1_001_000);
  await first.mesh.drained(2, 0);
  expect(first.mesh.queuedBytes(2)).toBe(0);
  const [stats] = first.mesh.stats();
  expect(stats).toMatchObject({ party: 2, up: true, reconnects: 0 });
  expect(stats?.control.bytesSent).toBeGreaterThan(1000);
  expect(stats?.bulk.bytesSent).toBeGreaterThan(1_000_000);
});

test('an envelope outside the contract is a RangeError of the caller', async () => {
  parties = await startMesh(2);
  const [first] = parties as [Party, Party];
  const good = { session: session('a'), tag: 'a', body: new Uint8Array(1) };
  expect(() => first.mesh.send(2, { ...good, session: 'AB' })).toThrow(RangeError);
  expect(() => first.mesh.send(2, { ...good, tag: '' })).toThrow(RangeError);
  expect(() => first.mesh.send(2, { ...good, tag: 'x'.repeat(TAG_LENGTH_MAX + 1) })).toThrow(RangeError);
  expect(() => first.mesh.send(2, { ...good, tag: 'tab\t' })).toThrow(RangeError);
  expect(() => first.mesh.send(2, { ...good, body: new Uint8Array(ENVELOPE_BODY_BYTES_MAX + 1) })).toThrow(RangeError);
  expect(() => first.mesh.send(3, good)).toThrow(RangeError);
  expect(first.mesh.queuedBytes(2)).toBe(0);
});

test('a receiver that throws is reported and does not disturb the link', async () => {
  const addresses = new Map<number, string>();
  const higher = new Party(partyOptions(2, 2, addresses));
  await higher.start();
  addresses.set(2, higher.address);
  const lower = new Party(partyOptions(1, 2, addresses));
  parties = [lower, higher];
  await lower.start();
  await lower.up();
  const original = higher.onEnvelope.bind(higher);
  higher.onEnvelope = (from, envelope) => {
    if (envelope.tag === 'bad') throw new Error('receiver bug');
    original(from, envelope);
  };
  lower.mesh.send(2, { session: session('a'), tag: 'bad', body: new Uint8Array(1) });
  lower.mesh.send(2, { session: session('a'), tag: 'good', body: new Uint8Array(1) });
  await higher.receive(1, 'good');
  expect(higher.events.entries).toContainEqual({ kind: 'receiver-failed', peer: 1, reason: 'receiver bug' });
  expect(higher.mesh.isUp(1)).toBe(true);
});

test('a configuration that cannot work is refused before a socket is opened', () => {
  const good = partyOptions(1, 3, new Map());
  expect(() => createMesh({ ...good, network: 'Not Good' })).toThrow(MeshConfigError);
  expect(() => createMesh({ ...good, secretKey: new Uint8Array(31) })).toThrow(MeshConfigError);
  expect(() => createMesh({ ...good, peers: [peerOf(1)] })).toThrow(MeshConfigError);
  expect(() => createMesh({ ...good, peers: [peerOf(16)] })).toThrow(MeshConfigError);
  expect(() => createMesh({ ...good, peers: [peerOf(2), { ...peerOf(3), publicKey: peerOf(2).publicKey }] })).toThrow(
    MeshConfigError,
  );
  expect(() => createMesh({ ...good, peers: [{ ...peerOf(2), publicKey: seedOf(2).subarray(1) }] })).toThrow(
    MeshConfigError,
  );
  expect(() => createMesh({ ...good, peers: [peerOf(2, '/ip4/127.0.0.1/tcp/9/p2p/x')] })).toThrow(MeshConfigError);
});
