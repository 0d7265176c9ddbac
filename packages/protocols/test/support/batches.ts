/**
 * What is behind a released batch: recomputed from each party's stored keys and the public record, then reconstructed.
 */
import { asGf16, asGr64 } from '@keyquorum/kernel/batch';
import { openingMatrix } from '@keyquorum/kernel/lagrange';
import type { PartyId } from '@keyquorum/mpc/transport';
import { decodeRecord, decodeStart } from '../../src/decryption/batch-record.ts';
import type { Material } from '../../src/decryption/material.ts';
import { recomputeBatch, verifyRecord } from '../../src/decryption/preprocessing.ts';
import { loadEpoch } from '../../src/epoch/epoch.ts';
import { kernel } from './kernel.ts';
import type { SimulatedNetwork } from './network.ts';

const EPOCH = 1;

/** The record of a batch as this party keeps it. */
export async function recordOf(network: SimulatedNetwork, party: PartyId, id: string) {
  const encoded = await network.publics.get(party)!.get(`pool/${id}`);
  if (encoded === undefined) throw new Error(`party ${party} has no batch ${id}`);
  return decodeRecord(encoded);
}

export async function batchesOf(network: SimulatedNetwork, party: PartyId): Promise<string[]> {
  return (await network.publics.get(party)!.names('pool/')).map((name) => name.slice('pool/'.length));
}

/** The shares of one party, a function of its epoch keys and the record that `from` keeps. @throws if not certified */
export async function materialOf(
  network: SimulatedNetwork,
  party: PartyId,
  { id, from = party }: { id: string; from?: PartyId },
): Promise<Material> {
  const { sim, secrets } = network;
  const record = await recordOf(network, from, id);
  const { bundles } = decodeStart(record.start);
  verifyRecord(sim.roster, id, bundles, record);
  const epoch = await loadEpoch(sim.party(party), secrets.get(party)!, EPOCH);
  if (epoch === undefined) throw new Error(`party ${party} has no epoch keys`);
  return recomputeBatch(kernel, { id, keys: epoch.keys, bundles, values: record.values });
}

/**
 * Checks what decryption relies on: shares of degree t, masks equal to the sum of their bits, triples that multiply.
 * @throws Error naming what does not hold
 */
export function checkMaterial(shares: ReadonlyMap<PartyId, Material>, t: number): void {
  const parties = [...shares.keys()];
  const open16 = (pick: (material: Material) => Uint8Array, what: string): Uint8Array => {
    const vectors = parties.map((party) => asGf16(pick(shares.get(party)!)));
    const { values, firstInconsistent } = kernel.gf16.open(openingMatrix(parties, t, 'gf16'), vectors);
    if (firstInconsistent >= 0) throw new Error(`${what}: element ${firstInconsistent} is not of degree t`);
    return values;
  };
  const masks = kernel.gr64.open(
    openingMatrix(parties, t, 'gr64'),
    parties.map((party) => asGr64(shares.get(party)!.mask)),
  );
  if (masks.firstInconsistent >= 0) throw new Error(`mask ${masks.firstInconsistent} is not of degree t`);
  if (!kernel.gr64.isBaseRing(masks.values)) throw new Error('a mask is not in the base ring');
  const words = new BigUint64Array(kernel.gr64.coordinate(masks.values, 0).slice().buffer);
  const bits = open16(({ bits: wires }) => wires, 'bits');
  words.forEach((word, bundle) => {
    let sum = 0n;
    for (let bit = 0; bit < 64; bit++) {
      const value = bits[bit * words.length + bundle]!;
      if (value > 1) throw new Error(`bit ${bit} of bundle ${bundle} is ${value}`);
      sum += BigInt(value) << BigInt(bit);
    }
    if (sum !== word) throw new Error(`mask of bundle ${bundle} is not the sum of its bits`);
  });
  checkPairs(open16);
}

function checkPairs(open: (pick: (material: Material) => Uint8Array, what: string) => Uint8Array): void {
  const opened = (name: 'left' | 'right' | 'right2' | 'product' | 'product2') => open(({ pairs }) => pairs[name], name);
  const left = opened('left');
  for (const [right, product] of [
    [opened('right'), opened('product')],
    [opened('right2'), opened('product2')],
  ] as const) {
    left.forEach((each, index) => {
      if (multiply16(each, right[index]!) !== product[index]) throw new Error(`triple ${index} does not multiply`);
    });
  }
}

/** In GF(2)[X]/(X^4+X+1). */
function multiply16(left: number, right: number): number {
  let product = 0;
  for (let bit = 0; bit < 4; bit++) if ((right >> bit) & 1) product ^= left << bit;
  for (let bit = 6; bit >= 4; bit--) if ((product >> bit) & 1) product ^= 0b10011 << (bit - 4);
  return product;
}
