/** A thread that has node-tfhe make a reference string of its own, with the default parameters: it takes a minute. */
import { parentPort } from 'node:worker_threads';
import { defaultConfig, loadNodeTfhe, serialize } from '../../packages/tfhe/test/support/node-tfhe.ts';

/** The smallest is cheapest, though not by much. */
const MAX_BITS = 1;

const tfhe = loadNodeTfhe();
parentPort?.postMessage(serialize(tfhe.CompactPkeCrs.from_config(defaultConfig(tfhe), MAX_BITS)));
