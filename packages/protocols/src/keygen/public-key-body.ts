/**
 * The body B = A * rev(S) + e of the compact public key, on shares (docs/protocols/key-generation.md, step K4). A is
 * public, S the shared key, e the shared noise: everything is linear, four coefficients travel in one ring element, and
 * a zero sharing of degree 2t hides all but the body itself.
 */
import { asGr64, type Gr64, type Gr128 } from '@keyquorum/kernel/batch';
import type { Kernel } from '@keyquorum/kernel/kernel';
import type { Prss } from '@keyquorum/mpc/prss/prss';
import { decodeDetected } from '@keyquorum/mpc/sharing/detected';
import type { PartyId } from '@keyquorum/mpc/transport';
import { bitsPerSample, centring, type JointNoise } from './noise.ts';

const GR64_BYTES = 32;
const COEFFICIENTS_PER_ELEMENT = 4;

export function bodyMessageBytes(dimension: number): number {
  return (GR64_BYTES * dimension) / COEFFICIENTS_PER_ELEMENT;
}

export interface BodyInput {
  /** The polynomial A: N u64, little endian. */
  readonly mask: Uint8Array;
  /** Shares of the N key bits S, modulo 2^64. */
  readonly key: Gr64;
  /** Shares of the joint noise bits, sample by sample. */
  readonly noiseBits: Gr64;
  readonly noise: JointNoise;
}

/** Key families of the session: C for the zero sharing, A2 for the noise. */
export interface BodyPrss {
  readonly zero: Prss;
  readonly noise: Prss;
  readonly noiseFamilySize: number;
}

/** The message of one party: shares of the packed body, of degree 2t. */
export function bodyMessage(
  kernel: Kernel,
  { zero, noise: noisePrss, noiseFamilySize }: BodyPrss,
  input: BodyInput,
): Uint8Array {
  const { gr64, lwe } = kernel;
  const product = lwe.negacyclicProduct(input.mask, reversed(input.key));
  const jointNoise = combineNoiseBits(kernel, input);
  const count = gr64.count(product) / COEFFICIENTS_PER_ELEMENT;
  let body = gr64.add(gr64.pack4(gr64.add(product, jointNoise)), zero.zero64('body', count));
  const { prssBits } = input.noise;
  if (prssBits !== undefined) body = gr64.add(body, noisePrss.noise64('body', prssBits, count));
  return gr64.add(body, everyCoefficient(centring(input.noise, noiseFamilySize), count));
}

/** Opens the body: N u64 little endian, or undefined when the shares are inconsistent. */
export function openBody(
  kernel: Kernel,
  messages: ReadonlyMap<PartyId, Uint8Array>,
  opening: { expected: readonly PartyId[]; t: number },
): Uint8Array | undefined {
  const shares = new Map([...messages].map(([party, message]) => [party, asGr64(message)]));
  const opened = decodeDetected(kernel, 'gr64', shares, opening);
  return opened.kind === 'opened' ? opened.values : undefined; // packed coefficients stand in order: they are the body
}

/** The part of e that comes from joint bits: a multiple of 2^prssBits, or a whole TUniform. */
function combineNoiseBits(kernel: Kernel, { noiseBits, noise }: BodyInput): Gr64 {
  const { gr64 } = kernel;
  const { jointBits, prssBits } = noise;
  if (prssBits !== undefined) {
    return gr64.scale(constant(1n << BigInt(prssBits)), gr64.combineBits(noiseBits, jointBits));
  }
  const perSample = bitsPerSample(noise);
  const samples = gr64.count(noiseBits) / perSample;
  const single = noiseBits.slice(0, samples * GR64_BYTES);
  return gr64.add(asGr64(single), gr64.combineBits(asGr64(noiseBits.slice(samples * GR64_BYTES)), jointBits));
}

/** rev(S): the key's coefficients in opposite order. */
function reversed(key: Gr64): Gr64 {
  const count = key.length / GR64_BYTES;
  const out = new Uint8Array(key.length);
  for (let index = 0; index < count; index++) {
    out.set(key.subarray(index * GR64_BYTES, (index + 1) * GR64_BYTES), (count - 1 - index) * GR64_BYTES);
  }
  return asGr64(out);
}

/** The low 64 bits of every coefficient: shares modulo 2^128 are shares modulo 2^64. */
export function modulo64(kernel: Kernel, shares: Gr128): Gr64 {
  return asGr64(kernel.gr128.toWire(shares, 8));
}

/** The public integer as one ring element. */
function constant(value: bigint): Gr64 {
  const words = BigUint64Array.of(BigInt.asUintN(64, value), 0n, 0n, 0n);
  return asGr64(new Uint8Array(words.buffer));
}

/** Elements that have the public integer in all four coefficients. */
function everyCoefficient(value: bigint, count: number): Gr64 {
  const words = new BigUint64Array(COEFFICIENTS_PER_ELEMENT * count).fill(BigInt.asUintN(64, value));
  return asGr64(new Uint8Array(words.buffer));
}
