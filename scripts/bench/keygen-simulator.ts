/** What a key generation costs in committees that are too many processes for one machine. */
import { createKernel } from '@keyquorum/kernel/kernel';
import { simulate } from '@keyquorum/mpc/simulate/simulate';
import { createServices } from '@keyquorum/protocols/create-services';
import { curvesInThisThread } from '@keyquorum/protocols/crs/curve-modules';
import { keygenPlan } from '@keyquorum/protocols/keygen/material';
import type { Services } from '@keyquorum/protocols/services';
import { keySetChoice } from '@keyquorum/tfhe/key-sets';
import { createMemoryStores } from './memory-stores.ts';
import { measure, until } from './simulator.ts';

const KEY_ID = '5e'.repeat(32);
const LIMITS = { poolTarget: 16, batchBundles: 16, roundMs: 300, decryptionDeadlineMs: 60_000, crsTurnMs: 60_000 };
const DEADLINE_MS = 3_600_000;

export interface SimulatedKeygen {
  readonly n: number;
  readonly t: number;
  /** Jointly generated bits, of keys and of noise. */
  readonly bits: number;
  readonly sentBytes: number;
  readonly msPerParty: number;
}

/** One key of the Test set. */
export async function simulateKeygen(
  { n, t }: { n: number; t: number },
  say: (text: string) => void,
): Promise<SimulatedKeygen> {
  say(`simulator ${n}/${t}: a key of the Test set`);
  const sim = simulate({ seed: 1, n, t, kernel: createKernel(), latency: { minMs: 1, maxMs: 1 } });
  const seats = new Map<number, Services>();
  const curves = curvesInThisThread(sim.random.bytes);
  for (const id of sim.honest) {
    const limits = { ...LIMITS, keygenDeadlineMs: DEADLINE_MS };
    seats.set(id, createServices({ party: sim.party(id), ...createMemoryStores(), limits, curves }));
  }
  await measure(sim, async (party) => {
    const services = seats.get(party.self)!;
    await services.start();
    await until(party, () => services.epoch() > 0);
  });
  const cost = await measure(sim, async (party) => {
    const services = seats.get(party.self)!;
    if (party.self === 1) {
      services.generateKey({ requestId: KEY_ID, parameters: 'test', purpose: 'development' });
    }
    await until(party, () => services.keys().length > 0);
  });
  const { counts } = keygenPlan(keySetChoice('test'), { n, t });
  const sentBytes = Object.values(cost.bytesPerParty).reduce((sum, bytes) => sum + bytes, 0);
  return { n, t, bits: counts.key + counts.noise, sentBytes, msPerParty: cost.msPerParty };
}
