/** A thread in which node-tfhe encrypts values with a proof, as an application would. */
import { parentPort, workerData } from 'node:worker_threads';
import { createEncryptor } from './encryption.ts';
import type { ProvingJob } from './proving.ts';

const { publicKey, samples, ...proving } = workerData as ProvingJob;
parentPort?.postMessage(createEncryptor(publicKey).prove(samples, proving));
