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
import { eraseBuffer, releaseBuffer } from '@keyquorum/kernel/release';
import type { Ring } from '@keyquorum/kernel/ring';
import { normalisedWeights, type SmallWeights, smallWeights } from '@keyquorum/kernel/weights';
import { LABELS } from '../labels.ts';
import type { PartyId } from '../transport.ts';
import type { Family } from './family.ts';
import { derive, eraseKeys, type PrssKeys } from './keys.ts';

const AES_KEY_BYTES = 16;

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
   * Shares of `count` elements of 4 noise samples each: sum over the sets of u_A + beta_A, u_A uniform in [0, 2^width),
   * beta_A one bit. Of the family's degree. The caller adds the constant that centres it (SPEC R11).
   */
  noise64(label: string, width: number, count: number): Gr64;
  noise128(label: string, width: number, count: number): Gr128;
  /**
   * Shares of `count` samples of flooding noise, sample i in coordinate i mod 4 of element floor(i/4): sum over the
   * sets of two terms that are uniform in [-2^boundLog2, 2^boundLog2). Of the family's degree.
   */
  flood128(label: string, boundLog2: number, count: number): Gr128;
  /** Overwrites the keys; every later draw throws. */
  erase(): void;
}

/** `keys` are session keys, of this party or, when a burnt session is recomputed, of any. */
export function createPrss(kernel: Kernel, keys: PrssKeys): Prss {
  const { family, self } = keys;
  const { gr64, gr128, gf16 } = kernel;
  const weights = weightsOf(family, self);
  const { draw, erase } = createStreams(keys, weights.indices);

  /** sum_{j=1..t} alpha^j T_j with independent PRSS values T_j: degree 2t, zero at 0, otherwise uniform. */
  function zero<E extends Uint8Array>(
    value: (streams: Keystream[]) => E,
    { kind, label }: { kind: string; label: string },
    ring: { zeros(count: number): E; evaluate(coefficients: E[], point: number): E },
    count: number,
  ): E {
    if (family.name !== 'C') throw new Error('PRSS: zero sharings come from family C');
    const streams = draw(kind, label);
    const terms = Array.from({ length: family.degree }, () => value(streams)); // part after part of the streams
    const nothing = ring.zeros(count);
    const shares = ring.evaluate([nothing, ...terms], self);
    releaseBuffer(nothing);
    for (const term of terms) eraseBuffer(term);
    return shares;
  }

  const value64 = (count: number) => (streams: Keystream[]) => gr64.prss(streams, weights.small, count);
  const value128 = (count: number) => (streams: Keystream[]) => gr128.prss(streams, weights.small, count);
  const value16 = (count: number) => (streams: Keystream[]) => gf16.prss(streams, weights.field, count);
  return {
    random64: (label, count) => value64(count)(draw('random64', label)),
    random128: (label, count) => value128(count)(draw('random128', label)),
    random16: (label, count) => value16(count)(draw('random16', label)),
    zero64: (label, count) => zero(value64(count), { kind: 'zero64', label }, gr64, count),
    zero128: (label, count) => zero(value128(count), { kind: 'zero128', label }, gr128, count),
    zero16: (label, count) => zero(value16(count), { kind: 'zero16', label }, gf16, count),
    noise64: (label, width, count) =>
      sumOverSets(gr64, draw('noise64', label), weights.normalised64, (stream) => gr64.noise(stream, width, count)),
    noise128: (label, width, count) =>
      sumOverSets(gr128, draw('noise128', label), weights.normalised128, (stream) => gr128.noise(stream, width, count)),
    flood128: (label, boundLog2, count) =>
      sumOverSets(gr128, draw('flood128', label), weights.normalised128, (stream) =>
        kernel.floodSamples(stream, { boundLog2, count }),
      ),
    erase,
  };
}

/** sum over the sets, of which every party has some, of factor * samples; `factors`: one element per set. */
function sumOverSets<E extends Gr64 | Gr128>(
  ring: Ring<E>,
  streams: readonly Keystream[],
  factors: E,
  samplesOf: (stream: Keystream) => E,
): E {
  const bytes = ring.bytesPerElement;
  let sum: E | undefined;
  for (const [position, stream] of streams.entries()) {
    const factor = factors.subarray(position * bytes, (position + 1) * bytes) as Uint8Array as E;
    const samples = samplesOf(stream);
    const before: E | undefined = sum;
    sum = before ? ring.addScaled(before, factor, samples) : ring.scale(factor, samples);
    eraseBuffer(samples);
    if (before) eraseBuffer(before);
  }
  return sum!;
}

/** One keystream per set of the party for each (kind, label), once. */
function createStreams(keys: PrssKeys, indices: readonly number[]) {
  const drawn = new Set<string>();
  let erased = false;
  function draw(kind: string, label: string): Keystream[] {
    const name = `${kind}/${label}`;
    if (erased) throw new Error(`PRSS: ${name} after the keys were erased`);
    if (drawn.has(name)) throw new Error(`PRSS: ${name} was drawn before in this session`);
    drawn.add(name);
    return indices.map((index) => {
      const seed = derive(keys.bySubset.get(index)!, LABELS.prssStream, keys.family.name, kind, label);
      const stream = createKeystream(seed.subarray(0, AES_KEY_BYTES));
      seed.fill(0);
      return stream;
    });
  }
  function erase(): void {
    erased = true; // a key of zeros must never make a share
    eraseKeys(keys);
  }
  return { draw, erase };
}

/** Family A2 serves bounded noise only, which small weights would scale. */
const NO_WEIGHTS: SmallWeights = { count: 0, matrices: new Int16Array(0) };

interface PartyWeights {
  readonly indices: readonly number[];
  readonly small: SmallWeights;
  readonly field: Uint8Array;
  /** f_A(alpha_self) in both rings: bounded values must not be scaled by the small weights. */
  readonly normalised64: Gr64;
  readonly normalised128: Gr128;
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
    normalised64: normalisedWeights(members, n, self, 'gr64'),
    normalised128: normalisedWeights(members, n, self, 'gr128'),
  };
  weightCache.set(key, made);
  return made;
}
