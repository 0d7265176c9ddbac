/** Bytes of payload by formula, without the framing of links: per LWE ciphertext, per key, per set of PRSS keys. */

import { COMPARISON } from '@keyquorum/mpc/circuit/plan';
import { familyA2, familyC } from '@keyquorum/mpc/prss/family';
import { bodyBytesMax } from '@keyquorum/mpc/prss/init-messages';
import { createScope } from '@keyquorum/mpc/prss/init-scope';
import { valuesBytes } from '@keyquorum/protocols/decryption/preprocessing';
import { jointNoise } from '@keyquorum/protocols/keygen/noise';
import { bodyMessageBytes } from '@keyquorum/protocols/keygen/public-key-body';
import { bitsMessageBytes } from '@keyquorum/protocols/keygen/secret-bits';
import { lweDimensionOf, type ParameterSet } from '@keyquorum/tfhe/parameters';
import { jointNoiseBits } from './noise.ts';
import type { Size } from './thresholds.ts';

const SIGNATURE_BYTES = 64;
const VOTE_BYTES = 32 + SIGNATURE_BYTES;
const PROBE_BYTES = 32;
/** Bundles of the batch that the per-bundle overhead is spread over. */
const BATCH = 1024;

/** Sent per bundle and link while preprocessing: shares, and its part of probe, signature and COMPLETE vote. */
export function offlineBytesPerLink(): number {
  return (valuesBytes(BATCH) + PROBE_BYTES + SIGNATURE_BYTES + VOTE_BYTES) / BATCH;
}

/** GF(16) elements opened per ciphertext in the comparison: two per gate, three where it has two products. */
export function comparisonNibbles(): number {
  const gates = COMPARISON.levels.flatMap((level) => level.gates);
  return gates.reduce((sum, { second }) => sum + (second === undefined ? 2 : 3), 0);
}

/** Sent per ciphertext and link while decrypting: masked phase (four to an element), comparison, four message bits. */
export function onlineBytesPerLink(): number {
  return 8 + comparisonNibbles() / 2 + 2;
}

/** Sent per party while binding one proposal that holds one run of ciphertexts: by its owner, and by everybody. */
export function bindingBytes({ n }: Size): { propose: number; echo: number } {
  const proposal = 32 + 1 + 4 + 4 + 8 + 108;
  return { propose: (n - 1) * proposal, echo: (n - 1) * VOTE_BYTES };
}

/** Sent per party in steps K3 and K4 of a key generation. */
export function keygenBytes(parameters: ParameterSet, { n, t }: Size): { bits: number; body: number } {
  const { pke, lwe, glwe } = parameters;
  const key = pke.dimension + lwe.dimension + lweDimensionOf(glwe);
  const counts = {
    key,
    noise: jointNoiseBits(parameters, jointNoise(pke.noiseBoundLog2, familyA2({ n, t }).subsets.length)),
  };
  const signed = SIGNATURE_BYTES + VOTE_BYTES;
  return {
    bits: (n - 1) * (bitsMessageBytes(counts) + signed),
    body: (n - 1) * (bodyMessageBytes(pke.dimension) + signed),
  };
}

/** Sent per party in the three broadcasts of PRSS-Init, relays of other parties' values not counted. */
export function initBytes({ n, t }: Size, families: 'epoch' | 'key'): number {
  const roster = { network: '', n, t, publicKeys: Array.from({ length: n }, () => new Uint8Array(32)) };
  const chosen = families === 'epoch' ? [familyC(roster)] : [familyC(roster), familyA2(roster)];
  const scope = createScope({ session: '00'.repeat(32), roster }, chosen, new Uint8Array(0));
  const [announcement, contribution] = bodyBytesMax(scope);
  return (n - 1) * (announcement + contribution + 33 + 3 * SIGNATURE_BYTES); // 33: a list of no complaints
}
