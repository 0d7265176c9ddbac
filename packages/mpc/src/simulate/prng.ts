/**
 * Seeded randomness of a simulation: AES-128 in counter mode under a hash of the seed and a label, so that independent
 * streams come from one number and adding a draw to one stream changes no other. Never for secrets of a real party.
 */
import { type Cipheriv, createCipheriv } from 'node:crypto';
import { sha256 } from '../bytes.ts';

export interface Prng {
  bytes(count: number): Uint8Array;
  /** Uniform in 0..bound-1, bound at most 2^32. */
  below(bound: number): number;
  /** Uniform in [0, 1) with 32 bits. */
  unit(): number;
  chance(probability: number): boolean;
  pick<T>(values: readonly T[]): T;
  /** `count` distinct values in their original order. */
  sample<T>(values: readonly T[], count: number): T[];
  /** An independent stream. */
  fork(label: string): Prng;
}

const ZEROS = new Uint8Array(4096);

export function createPrng(seed: number | string): Prng {
  const key = sha256(new TextEncoder().encode(`keyquorum simulation ${seed}`));
  const stream: Cipheriv = createCipheriv('aes-128-ctr', key.subarray(0, 16), key.subarray(16));
  let block = Buffer.alloc(0);
  let used = 0;

  const bytes = (count: number): Uint8Array => {
    const result = new Uint8Array(count);
    for (let at = 0; at < count; ) {
      if (used === block.length) {
        block = stream.update(ZEROS);
        used = 0;
      }
      const part = block.subarray(used, used + Math.min(count - at, block.length - used));
      result.set(part, at);
      used += part.length;
      at += part.length;
    }
    return result;
  };
  const word = () => new DataView(bytes(4).buffer).getUint32(0, true);
  const below = (bound: number) => Math.floor((word() / 2 ** 32) * bound);

  return {
    bytes,
    below,
    unit: () => word() / 2 ** 32,
    chance: (probability) => word() / 2 ** 32 < probability,
    pick(values) {
      if (values.length === 0) throw new RangeError('pick: no values');
      return values[below(values.length)] as (typeof values)[number]; // below() is an index of the array
    },
    sample(values, count) {
      const order = values.map((value, index) => ({ value, index, rank: word() }));
      const chosen = order.sort((left, right) => left.rank - right.rank).slice(0, count);
      return chosen.sort((left, right) => left.index - right.index).map(({ value }) => value);
    },
    fork: (label) => createPrng(`${seed}/${label}`),
  };
}
