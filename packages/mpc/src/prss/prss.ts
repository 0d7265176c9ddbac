/**
 * Pseudo-random secret sharing within one session (docs/protocols/sharing.md): shares of random values, of zero and of
 * bounded noise, without a message. The same keys give the same shares, which is what lets a burnt session be
 * recomputed for every party.
 *
 * Every draw names a label; label, kind, ring and family go into the KDF, and a label is drawn once per kind and ring:
 * drawing it again throws, since equal masks on different values would give their difference away.
 */
import type { Gf16, Gr64, Gr128 } from '@keyquorum/kernel/batch';
import type { Kernel } from '@keyquorum/kernel/kernel';
import { createKeystream, type Keystream } from '@keyquorum/kernel/keystream';
import { normalisedWeights, type SmallWeights, smallWeights } from '@keyquorum/kernel/weights';
import { LABELS } from '../labels.ts';
import type { PartyId } from '../transport.ts';
import type { Family } from './family.ts';
import { derive, type PrssKeys } from './keys.ts';

const AES_KEY_BYTES = 16;
const GR64_BYTES = 32;

export interface Prss {
  /** Shares of `count` uniform ring elements, of the family's degree. */
  random64(label: string, count: number): Gr64;
  random128(label: string, count: number): Gr128;
  random16(label: string, count: number): Gf16;
  /** Uniformly random sharings of zero of degree 2t. Family C only. */
  zero64(label: string, count: number): Gr64;
  zero128(label: string, count: number): Gr128;
  zero16(label: string, count: number): Gf16;
  /**
   * Shares of `count` elements of 4 noise samples each: sum over the sets of u_A + beta_A, u_A uniform in [0, 2^width), beta_A
   * one bit. Of the family's degree. The caller adds the constant that centres it (SPEC R11).
   */
  noise64(label: string, width: number, count: number): Gr64;
}

/** `keys` are session keys, of this party or, when a burnt session is recomputed, of any. */
export function createPrss(kernel: Kernel, keys: PrssKeys): Prss {
  const { family, self } = keys;
  const weights = weightsOf(family, self);
  const drawn = new Set<string>();

  function streams(kind: string, label: string): Keystream[] {
    const name = `${kind}/${label}`;
    if (drawn.has(name)) throw new Error(`PRSS: ${name} was drawn before in this session`);
    drawn.add(name);
    return weights.indices.map((index) => {
      const seed = derive(keys.bySubset.get(index)!, LABELS.prssStream, family.name, kind, label);
      const stream = createKeystream(seed.subarray(0, AES_KEY_BYTES));
      seed.fill(0);
      return stream;
    });
  }

  /** sum_{j=1..t} alpha^j T_j with independent PRSS values T_j: degree 2t, zero at 0, otherwise uniform. */
  function zero<E>(draw: (suffix: string) => E, evaluate: (coefficients: E[], point: number) => E, none: E): E {
    if (family.name !== 'C') throw new Error('PRSS: zero sharings come from family C');
    const terms = Array.from({ length: family.degree }, (_, index) => draw(`/${index + 1}`));
    return evaluate([none, ...terms], self);
  }

  const { gr64, gr128, gf16 } = kernel;
  return {
    random64: (label, count) => gr64.prss(streams('random64', label), weights.small, count),
    random128: (label, count) => gr128.prss(streams('random128', label), weights.small, count),
    random16: (label, count) => gf16.prss(streams('random16', label), weights.field, count),
    zero64: (label, count) =>
      zero((j) => gr64.prss(streams('zero64', label + j), weights.small, count), gr64.evaluate, gr64.zeros(count)),
    zero128: (label, count) =>
      zero((j) => gr128.prss(streams('zero128', label + j), weights.small, count), gr128.evaluate, gr128.zeros(count)),
    zero16: (label, count) =>
      zero((j) => gf16.prss(streams('zero16', label + j), weights.field, count), gf16.evaluate, gf16.zeros(count)),
    noise64(label, width, count) {
      let sum = gr64.zeros(count);
      for (const [position, stream] of streams('noise64', label).entries()) {
        const constant = weights.normalised.slice(position * GR64_BYTES, (position + 1) * GR64_BYTES) as Uint8Array;
        sum = gr64.addScaled(sum, constant as Gr64, gr64.noise(stream, width, count));
      }
      return sum;
    },
  };
}

/** Family A2 serves bounded noise only, which small weights would scale. */
const NO_WEIGHTS: SmallWeights = { count: 0, matrices: new Int16Array(0) };

interface PartyWeights {
  readonly indices: readonly number[];
  readonly small: SmallWeights;
  readonly field: Uint8Array;
  /** f_A(alpha_self) over GR(2^64,4): bounded values must not be scaled by the small weights. */
  readonly normalised: Gr64;
}

const weightCache = new Map<string, PartyWeights>();

/** Public constants of a party in a family; computed once, since 13/4 has 495 sets per party. */
function weightsOf(family: Family, self: PartyId): PartyWeights {
  const { name, n, degree, subsets } = family;
  const key = `${name}/${n}/${degree}/${self}`;
  const known = weightCache.get(key);
  if (known) return known;
  const own = subsets.flatMap((subset, index) => (subset.includes(self) ? [{ subset, index }] : []));
  const members = own.map(({ subset }) => subset);
  const made = {
    indices: own.map(({ index }) => index),
    small: name === 'C' ? smallWeights(members, n, self) : NO_WEIGHTS,
    field: normalisedWeights(members, n, self, 'gf16'),
    normalised: normalisedWeights(members, n, self, 'gr64'),
  };
  weightCache.set(key, made);
  return made;
}
