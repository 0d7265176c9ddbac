/** Noise that hides what is left of a ciphertext's own: bounded samples of 100 bits and more, modulo 2^128. */
import type { Gr128 } from './batch.ts';
import type { RingContext } from './context.ts';
import { requireRange } from './errors.ts';
import type { Keystream } from './keystream.ts';
import { copyKeystream } from './randomness.ts';

const WORD_BYTES = 16;
const COORDINATES = 4;
/** Two terms a sample, one word each. */
const KEYSTREAM_BYTES = 2 * WORD_BYTES;
/** Samples at once: bounds memory. */
const CHUNK_SAMPLES = 2048;
const MAX_COUNT = 2 ** 20;

/**
 * `count` samples, each the sum of two that are uniform in [-2^boundLog2, 2^boundLog2): sample i stands in coordinate
 * i mod 4 of element floor(i/4), and coordinates behind the last are 0. Reads 32 keystream bytes a sample; in constant
 * time. boundLog2 64..125.
 */
export function floodSamples(
  { wasm, memory }: RingContext,
  stream: Keystream,
  { boundLog2, count }: { boundLog2: number; count: number },
): Gr128 {
  requireRange('bound', boundLog2, 64, 125);
  requireRange('count', count, 0, MAX_COUNT);
  const out = new Uint8Array(Math.ceil(count / COORDINATES) * COORDINATES * WORD_BYTES);
  memory.use((scratch) => {
    const size = Math.min(count, CHUNK_SAMPLES);
    const [keystream, result] = [scratch.reserve(KEYSTREAM_BYTES * size), scratch.reserve(WORD_BYTES * size)];
    for (let first = 0; first < count; first += size) {
      const samples = Math.min(size, count - first);
      copyKeystream(scratch, keystream, stream, KEYSTREAM_BYTES * samples);
      wasm.floodWords(result, keystream, boundLog2 + 1, samples);
      scratch.read(result, out.subarray(WORD_BYTES * first, WORD_BYTES * (first + samples)));
    }
  });
  return out as unknown as Gr128;
}
