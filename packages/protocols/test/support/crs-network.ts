/** Ceremonies of reference strings at n parties in the simulator, at sizes that no proofs exist for. */

import { crsParameters } from '@keyquorum/crs/parameters';
import { type CrsPoints, type CrsSubject, sizeOf } from '@keyquorum/crs/state';
import type { Party } from '@keyquorum/mpc/party';
import { type SimulateOptions, type Simulation, simulate } from '@keyquorum/mpc/simulate/simulate';
import type { PartyId } from '@keyquorum/mpc/transport';
import { TEST_PARAMETERS } from '@keyquorum/tfhe/parameters';
import { type Board, createBoard } from '../../src/ceremony/board.ts';
import { isFinal } from '../../src/ceremony/ceremony.ts';
import { createStarting } from '../../src/ceremony/starting.ts';
import { createProvenParties, type ProvenParties } from '../../src/closed/proven.ts';
import { type CrsCeremonies, createCrsCeremonies } from '../../src/crs/ceremony.ts';
import type { CrsFormat } from '../../src/crs/content.ts';
import { type CrsStore, createCrsStore } from '../../src/crs/crs-store.ts';
import { createCrsMemory } from '../../src/crs/memory.ts';
import { createEvidenceArchive } from '../../src/evidence/archive.ts';
import type { LogEvent } from '../../src/log.ts';
import type { ServiceLimits } from '../../src/services.ts';
import type { PublicStore } from '../../src/storage.ts';
import { curves } from './curves.ts';
import { kernel } from './kernel.ts';
import { eventually, LIMITS } from './network.ts';
import { memoryPublics } from './stores.ts';

const SIZE = 3;
export const CRS_ID = 'c5'.repeat(32);
export const CRS_LIMITS: ServiceLimits = { ...LIMITS, roundMs: 200, crsTurnMs: 10_000 };

/** Lists of three powers, and a file that is just the points. */
export const SMALL_FORMAT: CrsFormat = {
  subject: (requestId, { maxBits }): CrsSubject => ({
    parameters: { ...crsParameters(TEST_PARAMETERS, maxBits), size: SIZE },
    number: BigInt(`0x${requestId.slice(0, 32)}`),
  }),
  encode(_subject, points: CrsPoints) {
    if (sizeOf(points) !== SIZE) throw new Error('lists of another size');
    return new Uint8Array(Buffer.concat([points.g1, points.g2]));
  },
};

/** What one process of a party holds. */
export interface CrsNode {
  readonly party: Party;
  readonly crs: CrsCeremonies;
  readonly board: Board;
  readonly store: CrsStore;
  readonly proven: ProvenParties;
}

export interface CrsNetwork {
  readonly sim: Simulation;
  readonly publics: ReadonlyMap<PartyId, PublicStore>;
  readonly logs: { party: PartyId; event: LogEvent }[];
  /** Calls back once, at the end of this turn at the first party. */
  whenTurnEnds(round: number, action: () => void): void;
  node(party: Party): CrsNode;
  /** Party `asks` starts the ceremony; resolves when it has ended at every living party. */
  make(asks?: PartyId): Promise<void>;
}

export function createCrsNetwork(options: Omit<SimulateOptions, 'kernel'>, limits = CRS_LIMITS): CrsNetwork {
  const sim = simulate({ ...options, kernel });
  const nodes = new Map<Party, CrsNode>();
  const logs: { party: PartyId; event: LogEvent }[] = [];
  const turnEnds = new Map<number, () => void>();
  const parties = Array.from({ length: options.n }, (_, index) => index + 1);
  const publics = new Map(parties.map((party) => [party, memoryPublics()]));

  function boot(party: Party): CrsNode {
    const { signal } = new AbortController();
    const log = (event: LogEvent): void => {
      logs.push({ party: party.self, event });
      const round = event.end === undefined ? undefined : event.contributor;
      if (typeof round !== 'number') return;
      turnEnds.get(round)?.();
      turnEnds.delete(round);
    };
    const board = createBoard(party.journal, party.clock);
    const own = publics.get(party.self)!;
    const proven = createProvenParties(party.journal, createEvidenceArchive(own, sim.roster), log);
    const store = createCrsStore(party.journal, own);
    const starting = createStarting(party, {
      joint: () => ({ accept: (announcement) => void crs.accept(announcement), enter: crs.enter }),
      log,
    });
    const crs = createCrsCeremonies({
      ...{ party, board, store, proven, curves, limits, signal, log, format: SMALL_FORMAT },
      memory: createCrsMemory(party.journal, own),
      announce: (announcement) => starting.announce(announcement, signal),
    });
    party.onPeer((_peer, state) => {
      if (state === 'up') crs.recover();
    });
    crs.resume();
    return { party, crs, board, store, proven };
  }

  const node = (party: Party): CrsNode => {
    const running = nodes.get(party) ?? boot(party);
    nodes.set(party, running);
    return running;
  };

  return {
    ...{ sim, publics, logs, node },
    whenTurnEnds: (round, action) => void turnEnds.set(round, action),
    async make(asks = 1) {
      for (const id of parties) node(sim.party(id)); // all listen before one asks
      await sim.run(
        async (party) => {
          const { crs, board, store } = node(party);
          if (party.self === asks) crs.request({ requestId: CRS_ID, parameters: 'test', maxBits: 32 });
          const hasEnded = () => {
            const ceremony = board.get(CRS_ID);
            return ceremony === undefined ? store.record(CRS_ID) !== undefined : isFinal(ceremony);
          };
          await eventually(party, hasEnded);
        },
        { limitMs: 3_600_000 },
      );
    },
  };
}
