/** What the ceremonies are told by a node's configuration. */
import { createBls446 } from '@keyquorum/kernel/bls446';
import type { Party } from '@keyquorum/mpc/party';
import type { createServices } from '@keyquorum/protocols/create-services';
import type { ServiceLimits } from '@keyquorum/protocols/services';
import type { Logger } from 'pino';
import type { NodeConfig } from '../config/config.ts';
import { startCurvePool } from '../curve/pool.ts';
import { ApiError } from '../errors/api-error.ts';
import { admitsCrs, admitsKeygen } from '../keygen-policy.ts';
import type { Store } from '../store/store.ts';
import { serviceLog } from './log.ts';

interface Parts {
  readonly config: NodeConfig;
  readonly party: Party;
  readonly store: Store;
  readonly log: Logger;
}

export function servicesOptions({ config, party, store, log }: Parts): Parameters<typeof createServices>[0] {
  return {
    party,
    secrets: store.secrets,
    publics: store.publics,
    limits: limitsOf(config),
    admitKeygen(request) {
      const refusal = admitsKeygen(config.keys, request);
      if (refusal !== undefined) throw new ApiError('KEYGEN_REFUSED', refusal);
    },
    admitCrs(request) {
      const refusal = admitsCrs(config.keys, request);
      if (refusal !== undefined) throw new ApiError('CRS_REFUSED', refusal);
    },
    curves: { curve: createBls446(), startWorkers: startCurvePool },
    log: serviceLog(log),
  };
}

const BYTES_PER_MEGABIT = 125_000;

function limitsOf({ keys, pool, timing }: NodeConfig): ServiceLimits {
  return {
    poolTarget: pool.target,
    batchBundles: pool.batch,
    roundMs: timing.roundMs,
    keygenDeadlineMs: timing.keygenSeconds * 1000,
    ...(keys.megabitPerSecond !== undefined && { keygenBytesPerSecond: keys.megabitPerSecond * BYTES_PER_MEGABIT }),
    decryptionDeadlineMs: timing.decryptionSeconds * 1000,
    crsTurnMs: timing.crsTurnSeconds * 1000,
  };
}
