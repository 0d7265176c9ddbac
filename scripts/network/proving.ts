/** Lists proven by node-tfhe, each in a thread of its own: it takes fifteen seconds of one core. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { EncryptedValue, Proving, Sample } from './encryption.ts';

export interface ProvingJob extends Proving {
  /** A serialised CompactPublicKey. */
  readonly publicKey: Uint8Array;
  /** All in one list. */
  readonly samples: readonly Sample[];
}

/** One value per sample, in order. Throws what node-tfhe throws. */
export async function proveInThread(job: ProvingJob): Promise<EncryptedValue[]> {
  const thread = new Worker(new URL('./prover.ts', import.meta.url), { workerData: job, execArgv: [] });
  const [values] = (await once(thread, 'message')) as [EncryptedValue[]];
  return values;
}
