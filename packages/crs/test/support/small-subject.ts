/** Ceremonies of a size that no proofs exist for, so that tests take milliseconds. */
import { crsParameters } from '../../src/parameters.ts';
import type { CrsSubject } from '../../src/state.ts';
import { SMALL_KEY } from './small-key.ts';

export function smallSubject(size: number, { number = 1n } = {}): CrsSubject {
  return { parameters: { ...crsParameters(SMALL_KEY, 32), size }, number };
}
