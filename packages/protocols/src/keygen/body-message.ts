/**
 * A party's message for one chunk of bodies (docs/protocols/key-generation.md, step K4): shares of the rows, of their
 * noise, and of zero, which hides all but the opened bodies themselves. A function of the session's PRSS keys and of
 * what was opened before. Degree 2t.
 */
import { asGr64, asGr128, type Gr64, type Gr128 } from '@keyquorum/kernel/batch';
import type { Kernel } from '@keyquorum/kernel/kernel';
import { eraseBuffer } from '@keyquorum/kernel/release';
import type { Ring } from '@keyquorum/kernel/ring';
import type { Prss } from '@keyquorum/mpc/prss/prss';
import { decodeDetected } from '@keyquorum/mpc/sharing/detected';
import type { PartyId } from '@keyquorum/mpc/transport';
import type { KeySetComponent } from '@keyquorum/tfhe/key-set-components';
import { type BodyChunk, PACKED } from './chunks.ts';
import { powerOfTwo, replace } from './elements.ts';
import { bitsPerSample, centring, componentNoise, type JointNoise } from './noise.ts';
import type { RowMaker } from './rows.ts';

const GR64_BYTES = 32;
const WORD_BYTES = 8;

/** Key families of the session: C for zero sharings and bits, A2 for noise. */
export interface SessionPrss {
  readonly c: Prss;
  readonly a2: Prss;
}

export interface ChunkSecrets {
  readonly prss: SessionPrss;
  readonly rows: RowMaker;
  /** Shares of the component's joint noise bits, sample by sample; empty when its noise needs none. */
  readonly noiseBits: Gr64;
  /** Sets of family A2. */
  readonly noiseSets: number;
}

/** Joint bits that the noise of a component takes. */
export function noiseBitCount(component: KeySetComponent, noiseSets: number): number {
  const samples = component.rowCount * component.shape.polynomialSize;
  return samples * bitsPerSample(componentNoise(component, noiseSets));
}

/** Shares of the chunk's packed bodies, as they go on the wire. */
export function bodyMessage(kernel: Kernel, chunk: BodyChunk, secrets: ChunkSecrets): Uint8Array {
  const { component, elements, index } = chunk;
  const { prss, rows, noiseBits, noiseSets } = secrets;
  const noise = componentNoise(component, noiseSets);
  const label = `body/${index}`;
  const noiseLabels = Array.from({ length: noise.termsPerSet }, (_, term) => `${label}/${term}`);
  const bodies = rows.rows(chunk.firstRow, chunk.rows);
  const offset = centring(noise, noiseSets);
  const width = noise.prssBits ?? 0; // without PRSS noise there are no terms to draw
  if (component.wordBytes === 16) {
    const ring = kernel.gr128;
    return sumOf(ring, everyCoefficient(offset, { wordBytes: 16, elements }), [
      asGr128(bodies),
      prss.c.zero128(label, elements),
      ...noiseLabels.map((each) => prss.a2.noise128(each, width, elements)),
    ]);
  }
  const ring = kernel.gr64;
  return sumOf(ring, everyCoefficient(offset, { wordBytes: 8, elements }), [
    asGr64(bodies),
    prss.c.zero64(label, elements),
    ...noiseLabels.map((each) => prss.a2.noise64(each, width, elements)),
    ...(bitsPerSample(noise) === 0 ? [] : [jointPart(kernel, chunk, noiseBits, noise)]),
  ]);
}

/** Opens a chunk: its bodies as words, or undefined when the shares are inconsistent. */
export function openBodyChunk(
  kernel: Kernel,
  { component }: BodyChunk,
  messages: ReadonlyMap<PartyId, Uint8Array>,
  opening: { expected: readonly PartyId[]; t: number },
): Uint8Array | undefined {
  const opened =
    component.wordBytes === 16
      ? decodeDetected(kernel, 'gr128', mapValues(messages, asGr128), opening)
      : decodeDetected(kernel, 'gr64', mapValues(messages, asGr64), opening);
  return opened.kind === 'opened' ? opened.values : undefined; // packed coefficients stand in order: they are the words
}

/** The part of the noise that comes from joint bits: a multiple of 2^prssBits, or a whole TUniform. Packed. */
function jointPart(kernel: Kernel, chunk: BodyChunk, noiseBits: Gr64, noise: JointNoise): Gr64 {
  const { gr64 } = kernel;
  const { jointBits, prssBits } = noise;
  const size = chunk.component.shape.polynomialSize;
  const [first, count] = [chunk.firstRow * size, chunk.rows * size];
  const cut = (width: number, from: number): Gr64 =>
    asGr64(noiseBits.slice((from + first * width) * GR64_BYTES, (from + (first + count) * width) * GR64_BYTES));
  const samples = gr64.zeros(PACKED * chunk.elements);
  if (prssBits !== undefined) {
    const bits = cut(jointBits, 0);
    const integers = gr64.combineBits(bits, jointBits);
    replace(gr64, samples, 0, gr64.scale(powerOfTwo(gr64, WORD_BYTES, prssBits), integers));
    for (const secret of [bits, integers]) eraseBuffer(secret);
  } else {
    const single = cut(1, 0); // b_0 of every sample of the component stands before all others
    const bits = cut(jointBits, chunk.component.rowCount * size);
    const integers = gr64.combineBits(bits, jointBits);
    replace(gr64, samples, 0, gr64.add(single, integers));
    for (const secret of [single, bits, integers]) eraseBuffer(secret);
  }
  const packed = gr64.pack4(samples);
  eraseBuffer(samples);
  return packed;
}

/** A public constant and secret terms, which are erased. */
function sumOf<E extends Gr64 | Gr128>(ring: Ring<E>, constant: E, terms: readonly E[]): E {
  let sum = constant;
  for (const term of terms) {
    const next = ring.add(sum, term);
    eraseBuffer(term);
    if (sum !== constant) eraseBuffer(sum);
    sum = next;
  }
  return sum;
}

/** The constant of the last chunk: nearly always that of the next one. */
let lastConstant = { name: '', batch: new Uint8Array(0) };

/** Elements that have the public integer in all four coefficients; only to be read. */
function everyCoefficient<E extends Gr64 | Gr128>(
  value: bigint,
  { wordBytes, elements }: { wordBytes: 8 | 16; elements: number },
): E {
  const name = `${value}/${wordBytes}/${elements}`;
  if (lastConstant.name !== name) {
    const words = new BigUint64Array((wordBytes / 8) * PACKED * elements).fill(BigInt.asUintN(64, value));
    const high = value < 0n ? 2n ** 64n - 1n : 0n;
    if (wordBytes === 16) for (let at = 1; at < words.length; at += 2) words[at] = high;
    lastConstant = { name, batch: new Uint8Array(words.buffer) };
  }
  return lastConstant.batch as Uint8Array as E;
}

function mapValues<A, B>(map: ReadonlyMap<PartyId, A>, change: (value: A) => B): Map<PartyId, B> {
  return new Map([...map].map(([party, value]) => [party, change(value)]));
}
