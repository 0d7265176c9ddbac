/**
 * The same protocols with n parties in one process: exact bytes by kind of message, and the processor time of one party
 * (all parties take turns on one core, so the time of a party is that of the process divided by n).
 */
import { createKernel } from '@keyquorum/kernel/kernel';
import type { Party } from '@keyquorum/mpc/party';
import { type Simulation, simulate } from '@keyquorum/mpc/simulate/simulate';
import type { PartyId } from '@keyquorum/mpc/transport';
import { createServices } from '@keyquorum/protocols/create-services';
import { curvesInThisThread } from '@keyquorum/protocols/crs/curve-modules';
import type { Services } from '@keyquorum/protocols/services';
import { readCiphertext, recompose } from '@keyquorum/tfhe/ciphertext';
import { TEST_PARAMETERS } from '@keyquorum/tfhe/parameters';
import { createEncryptor, randomSample } from '../network/encryption.ts';
import { createMemoryStores } from './memory-stores.ts';

const SEED = 1;
const KEY_ID = '5e'.repeat(32);
const LIMITS = { roundMs: 300, keygenDeadlineMs: 3_600_000, decryptionDeadlineMs: 60_000, crsTurnMs: 60_000 };
const BLOCKS_PER_REQUEST = 16; // a packed uint64

/** Work of one run: 13 parties hold 495 keys each, and all of them take turns on one core. */
function sizeFor(n: number): { readonly pool: number; readonly batch: number; readonly requests: number } {
  return n < 13 ? { pool: 4_096, batch: 2_048, requests: 32 } : { pool: 512, batch: 512, requests: 8 };
}
const POLL_MS = 20;

export interface PhaseCost {
  /** Of the whole process, divided by n. */
  readonly msPerParty: number;
  /** Sent by one party on average, by the first part of the message tags; without 80 bytes of frame per message. */
  readonly bytesPerParty: { readonly [tag: string]: number };
}

export interface SimulatorReport {
  readonly n: number;
  readonly t: number;
  readonly epoch: PhaseCost;
  readonly keygen: PhaseCost;
  readonly preprocessing: PhaseCost & { readonly blocks: number };
  readonly online: PhaseCost & { readonly blocks: number };
}

interface Seat {
  readonly party: Party;
  readonly services: Services;
}

export async function benchSimulator(n: number, t: number, say: (text: string) => void): Promise<SimulatorReport> {
  const size = sizeFor(n);
  const sim = simulate({ seed: SEED, n, t, kernel: await createKernel(), latency: { minMs: 1, maxMs: 1 } });
  const seats = new Map<PartyId, Seat & { publicKey(): Promise<Uint8Array> }>();
  const seatOf = (party: Party) => {
    const seat = seats.get(party.self);
    if (!seat) throw new Error(`party ${party.self} has not started`);
    return seat;
  };
  const phase = async (name: string, program: (seat: ReturnType<typeof seatOf>) => Promise<void>) => {
    say(`simulator ${n}/${t}: ${name}`);
    const cost = await measure(sim, (party) => program(seatOf(party)));
    say(`  ${cost.msPerParty.toFixed(0)} ms per party`);
    return cost;
  };

  for (const party of partiesOf(sim)) seats.set(party.self, createSeat(party, size));
  const epoch = await phase('epoch', async ({ party, services }) => {
    await services.start();
    await until(party, () => services.epoch() > 0);
  });
  const before = seatOf(sim.party(1)).services.pool().available;
  const preprocessing = await phase('preprocessing', async ({ party, services }) => {
    await until(party, () => services.pool().available >= size.pool);
  });
  const made = seatOf(sim.party(1)).services.pool().available - before;
  const keygen = await phase('key generation', async ({ party, services }) => {
    const request = { requestId: KEY_ID, parameters: 'test', purpose: 'development' } as const;
    if (party.self === 1) services.generateKey(request);
    await until(party, () => services.keys().length > 0);
  });
  const jobs = makeJobs(await seatOf(sim.party(1)).publicKey(), size.requests);
  const online = await phase('decryption', async ({ services }) => {
    const outcomes = await Promise.all(jobs.map(({ job }) => services.decrypt(job)));
    for (const [index, { sample, value }] of jobs.entries()) {
      const messages = outcomes[index]?.messages[0] ?? new Uint8Array();
      if (recompose(value, messages) !== sample.value) throw new Error(`request ${index}: wrong value`);
    }
  });
  const blocks = size.requests * BLOCKS_PER_REQUEST;
  return { n, t, epoch, keygen, preprocessing: { ...preprocessing, blocks: made }, online: { ...online, blocks } };
}

function partiesOf(sim: Simulation): Party[] {
  return sim.honest.map((id) => sim.party(id));
}

function createSeat(party: Party, { pool, batch }: ReturnType<typeof sizeFor>) {
  const { secrets, publics } = createMemoryStores();
  const services = createServices({
    ...{ party, secrets, publics, curves: curvesInThisThread((count) => party.random(count)) },
    limits: { ...LIMITS, poolTarget: pool, batchBundles: batch },
  });
  return {
    party,
    services,
    async publicKey() {
      const object = services.keys()[0]?.objects.find(({ type }) => type === 'CompactPublicKey');
      const published = object && services.material(object.digest);
      if (!published) throw new Error('the key was not published');
      return new Uint8Array(await Buffer.concat(await Array.fromAsync(published.read())));
    },
  };
}

function makeJobs(publicKey: Uint8Array, requests: number) {
  const encryptor = createEncryptor(publicKey);
  return Array.from({ length: requests }, (_, index) => {
    const sample = randomSample('uint64');
    const bytes = Buffer.from(encryptor.encrypt([sample], 'packed')[0]!.bytes, 'base64');
    const value = readCiphertext('compact-list', new Uint8Array(bytes), { parameters: TEST_PARAMETERS });
    const requestId = (index + 1).toString(16).padStart(64, '0');
    const contentHash = new Uint8Array(Buffer.from(requestId, 'hex'));
    return { sample, value, job: { requestId, keyId: KEY_ID, contentHash, values: [value] } };
  });
}

/** Virtual time: waiting costs nothing. */
export async function until(party: Party, condition: () => boolean): Promise<void> {
  while (!condition()) await party.clock.until(party.clock.now() + POLL_MS);
}

export async function measure(sim: Simulation, program: (party: Party) => Promise<void>): Promise<PhaseCost> {
  sim.traffic.reset();
  const started = process.cpuUsage();
  const { outcomes } = await sim.run(program);
  const { user, system } = process.cpuUsage(started);
  for (const outcome of outcomes) {
    if (outcome.status === 'rejected') throw outcome.reason;
    if (outcome.status !== 'fulfilled') throw new Error(`a simulated party ${outcome.status}`);
  }
  const { n } = sim.roster;
  const bytesPerParty: Record<string, number> = {};
  for (const byTag of sim.traffic.sent().values()) {
    for (const [tag, { bytes }] of byTag) bytesPerParty[tag] = (bytesPerParty[tag] ?? 0) + bytes / n;
  }
  return { msPerParty: (user + system) / 1_000 / n, bytesPerParty };
}
