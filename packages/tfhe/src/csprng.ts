/**
 * The public random stream behind every seeded key and ciphertext: tfhe-csprng 0.9, AES-128 with a little-endian block
 * counter. Byte i of the stream is AES_K(LE128((i >> 4) + offset))[i & 15]; words are consecutive bytes, little endian.
 * Everything derived here is public (masks); the seed is jointly sampled or chosen by an encryptor. About 1.2 GB/s.
 */
import { type Cipheriv, createCipheriv } from 'node:crypto';
import { releaseBuffer } from '@keyquorum/kernel/release';
import { lweDimensionOf, type ParameterSet } from './parameters.ts';
import type { CompressionSeed } from './schema/core.ts';

const BLOCK_BYTES = 16;
/** Counter blocks encrypted per call: big enough to hide the call, small enough for the cache. */
const BATCH_BLOCKS = 4096;
/** One read allocates its result: the largest mask read in one piece is far below. */
const MAX_READ_BYTES = 2 ** 30;

/** Domain separator of a key set's one public stream: the Xof seed data is this, then the 16-byte seed. */
export const KEY_STREAM_LABEL = 'TFHE_GEN';

export interface MaskStream {
  /** Index of the next byte, counted from the start of the table (not from where this stream was opened). */
  readonly position: bigint;
  /** The next `byteCount` bytes, in their own buffer. */
  read(byteCount: number): Uint8Array<ArrayBuffer>;
  /** Fills `output` with the next bytes: long streams are read without a new buffer for each piece. */
  fill(output: Uint8Array): void;
}

/**
 * The stream of an Xof seed, from byte `position` on.
 * @param xofSeedData 8-byte domain separator, then the seed
 */
export function createMaskStream(xofSeedData: Uint8Array, position: bigint | number = 0n): MaskStream {
  const { key, offset } = xofKey(xofSeedData);
  return counterStream(key, offset, BigInt(position));
}

/** The stream that a serialised object names: either kind of seed, of tfhe-rs before and since 1.6. */
export function createSeededStream(seed: CompressionSeed): MaskStream {
  // Before 1.6 a seed had no index and its first byte was skipped.
  if (seed.version === 0) return counterStream(littleEndian(seed.value.seed), 0n, 1n);
  const { seed: kind, firstIndex } = seed.value.inner;
  const position = firstIndex.aesIndex * BigInt(BLOCK_BYTES) + BigInt(firstIndex.byteIndex);
  if (kind.kind === 'Ctr') return counterStream(littleEndian(kind.value), 0n, position);
  return createMaskStream(kind.value.data, position);
}

/** Seed data of a key set's stream: "TFHE_GEN", then the 16 bytes of the joint seed (a little-endian u128). */
export function keyStreamSeedData(seed: Uint8Array): Uint8Array<ArrayBuffer> {
  if (seed.length !== 16) throw new RangeError(`key stream seed: got ${seed.length} bytes, want 16`);
  const data = new Uint8Array(KEY_STREAM_LABEL.length + seed.length);
  data.set(new TextEncoder().encode(KEY_STREAM_LABEL));
  data.set(seed, KEY_STREAM_LABEL.length);
  return data;
}

/** How an object made from a key set's stream names the byte `position` of its first mask. */
export function keyStreamCompressionSeed(seed: Uint8Array, position: bigint | number): CompressionSeed {
  const at = BigInt(position);
  const kind = { kind: 'Xof' as const, value: { data: keyStreamSeedData(seed) } };
  const firstIndex = { aesIndex: at >> 4n, byteIndex: Number(at & 15n) };
  return { version: 1, value: { inner: { seed: kind, firstIndex } } };
}

/** A public component of a key set, in the order in which its masks are drawn from the one stream. */
export type KeyStreamComponent =
  | 'compact-public-key'
  | 'compression-packing-key'
  | 'decompression-key'
  | 'key-switching-key'
  | 'bootstrapping-key'
  | 'modulus-switch-zeros'
  | 'noise-squashing-key'
  | 'noise-squashing-zeros'
  | 'casting-key'
  | 'rerandomization-key'
  | 'noise-squashing-compression-key'
  | 'oprf-key';

export interface KeyStreamSlice {
  readonly component: KeyStreamComponent;
  /** Byte position of its first mask in the stream. */
  readonly position: number;
  readonly byteCount: number;
}

/**
 * Where each component's masks lie in the one stream of a key set (docs/protocols/key-generation.md gives the order,
 * which is that of the KMS core). Positions are below 2^31 for both sets.
 */
