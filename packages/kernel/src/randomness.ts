/**
 * Keystream to ring elements: pseudo-random sharing with small weights, and bounded noise samples (docs/protocols/prss.md).
 *
 * prss: the 4*w/8 keystream bytes of an element are signed 16-bit limbs, index limb*4 + coefficient; the element is
 * sum_limb limb * 2^(16*limb), a bijection of uniform bytes. This layout lets one SIMD dot product apply a 4x4 integer
 * matrix, which is cheaper than the AES that fed it.
 */
import type { Gr64, Gr128 } from './batch.ts';
import { KernelError, requireRange } from './errors.ts';
import type { Keystream } from './keystream.ts';
import type { KernelMemory, Scratch } from './memory.ts';
import type { Ring } from './ring.ts';
import { type KernelExports, ringExports } from './wasm.ts';
import type { SmallWeights } from './weights.ts';

const CHUNK_KEYSTREAM_BYTES = 64 * 1024; // shorter reads are dominated by the call into OpenSSL
const PAIR_WEIGHT_BYTES = 128; // two subsets, 4 rows of 8 i16
const MAX_COUNT = 2 ** 26;

export function createRingRandomness<E extends Gr64 | Gr128>(
  wasm: KernelExports,
  memory: KernelMemory,
  wordBytes: 8 | 16,
): Pick<Ring<E>, 'prss' | 'noise'> {
  const ring = ringExports(wasm, wordBytes === 8 ? 'gr64' : 'gr128');
  const elementBytes = 4 * wordBytes;

  function prss(streams: readonly Keystream[], weights: SmallWeights, count: number): E {
    requireRange('count', count, 0, MAX_COUNT);
    if (streams.length !== weights.count) {
      throw new KernelError('BATCH_LENGTH', `prss: ${streams.length} keystreams for ${weights.count} weights`);
    }
    const out = new Uint8Array(count * elementBytes);
    const size = Math.min(count, CHUNK_KEYSTREAM_BYTES / elementBytes);
    memory.use((scratch) => {
      const rows = pairRows(weights);
      const table = scratch.reserve(rows.length);
      scratch.write(table, rows);
      const keystream = [scratch.reserve(size * elementBytes), scratch.reserve(size * elementBytes)];
      const accumulator = scratch.reserve(4 * size * elementBytes); // 4 rows of i32 lanes per i16 limb pair
      const result = scratch.reserve(size * elementBytes);
      for (let first = 0; first < count; first += size) {
        const items = Math.min(size, count - first);
        const bytes = items * elementBytes;
        scratch.zero(accumulator, 4 * bytes);
        for (let s = 0; s < streams.length; s += 2) {
          copyKeystream(scratch, keystream[0]!, streams[s]!, bytes);
          const next = streams[s + 1]; // the last of an odd number is paired with zero weights
          if (next) copyKeystream(scratch, keystream[1]!, next, bytes);
          wasm.prssAccumulate(
            accumulator,
            keystream[0]!,
            keystream[1]!,
            table + (s / 2) * PAIR_WEIGHT_BYTES,
            bytes / 16,
          );
        }
        ring.fold(result, accumulator, items);
        scratch.read(result, out.subarray(first * elementBytes, first * elementBytes + bytes));
      }
    });
    return out as unknown as E;
  }

  function noise(stream: Keystream, width: number, count: number): E {
    requireRange('noise width', width, 1, 62);
    requireRange('count', count, 0, MAX_COUNT);
    const step = Math.ceil((width + 1) / 8);
    const out = new Uint8Array(count * elementBytes);
    const size = Math.min(count, CHUNK_KEYSTREAM_BYTES / elementBytes);
    memory.use((scratch) => {
      const keystream = scratch.reserve(4 * step * size);
      const result = scratch.reserve(size * elementBytes);
      for (let first = 0; first < count; first += size) {
        const items = Math.min(size, count - first);
        copyKeystream(scratch, keystream, stream, 4 * step * items);
        wasm.noiseWords(result, keystream, step, width, wordBytes, 4 * items);
        scratch.read(result, out.subarray(first * elementBytes, (first + items) * elementBytes));
      }
    });
    return out as unknown as E;
  }

  return { prss, noise };
}

function copyKeystream(scratch: Scratch, address: number, stream: Keystream, bytes: number): void {
  const block = stream.read(bytes);
  scratch.write(address, block);
  block.fill(0);
}

const tables = new WeakMap<SmallWeights, Uint8Array>(); // short calls at n=13 would spend most of their time on the layout

function pairRows(weights: SmallWeights): Uint8Array {
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
