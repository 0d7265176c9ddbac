/** One broadcast of all parties in the simulator, with the corrupt ones acting as the test wants. */
import { expect } from 'vitest';
import { broadcastAll } from '../../src/agreement/broadcast.ts';
import type { Evidence } from '../../src/agreement/evidence.ts';
import type { Party } from '../../src/party.ts';
import type { Simulation } from '../../src/simulate/simulate.ts';
import type { PartyId } from '../../src/transport.ts';
import { Adversary } from './adversary.ts';

export const SESSION = 'b0'.repeat(32);
export const SLOT = 'test';
/** Above two clock skews, a message, and a pull that waits for its turn. */
export const ROUND_MS = 300;
export const SKEW_MS = 20;
export const LEAD_MS = 50;

const bodyOf = (party: PartyId) => new TextEncoder().encode(`from party ${party}`);

export const partiesUpTo = (count: number): PartyId[] => Array.from({ length: count }, (_, index) => index + 1);

export interface Observed {
  /** What every honest party delivered, as text by sender. */
  readonly views: Record<string, string>[];
  /** When each of them ended, in milliseconds after the start. */
  readonly endsMs: number[];
  readonly faults: { by: PartyId; party: PartyId; kind: string }[];
  readonly evidence: Evidence[];
  readonly speakersUpTo: number;
}

export interface Attack {
  /** Schedules what the corrupt parties do, in milliseconds after the start. */
  readonly plan?: (adversary: Adversary) => void;
  /** Corrupt parties run the program as well, over the transport of their fault strategy. */
  readonly corruptRun?: boolean;
  /** Only honest parties up to this number broadcast something; default all. Saves signatures. */
  readonly speakersUpTo?: number;
}

export async function observe(
  sim: Simulation,
  corrupt: readonly PartyId[],
  { plan, corruptRun = false, speakersUpTo = sim.roster.n }: Attack = {},
): Promise<Observed> {
  const evidence: Evidence[] = [];
  const adversary = new Adversary(sim, corrupt, SESSION, SLOT);
  plan?.(adversary);
  const startMs = sim.now() + LEAD_MS;
  const endsMs: number[] = [];
  const program = async (party: Party) => {
    const isCorrupt = corrupt.includes(party.self);
    if (isCorrupt && !corruptRun) return {};
    const speaks = isCorrupt || party.self <= speakersUpTo;
    const options = {
      startMs,
      roundMs: ROUND_MS,
      bytesMax: 100,
      onEvidence: (found: Evidence) => evidence.push(found),
    };
    const delivered = await broadcastAll(party.open(SESSION), SLOT, speaks ? bodyOf(party.self) : undefined, options);
    if (!isCorrupt) endsMs.push(sim.now() - startMs);
    return Object.fromEntries([...delivered].map(([sender, body]) => [sender, new TextDecoder().decode(body)]));
  };
  const { outcomes, faults } = await sim.run(program, { limitMs: 60_000 });
  const views = outcomes.flatMap((outcome, index) => {
    if (corrupt.includes(index + 1)) return [];
    if (outcome.status !== 'fulfilled') throw new Error(`${sim.describe()}: party ${index + 1} ${outcome.status}`);
    return [outcome.value];
  });
  const honestReports = faults.filter(({ by }) => !corrupt.includes(by));
  return { views, endsMs, evidence, speakersUpTo, faults: honestReports.map(({ by, fault }) => ({ by, ...fault })) };
}

export function expectAgreement(
  { views, faults, speakersUpTo }: Observed,
  corrupt: readonly PartyId[],
  n: number,
): Record<string, string> {
  const [first = {}] = views;
  for (const view of views) expect(view).toEqual(first);
  for (let party = 1; party <= n; party++) {
    const sent = party <= speakersUpTo ? `from party ${party}` : undefined;
    if (!corrupt.includes(party)) expect(first[party]).toBe(sent);
  }
  for (const fault of faults) {
    if (!['silent', 'late'].includes(fault.kind)) expect(corrupt).toContain(fault.party);
  }
  return first;
}
