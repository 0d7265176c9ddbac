/** The services of n parties in the simulator, with what a test needs to know that no party knows: the secret keys. */
import { asGr128 } from '@keyquorum/kernel/batch';
import { createKernel } from '@keyquorum/kernel/kernel';
import { openingMatrix } from '@keyquorum/kernel/lagrange';
import type { Party } from '@keyquorum/mpc/party';
import { type SimulateOptions, type Simulation, simulate } from '@keyquorum/mpc/simulate/simulate';
import type { PartyId } from '@keyquorum/mpc/transport';
import { lweDimensionOf, type ParameterSet } from '@keyquorum/tfhe/parameters';
import { createServices } from '../../src/create-services.ts';
import type { LogEvent } from '../../src/log.ts';
import type { ServiceLimits, Services } from '../../src/services.ts';
import { SHARE_CODECS } from '../../src/share-codecs.ts';
import type { PublicStore, SecretStore } from '../../src/storage.ts';
import { memoryPublics, memorySecrets } from './stores.ts';

export const kernel = createKernel();

export const LIMITS: ServiceLimits = {
  poolTarget: 64,
  batchBundles: 64,
  roundMs: 200,
  keygenDeadlineMs: 120_000,
  decryptionDeadlineMs: 60_000,
};

export interface SimulatedNetwork {
  readonly sim: Simulation;
  readonly logs: { party: PartyId; event: LogEvent }[];
  readonly publics: Map<PartyId, PublicStore>;
  readonly secrets: Map<PartyId, SecretStore>;
  /** Services of a party's current process; made and started on first use. */
  services(party: Party): Promise<Services>;
  /** Bits of a secret key in LWE order, from the shares of all parties. */
  secretBits(keyId: string, key: 'pke' | 'small' | 'big', parameters: ParameterSet): Promise<Uint8Array>;
}

export function createNetwork(
  options: Omit<SimulateOptions, 'kernel'>,
  limits: ServiceLimits = LIMITS,
): SimulatedNetwork {
  const sim = simulate({ codecs: SHARE_CODECS, ...options, kernel });
  const running = new Map<Party, Promise<Services>>();
  const logs: { party: PartyId; event: LogEvent }[] = [];
  const publics = new Map<PartyId, PublicStore>();
  const secrets = new Map<PartyId, SecretStore>();
  for (let id = 1; id <= options.n; id++) {
    publics.set(id, memoryPublics());
    secrets.set(id, memorySecrets());
  }

  async function boot(party: Party): Promise<Services> {
    const stores = { secrets: secrets.get(party.self)!, publics: publics.get(party.self)! };
    const log = (event: LogEvent): void => void logs.push({ party: party.self, event });
    const services = createServices({ party, ...stores, limits, log });
    await services.start();
    return services;
  }

  return {
    sim,
    logs,
    publics,
    secrets,
    services(party) {
      const known = running.get(party) ?? boot(party);
      running.set(party, known);
      return known;
    },
    async secretBits(keyId, key, { pke, lwe, glwe }) {
      const big = lweDimensionOf(glwe);
      const [from, count] = {
        pke: [0, pke.dimension],
        small: [pke.dimension, lwe.dimension],
        big: [pke.dimension + lwe.dimension, big],
      }[key] as [number, number];
      const shares = await Promise.all(
        [...secrets.values()].map(async (store) => {
          const [name] = await store.names(`key/${keyId}/`);
          return asGr128((await store.get(name!))!.slice(64 * from, 64 * (from + count)));
        }),
      );
      const points = shares.map((_, index) => index + 1);
      const { values, firstInconsistent } = kernel.gr128.open(openingMatrix(points, options.t, 'gr128'), shares);
      if (firstInconsistent >= 0) throw new Error(`shares of key bit ${firstInconsistent} are not of degree t`);
      if (!kernel.gr128.isBaseRing(values)) throw new Error('a key bit is not in the base ring');
      const words = new BigUint64Array(kernel.gr128.coordinate(values, 0).slice().buffer);
      return Uint8Array.from({ length: count }, (_, index) => {
        const [low, high] = [words[2 * index]!, words[2 * index + 1]!];
        if (high !== 0n || low > 1n) throw new Error(`key bit ${index} is ${low} + 2^64 * ${high}`);
        return Number(low);
      });
    },
  };
}

/** Resolves once `holds` is true; asked every `stepMs` of virtual time. */
export async function eventually(party: Party, holds: () => boolean, stepMs = 100): Promise<void> {
  while (!holds()) await party.clock.until(party.clock.now() + stepMs);
}
