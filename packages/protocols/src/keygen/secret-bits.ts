/**
 * The jointly generated bits of a key generation, in one message (SPEC R9): bits of keys live modulo 2^128, so that the
 * 128-bit parts of the key set can use the same bits; bits of noise modulo 2^64.
 * Message and values: key bits, 64 bytes each | noise bits, 32 bytes each.
 */
import type { Gr64, Gr128 } from '@keyquorum/kernel/batch';
import type { Kernel } from '@keyquorum/kernel/kernel';
import type { Prss } from '@keyquorum/mpc/prss/prss';
import {
  type BitAlgebra,
  type BitFormat,
  bitMessage,
  bitMessageBytes,
  bitValues,
  finishBits,
  readBitMessage,
} from '@keyquorum/mpc/sharing/bits';
import { decodeDetected } from '@keyquorum/mpc/sharing/detected';
import type { PartyId } from '@keyquorum/mpc/transport';
import { concat } from '../concat.ts';

export interface BitCounts {
  /** Bits modulo 2^128. */
  readonly key: number;
  /** Bits modulo 2^64. */
  readonly noise: number;
}

export interface SecretBits {
  readonly key: Gr128;
  readonly noise: Gr64;
}

function keyFormat({ key }: BitCounts): BitFormat<'gr128'> {
  return { algebra: 'gr128', count: key, coefficientBytes: 16 };
}

function noiseFormat({ noise }: BitCounts): BitFormat<'gr64'> {
  return { algebra: 'gr64', count: noise, coefficientBytes: 8 };
}

export function bitsMessageBytes(counts: BitCounts): number {
  return bitMessageBytes(keyFormat(counts)) + bitMessageBytes(noiseFormat(counts));
}

/** The message of one party, a function of its keys alone, and the shares behind it. */
export function bitsMessage(
  kernel: Kernel,
  prss: Prss,
  counts: BitCounts,
): { message: Uint8Array; secrets: SecretBits } {
  const key = bitMessage(kernel, prss, 'key-bits', keyFormat(counts));
  const noise = bitMessage(kernel, prss, 'noise-bits', noiseFormat(counts));
  return { message: concat([key.message, noise.message]), secrets: { key: key.a, noise: noise.a } };
}

/** The opened values, or undefined when some element is on no polynomial of degree 2t. */
export function openBits(
  kernel: Kernel,
  messages: ReadonlyMap<PartyId, Uint8Array>,
  { counts, ...opening }: { counts: BitCounts; expected: readonly PartyId[]; t: number },
): Uint8Array | undefined {
  const split = bitMessageBytes(keyFormat(counts));
  const open = <A extends BitAlgebra>(format: BitFormat<A>, from: number, to?: number): Uint8Array | undefined => {
    const parts = [...messages].map(([party, message]) => [party, message.slice(from, to)] as const);
    const shares = new Map(parts.map(([party, part]) => [party, readBitMessage(kernel, part, format)]));
    const opened = decodeDetected(kernel, format.algebra, shares, opening);
    return opened.kind === 'opened' ? bitValues(kernel, opened.values, format) : undefined;
  };
  const key = open(keyFormat(counts), 0, split);
  const noise = open(noiseFormat(counts), split);
  return key && noise && concat([key, noise]);
}

/**
 * Shares of the bits, from the own shares and the opened values.
 * @throws KernelError ROOT_MISSING, which cannot happen after a correct opening: the session is stopped
 */
export function finishSecretBits(
  kernel: Kernel,
  secrets: SecretBits,
  values: Uint8Array,
  counts: BitCounts,
): SecretBits {
  const split = bitMessageBytes(keyFormat(counts));
  return {
    key: finishBits(kernel, secrets.key, values.slice(0, split), keyFormat(counts)),
    noise: finishBits(kernel, secrets.noise, values.slice(split), noiseFormat(counts)),
  };
}