export function keyStreamLayout(set: ParameterSet): readonly KeyStreamSlice[] {
  const big = lweDimensionOf(set.glwe);
  const compression = lweDimensionOf(set.compression);
  const squashing = lweDimensionOf(set.noiseSquashing);
  const zeros = (ms: ParameterSet['modulusSwitch']) => (ms.kind === 'drift' ? 8 * ms.zeros * set.lwe.dimension : 0);
  const bootstrap = (inputs: number, k: number, masks: number, levels: number, wordBytes: number) =>
    wordBytes * inputs * levels * (k + 1) * masks;
  const sns = set.noiseSquashing;
  const snsCompression = set.noiseSquashingCompression;
  const sizes: readonly [KeyStreamComponent, number][] = [
    ['compact-public-key', 8 * set.pke.dimension],
    ['compression-packing-key', 8 * big * set.compression.packing.levels * compression],
    ['decompression-key', bootstrap(compression, set.glwe.dimension, big, set.compression.decompression.levels, 8)],
    ['key-switching-key', 8 * big * set.keySwitch.levels * set.lwe.dimension],
    ['bootstrapping-key', bootstrap(set.lwe.dimension, set.glwe.dimension, big, set.bootstrap.levels, 8)],
    ['modulus-switch-zeros', zeros(set.modulusSwitch)],
    ['noise-squashing-key', bootstrap(set.lwe.dimension, sns.dimension, squashing, sns.bootstrap.levels, 16)],
    ['noise-squashing-zeros', zeros(sns.modulusSwitch)],
    ['casting-key', 8 * set.pke.dimension * set.pke.casting.levels * set.lwe.dimension],
    ['rerandomization-key', 8 * big],
    [
      'noise-squashing-compression-key',
      16 * squashing * snsCompression.packing.levels * lweDimensionOf(snsCompression),
    ],
    ['oprf-key', bootstrap(set.oprf.dimension, set.glwe.dimension, big, set.bootstrap.levels, 8)],
  ];
  let position = 0;
  return sizes.map(([component, byteCount]) => {
    const slice = { component, position, byteCount };
    position += byteCount;
    return slice;
  });
}

/** CBC-MAC-like chain under the zero key over the zero-padded data and its bit length: its last two links. */
function xofKey(data: Uint8Array): { key: Uint8Array; offset: bigint } {
  const zeroKey = blockCipher(new Uint8Array(BLOCK_BYTES));
  const padded = new Uint8Array(Math.ceil(data.length / BLOCK_BYTES) * BLOCK_BYTES + BLOCK_BYTES);
  padded.set(data);
  padded.set(littleEndian(BigInt(data.length) * 8n), padded.length - BLOCK_BYTES);
  let previous = new Uint8Array(BLOCK_BYTES);
  let link = new Uint8Array(BLOCK_BYTES);
  for (let at = 0; at < padded.length; at += BLOCK_BYTES) {
    previous = link;
    const input = link.map((byte, index) => byte ^ (padded[at + index] ?? 0));
    link = new Uint8Array(zeroKey.update(input));
  }
  return { key: link, offset: fromLittleEndian(previous) };
}

function counterStream(key: Uint8Array, offset: bigint, start: bigint): MaskStream {
  const cipher = blockCipher(key);
  const counters = new CounterBlocks();
  let position = start;

  function fill(output: Uint8Array): void {
    // The first block may be entered in its middle: its leading bytes belong to an earlier read.
    let skip = Number(position & 15n);
    let counter = (position >> 4n) + offset;
    for (let at = 0; at < output.length; ) {
      const inputs = counters.next(counter, Math.ceil((output.length - at + skip) / BLOCK_BYTES));
      const blocks = cipher.update(inputs);
      const piece = blocks.subarray(skip, skip + output.length - at);
      output.set(piece, at);
      at += piece.length;
      releaseBuffer(blocks);
      counter += BigInt(inputs.length / BLOCK_BYTES);
      skip = 0;
    }
    position += BigInt(output.length);
  }

  return {
    get position() {
      return position;
    },
    fill,
    read(byteCount) {
      if (!Number.isInteger(byteCount) || byteCount < 0 || byteCount > MAX_READ_BYTES) {
        throw new RangeError(`mask stream: got ${byteCount} bytes, want 0..${MAX_READ_BYTES}`);
      }
      const output = new Uint8Array(byteCount);
      fill(output);
      return output;
    },
  };
}

/**
 * Little-endian 128-bit counter blocks in one reused buffer. Only the lowest words are written anew, until a carry or a
 * jump changes the others.
 */
class CounterBlocks {
  readonly #words = new Uint32Array(4 * BATCH_BLOCKS);
  readonly #bytes = new Uint8Array(this.#words.buffer);
  /** Words 1..3 of every block. */
  #high = 0n;

  /** At most `count` blocks from `first` on, fewer before a carry out of word 0. Valid until the next call. */
  next(first: bigint, count: number): Uint8Array {
    const high = BigInt.asUintN(96, first >> 32n);
    if (high !== this.#high) this.#setHigh(high);
    let low = Number(first & 0xffff_ffffn);
    const blocks = Math.min(count, BATCH_BLOCKS, 2 ** 32 - low);
    const words = this.#words;
    for (let at = 0; at < 4 * blocks; at += 4) words[at] = low++;
    return this.#bytes.subarray(0, BLOCK_BYTES * blocks);
  }

  #setHigh(high: bigint): void {
    this.#high = high;
    const [word1, word2, word3] = Uint32Array.from([0n, 32n, 64n], (shift) => Number((high >> shift) & 0xffff_ffffn));
    const words = this.#words;
    for (let at = 0; at < words.length; at += 4) {
      words[at + 1] = word1!;
      words[at + 2] = word2!;
      words[at + 3] = word3!;
    }
  }
}

function blockCipher(key: Uint8Array): Cipheriv {
  return createCipheriv('aes-128-ecb', key, null).setAutoPadding(false);
}

function littleEndian(value: bigint): Uint8Array<ArrayBuffer> {
  const words = BigUint64Array.of(BigInt.asUintN(64, value), BigInt.asUintN(64, value >> 64n));
  return new Uint8Array(words.buffer);
}

function fromLittleEndian(block: Uint8Array): bigint {
  const view = new DataView(block.buffer, block.byteOffset, BLOCK_BYTES);
  return view.getBigUint64(0, true) | (view.getBigUint64(8, true) << 64n);
}
