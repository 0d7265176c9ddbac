/** Keys of every party, dealt by the test: what a finished PRSS-Init or key generation leaves behind, without one. */
import type { Gr64, Gr128 } from '@keyquorum/kernel/batch';
import type { Ring } from '@keyquorum/kernel/ring';
import { type Family, subsetsWith } from '@keyquorum/mpc/prss/family';
import { type PrssKeys, prssKeys } from '@keyquorum/mpc/prss/keys';
import { createPrng, type Prng } from '@keyquorum/mpc/simulate/prng';
import type { PartyId } from '@keyquorum/mpc/transport';
import { type KeySetName, keySetChoice, secretKeyPlaces } from '@keyquorum/tfhe/key-sets';
import type { KeyRecord } from '../../src/services.ts';
import { kernel } from './kernel.ts';
import type { SimulatedNetwork } from './network.ts';

const WIDE_WORD_BYTES = 16;

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

/** Shares of public or secret elements on random polynomials. */
export function dealShares<E extends Gr64 | Gr128>(
  ring: Ring<E>,
  secrets: E,
  { n, degree, random }: { n: number; degree: number; random: Prng },
): Map<PartyId, E> {
  const others = Array.from({ length: degree }, () => random.bytes(secrets.length) as Uint8Array as E);
  const parties = Array.from({ length: n }, (_, index) => index + 1);
  return new Map(parties.map((party) => [party, ring.evaluate([secrets, ...others], party)]));
}

/** Shares of bits modulo 2^128. */
export function dealBits(bits: Uint8Array, options: { n: number; degree: number; random: Prng }): Map<PartyId, Gr128> {
  const words = new Uint8Array(WIDE_WORD_BYTES * bits.length);
  bits.forEach((bit, at) => {
    words[WIDE_WORD_BYTES * at] = bit;
  });
  return dealShares(kernel.gr128, kernel.gr128.embed(words), options);
}

/** Random keys without public parts on the disks of all parties, before their services start: enough to decrypt. */
export async function dealKeySet(
  { sim, secrets }: SimulatedNetwork,
  { keyId, parameters }: { keyId: string; parameters: KeySetName },
): Promise<void> {
  const random = sim.random.fork('dealt key set');
  const { first, bits: count } = secretKeyPlaces(keySetChoice(parameters)).at(-1)!;
  const bits = Uint8Array.from({ length: first + count }, () => random.below(2));
  const shares = dealBits(bits, { n: sim.roster.n, degree: sim.roster.t, random });
  const session = 'd0'.repeat(32);
  const record: KeyRecord = {
    ...{ keyId, session, parameters, epoch: 1, purpose: 'development', objects: [], certificate: '', seed: '' },
    ...{ startMs: sim.now(), attempt: 0 },
  };
  await sim.run(async ({ self, journal }) => {
    await secrets.get(self)!.put(`key/${keyId}/${session}`, shares.get(self)!);
    journal.set(`key/${keyId}`, new TextEncoder().encode(JSON.stringify(record)));
    await journal.sync();
  });
}
