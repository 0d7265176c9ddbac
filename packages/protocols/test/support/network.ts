/** The services of n parties in the simulator, with what a test needs to know that no party knows: the secret keys. */
import type { Party } from '@keyquorum/mpc/party';
import { type SimulateOptions, type Simulation, simulate } from '@keyquorum/mpc/simulate/simulate';
import type { PartyId } from '@keyquorum/mpc/transport';
import type { SecretKeyName } from '@keyquorum/tfhe/key-set-components';
import type { KeySetName } from '@keyquorum/tfhe/key-sets';
import { createServices } from '../../src/create-services.ts';
import type { LogEvent } from '../../src/log.ts';
import type { ServiceLimits, Services } from '../../src/services.ts';
import { SHARE_CODECS } from '../../src/share-codecs.ts';
import type { PublicStore, SecretStore } from '../../src/storage.ts';
import { curves } from './curves.ts';
import { kernel } from './kernel.ts';
import { keyOf, reconstructBits } from './secret-keys.ts';
import { memoryPublics, memorySecrets } from './stores.ts';

export const LIMITS: ServiceLimits = {
  poolTarget: 64,
  batchBundles: 64,
  roundMs: 200,
  keygenDeadlineMs: 120_000,
  decryptionDeadlineMs: 60_000,
  crsTurnMs: 20_000,
};

export interface SimulatedNetwork {
  readonly sim: Simulation;
  readonly logs: { party: PartyId; event: LogEvent }[];
  readonly publics: Map<PartyId, PublicStore>;
  readonly secrets: Map<PartyId, SecretStore>;
  /** Services of a party's current process; made and started on first use. */
  services(party: Party): Promise<Services>;
  /** Bits of a secret key in LWE order, from the shares of all parties. */
  secretBits(keyId: string, key: SecretKeyName, keySet: KeySetName): Promise<Uint8Array>;
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
    const services = createServices({ party, ...stores, limits, curves, log });
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
    async secretBits(keyId, key, keySet) {
      const [name] = await secrets.get(1)!.names(`key/${keyId}/`);
      const session = name!.slice(`key/${keyId}/`.length);
      return keyOf(await reconstructBits(secrets, { keyId, session }, options.t), key, keySet);
    },
  };
}

/** Resolves once `holds` is true; asked every `stepMs` of virtual time. */
export async function eventually(party: Party, holds: () => boolean, stepMs = 100): Promise<void> {
  while (!holds()) await party.clock.until(party.clock.now() + stepMs);
}
