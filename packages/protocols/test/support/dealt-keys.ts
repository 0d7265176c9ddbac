/** PRSS keys of every party, dealt by the test: what a finished PRSS-Init leaves behind, without running one. */
import { type Family, subsetsWith } from '@keyquorum/mpc/prss/family';
import { type PrssKeys, prssKeys } from '@keyquorum/mpc/prss/keys';
import { createPrng } from '@keyquorum/mpc/simulate/prng';
import type { PartyId } from '@keyquorum/mpc/transport';

export function dealKeys(family: Family, seed: number | string): Map<PartyId, PrssKeys> {
  const random = createPrng(seed);
  const keys = family.subsets.map(() => random.bytes(32));
  const parties = Array.from({ length: family.n }, (_, index) => index + 1);
  return new Map(
    parties.map((party) => {
      const own = subsetsWith(family, party).map((index) => [index, Uint8Array.from(keys[index]!)] as const);
      return [party, prssKeys(family, party, new Map(own))];
    }),
  );
}
