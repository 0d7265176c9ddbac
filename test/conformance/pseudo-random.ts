/**
 * What oblivious pseudo-random generation of tfhe-rs 1.7 yields for whoever knows the key: per block, the public seed
 * gives a mask a modulo 2N, and the value is a function of -<a, s> modulo 2N. There is no noise in it, so an encrypted
 * result can be foretold exactly.
 */
import { createHash } from 'node:crypto';
import { createMaskStream } from '@keyquorum/tfhe/csprng';
import { BITS_PER_BLOCK, type FheType } from '@keyquorum/tfhe/fhe-type';
import type { ParameterSet } from '@keyquorum/tfhe/parameters';

/** Message, carry and padding bit of a block. */
const BLOCK_BITS = 5n;
const BYTES_PER_MASK_WORD = 2;

export function pseudoRandomValue(
  seed: bigint,
  type: FheType,
  { parameters, key }: { readonly parameters: ParameterSet; readonly key: Uint8Array },
): bigint {
  const modulus = 2 * parameters.glwe.polynomialSize;
  const stream = createMaskStream(streamSeed(seed, type.bits));
  let value = 0n;
  for (let bit = 0; bit < type.bits; bit += BITS_PER_BLOCK) {
    const words = new DataView(stream.read(BYTES_PER_MASK_WORD * key.length).buffer);
    const product = key.reduce((sum, s, i) => sum + s * (words.getUint16(BYTES_PER_MASK_WORD * i, true) % modulus), 0);
    const phase = (modulus - (product % modulus)) % modulus;
    const values = 2 ** Math.min(BITS_PER_BLOCK, type.bits);
    value |= BigInt(blockValue(phase / modulus, values)) << BigInt(bit);
  }
  return value;
}

/** The first half of the circle counts up from the middle value, the second half down from the one below it. */
function blockValue(turn: number, values: number): number {
  const half = values / 2;
  return turn < 0.5 ? half + Math.floor(turn * values) : half - 1 - Math.floor((turn - 0.5) * values);
}

/** "PRF_INIT" and the hash of the seed and of how many bits the blocks get, run-length encoded. */
function streamSeed(seed: bigint, bits: number): Uint8Array {
  const perBlock = BigInt(BITS_PER_BLOCK);
  const full = BigInt(bits) / perBlock;
  const rest = BigInt(bits) % perBlock;
  const lengths = [
    full + (rest > 0n ? 1n : 0n),
    ...(full > 0n ? [full, perBlock] : []),
    ...(rest > 0n ? [1n, rest] : []),
  ];
  const hash = createHash('sha3-256')
    .update('TFHE_PRF')
    .update(littleEndian(seed & (2n ** 64n - 1n), seed >> 64n))
    .update(littleEndian(BLOCK_BITS, perBlock, ...lengths));
  return Buffer.concat([Buffer.from('PRF_INIT'), hash.digest()]);
}

function littleEndian(...words: bigint[]): Uint8Array {
  return new Uint8Array(BigUint64Array.from(words).buffer);
}
