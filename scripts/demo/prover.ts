/** A thread in which node-tfhe encrypts one value with a proof, as an application would. */
import { parentPort, workerData } from 'node:worker_threads';
import { createEncryptor, type Sample } from '../network/encryption.ts';

export interface ProvingJob {
  readonly publicKey: Uint8Array;
  /** The reference string. */
  readonly crs: Uint8Array;
  readonly metadata: Uint8Array;
  readonly sample: Sample;
}

const { publicKey, crs, metadata, sample } = workerData as ProvingJob;
parentPort?.postMessage(createEncryptor(publicKey).prove([sample], { crs, metadata })[0]);
