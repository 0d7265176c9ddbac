/** Bytes of payload by formula, without the framing of links: per LWE ciphertext, per key, per set of PRSS keys. */

import { COMPARISON } from '@keyquorum/mpc/circuit/plan';
import { familyA2, familyC } from '@keyquorum/mpc/prss/family';
import { bodyBytesMax } from '@keyquorum/mpc/prss/init-messages';
import { createScope } from '@keyquorum/mpc/prss/init-scope';
import { bitMessageBytes } from '@keyquorum/mpc/sharing/bits';
import { bodiesSent, kingsOf } from '@keyquorum/protocols/closed/kings';
import { valuesBytes } from '@keyquorum/protocols/decryption/preprocessing';
import { componentNoise } from '@keyquorum/protocols/keygen/noise';
import {
  type ComponentPlan,
  keySetComponents,
  type OptionalPart,
  type SecretKeyName,
  secretKeyBits,
} from '@keyquorum/tfhe/key-set-components';
import type { ParameterSet } from '@keyquorum/tfhe/parameters';
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

export interface KeygenTraffic {
  readonly keyBits: number;
  readonly noiseBits: number;
  /** Sent per party in K3: shares modulo 2^128 of key bits, modulo 2^64 of noise bits. */
  readonly bitsBytes: number;
  /** Sent per party in K4, shares to kings and values by kings: four coefficients in each element. */
  readonly bodyBytes: number;
}

/** The two openings of a key generation. Signatures, votes and frames are left out: they do not grow with the key. */
export function keygenTraffic(set: ParameterSet, parts: readonly OptionalPart[], { n, t }: Size): KeygenTraffic {
  const familySize = familyA2({ n, t }).subsets.length;
  const components = keySetComponents(set, parts);
  const keys = new Set(components.flatMap(({ outputKey, content }) => [outputKey, ...inputKeyOf(content)]));
  const sum = (counts: readonly number[]): number => counts.reduce((total, count) => total + count, 0);
  const keyBits = sum([...keys].map((key) => secretKeyBits(set, key)));
  const noiseBits = sum(components.map((plan) => jointNoiseBits(plan, componentNoise(plan, familySize))));
  const perLink =
    bitMessageBytes({ count: keyBits, coefficientBytes: 16 }) +
    bitMessageBytes({ count: noiseBits, coefficientBytes: 8 });
  const bodyBytes = sum(components.map((component) => component.bodyBytes));
  return { keyBits, noiseBits, bitsBytes: (n - 1) * perLink, bodyBytes: bodiesPerParty({ n, t }) * bodyBytes };
}

/** Bodies of one's own size that a party sends while each party has had its turns as a king. */
function bodiesPerParty({ n, t }: Size): number {
  const parties = Array.from({ length: n }, (_, index) => index + 1);
  const sent = parties.reduce((sum, _, step) => sum + bodiesSent(kingsOf(parties, t, step), 1), 0);
  return sent / n;
}

function inputKeyOf(content: ComponentPlan['content']): SecretKeyName[] {
  return content.kind === 'zero' ? [] : [content.inputKey];
}

/** Sent per party in the three broadcasts of PRSS-Init, relays of other parties' values not counted. */
export function initBytes({ n, t }: Size, families: 'epoch' | 'key'): number {
  const roster = { network: '', n, t, publicKeys: Array.from({ length: n }, () => new Uint8Array(32)) };
  const chosen = families === 'epoch' ? [familyC(roster)] : [familyC(roster), familyA2(roster)];
  const scope = createScope({ session: '00'.repeat(32), roster }, chosen, new Uint8Array(0));
  const [announcement, contribution] = bodyBytesMax(scope);
  return (n - 1) * (announcement + contribution + 33 + 3 * SIGNATURE_BYTES); // 33: a list of no complaints
}
