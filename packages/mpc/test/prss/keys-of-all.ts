/** PRSS keys of every party for one family, as a finished PRSS-Init leaves them. */
import { type Family, subsetsWith } from '../../src/prss/family.ts';
import { type PrssKeys, prssKeys } from '../../src/prss/keys.ts';
import { createPrng } from '../../src/simulate/prng.ts';
import type { PartyId } from '../../src/transport.ts';

export function keysOfAll(family: Family, seed: number | string): Map<PartyId, PrssKeys> {
  const random = createPrng(seed);
  const keys = family.subsets.map(() => random.bytes(32));
  const parties = Array.from({ length: family.n }, (_, index) => index + 1);
  return new Map(
    parties.map((party) => {
      const own = subsetsWith(family, party).map((index): [number, Uint8Array] => [
        index,
        new Uint8Array(keys[index]!),
      ]);
      return [party, prssKeys(family, party, new Map(own))];
    }),
  );
}
