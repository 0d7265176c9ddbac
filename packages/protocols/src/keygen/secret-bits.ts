/**
 * Jointly generated secret bits (SPEC R9): each party's message is a^2 + a + z for PRSS-shared uniform a and a zero sharing z
 * of degree 2t; the opened value has exactly the two roots a and -1-a, and which of them a is, nobody knows. Bits of keys
 * live modulo 2^128, so that the 128-bit parts of the key set can use the same bits; bits of noise modulo 2^64.
 */
import { asGr64, asGr128, type Gr64, type Gr128 } from '@keyquorum/kernel/batch';
import type { Kernel } from '@keyquorum/kernel/kernel';
import { openingMatrix } from '@keyquorum/kernel/lagrange';
import type { Prss } from '@keyquorum/mpc/prss/prss';
import type { PartyId } from '@keyquorum/mpc/transport';

export interface BitCounts {
  /** Bits modulo 2^128. */
  readonly key: number;
  /** Bits modulo 2^64. */
  readonly noise: number;
}

const GR128_BYTES = 64;
const GR64_BYTES = 32;

export function bitsMessageBytes({ key, noise }: BitCounts): number {
  return GR128_BYTES * key + GR64_BYTES * noise;
}

export interface BitSecrets {
  readonly key: Gr128;
  readonly noise: Gr64;
}

/** The message of one party, and its shares of the values behind it. A function of the party's keys alone. */
export function bitsMessage(
  kernel: Kernel,
  prss: Prss,
  counts: BitCounts,
): { message: Uint8Array; secrets: BitSecrets } {
  const key = prss.random128('key-bits', counts.key);
  const noise = prss.random64('noise-bits', counts.noise);
  const { gr128, gr64 } = kernel;
  const keyOpening = gr128.add(gr128.add(gr128.mul(key, key), key), prss.zero128('key-bits', counts.key));
  const noiseOpening = gr64.add(gr64.add(gr64.mul(noise, noise), noise), prss.zero64('noise-bits', counts.noise));
  const message = new Uint8Array(bitsMessageBytes(counts));
  message.set(keyOpening);
  message.set(noiseOpening, keyOpening.length);
  return { message, secrets: { key, noise } };
}

/** The opened values, or undefined when some element is on no polynomial of degree 2t. */
export function openBits(
  kernel: Kernel,
  messages: ReadonlyMap<PartyId, Uint8Array>,
  { counts, t }: { counts: BitCounts; t: number },
): Uint8Array | undefined {
  const parties = [...messages.keys()].sort((left, right) => left - right);
  const split = GR128_BYTES * counts.key;
  const part = (from: number, to?: number) => parties.map((party) => messages.get(party)!.slice(from, to));
  const key = kernel.gr128.open(openingMatrix(parties, 2 * t, 'gr128'), part(0, split).map(asGr128));
  const noise = kernel.gr64.open(openingMatrix(parties, 2 * t, 'gr64'), part(split).map(asGr64));
  if (key.firstInconsistent >= 0 || noise.firstInconsistent >= 0) return undefined;
  const values = new Uint8Array(bitsMessageBytes(counts));
  values.set(key.values);
  values.set(noise.values, split);
  return values;
}

/** Shares of the bits, from the own shares and the opened values. @throws KernelError ROOT_MISSING, which cannot happen
 * after a correct opening: the session is stopped. */
export function finishSecretBits(kernel: Kernel, { key, noise }: BitSecrets, values: Uint8Array): BitSecrets {
  const split = key.length;
  return {
    key: kernel.gr128.bitShares(key, asGr128(values.slice(0, split))),
    noise: kernel.gr64.bitShares(noise, asGr64(values.slice(split))),
  };
}
