/**
 * Keystream to ring elements: pseudo-random sharing with small weights, and bounded noise (docs/protocols/prss.md).
 *
 * prss: the 4*w/8 keystream bytes of an element are signed 16-bit limbs, index limb*4 + coefficient; the element is
 * sum_limb limb * 2^(16*limb), a bijection of uniform bytes. This layout lets one SIMD dot product apply a 4x4 integer
 * matrix, which is cheaper than the AES that fed it.
 */
import type { Gr64, Gr128 } from './batch.ts';
import type { RingContext } from './context.ts';
import { KernelError, requireRange } from './errors.ts';
import type { Keystream } from './keystream.ts';
import type { Scratch } from './memory.ts';
import { eraseBuffer } from './release.ts';
import type { SmallWeights } from './weights.ts';

const CHUNK_KEYSTREAM_BYTES = 64 * 1024; // shorter reads are dominated by the call into OpenSSL
const PAIR_WEIGHT_BYTES = 128; // two subsets, 4 rows of 8 i16
const MAX_COUNT = 2 ** 26;

export function prss<E extends Gr64 | Gr128>(
  context: RingContext,
  streams: readonly Keystream[],
  weights: SmallWeights,
  count: number,
): E {
  const { bytesPerElement, ring, memory } = context;
  requireRange('count', count, 0, MAX_COUNT);
  if (streams.length !== weights.count) {
    throw new KernelError('BATCH_LENGTH', `prss: ${streams.length} keystreams for ${weights.count} weights`);
  }
  const out = new Uint8Array(count * bytesPerElement);
  const size = Math.min(out.length, CHUNK_KEYSTREAM_BYTES);
  memory.use((scratch) => {
    const sum = sumOfPairs(context, scratch, streams, weights, size);
    const result = scratch.reserve(size);
    for (let first = 0; first < out.length; first += size) {
      const bytes = Math.min(size, out.length - first);
      ring.fold(result, sum(bytes), bytes / bytesPerElement);
      scratch.read(result, out.subarray(first, first + bytes));
    }
  });
  return out as unknown as E;
}

/** Returns a function that accumulates the next `bytes` <= `size` of every stream and returns the accumulator. */
function sumOfPairs(
  { wasm }: RingContext,
  scratch: Scratch,
  streams: readonly Keystream[],
  weights: SmallWeights,
  size: number,
): (bytes: number) => number {
  const table = pairTable(weights);
  const rows = scratch.reserve(table.length);
  scratch.write(rows, table);
  const [left, right] = [scratch.reserve(size), scratch.reserve(size)];
  const accumulator = scratch.reserve(4 * size); // 4 rows of i32 lanes per vector of keystream
  return (bytes) => {
    scratch.zero(accumulator, 4 * bytes);
    for (let s = 0; s < streams.length; s += 2) {
      copyKeystream(scratch, left, streams[s]!, bytes);
      const second = streams[s + 1]; // the last of an odd number is paired with zero weights
      if (second) copyKeystream(scratch, right, second, bytes);
      wasm.prssAccumulate(accumulator, left, right, rows + (s / 2) * PAIR_WEIGHT_BYTES, bytes / 16);
    }
    return accumulator;
  };
}

export function noise<E extends Gr64 | Gr128>(
  context: RingContext,
  stream: Keystream,
  width: number,
  count: number,
): E {
  const { bytesPerElement, wordBytes, wasm, memory } = context;
  requireRange('noise width', width, 1, 62);
  requireRange('count', count, 0, MAX_COUNT);
  const step = Math.ceil((width + 1) / 8);
  const out = new Uint8Array(count * bytesPerElement);
  const size = Math.min(count, CHUNK_KEYSTREAM_BYTES / bytesPerElement);
  memory.use((scratch) => {
    const keystream = scratch.reserve(4 * step * size);
    const result = scratch.reserve(size * bytesPerElement);
    for (let first = 0; first < count; first += size) {
      const items = Math.min(size, count - first);
      copyKeystream(scratch, keystream, stream, 4 * step * items);
      wasm.noiseWords(result, keystream, step, width, wordBytes, 4 * items);
      scratch.read(result, out.subarray(first * bytesPerElement, (first + items) * bytesPerElement));
    }
  });
  return out as unknown as E;
}

/** Fills memory at the address with the next bytes of the stream. */
export function copyKeystream(scratch: Scratch, address: number, stream: Keystream, bytes: number): void {
  const block = stream.read(bytes);
  scratch.write(address, block);
  eraseBuffer(block);
}

/** Short calls at n=13 would spend most of their time on laying out the weights. */
const tables = new WeakMap<SmallWeights, Uint8Array>();

function pairTable(weights: SmallWeights): Uint8Array {
  const table = tables.get(weights) ?? layOut(weights);
  tables.set(weights, table);
  return table;
}

/** The layout of assembly/prss.ts: per pair of subsets, per subset 4 rows, each row twice. Padded to whole pairs. */
function layOut({ count, matrices }: SmallWeights): Uint8Array {
  const pairs = Math.ceil(count / 2);
  const view = new DataView(new ArrayBuffer(pairs * PAIR_WEIGHT_BYTES));
  matrices.forEach((weight, i) => {
    const at = (i >> 2) * 16 + (i & 3) * 2; // row i>>2 of all rows, column i&3
    view.setInt16(at, weight, true);
    view.setInt16(at + 8, weight, true);
  });
  return new Uint8Array(view.buffer);
}
