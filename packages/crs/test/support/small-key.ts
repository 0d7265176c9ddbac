/** A compact public key of dimension 32: breakable, but node-tfhe proves and verifies with it in seconds. */
import type { CompactKeyParameters } from '../../src/parameters.ts';

export const SMALL_KEY: CompactKeyParameters = {
  messageModulus: 4,
  carryModulus: 4,
  pke: { dimension: 32, noiseBoundLog2: 0 },
};
