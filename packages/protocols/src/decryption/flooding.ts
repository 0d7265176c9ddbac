/**
 * Decryption by flooding (docs/protocols/decryption.md, steps F1..F3; SPEC R10): squashed ciphertexts have so little
 * noise that 110 bits of joint noise are added to b - <a, s> and the sum is opened, or handed out as shares. It takes
 * one round, no material and no agreement: everything a party sends is a function of the exact words it decrypts.
 *
 * The noise must never meet another ciphertext: the difference of the openings would be an exact equation on the key.
 * So the session of its PRSS keys hashes what is decrypted and under what, and nothing else: not the request, not who
 * takes part, not whom the answer is for. Whoever holds other words draws other noise, and whoever asks again gets the
 * same shares, bit for bit.
 */
import { asGr128, type Gr128 } from '@keyquorum/kernel/batch';
import type { Kernel } from '@keyquorum/kernel/kernel';
import { eraseBuffer } from '@keyquorum/kernel/release';
import { fromHex, sha256 } from '@keyquorum/mpc/bytes';
import { eraseKeys, type PrssKeys, sessionKeys } from '@keyquorum/mpc/prss/keys';
import { createPrss } from '@keyquorum/mpc/prss/prss';
import type { SessionId } from '@keyquorum/mpc/transport';
import type { Value128 } from '@keyquorum/tfhe/ciphertext';
import type { KeySetName } from '@keyquorum/tfhe/key-sets';
import { SQUASHED_DELTA_LOG2 } from '@keyquorum/tfhe/parameters';
import { sessionIdOf } from '../digest.ts';
import { labels } from '../labels.ts';
import { DecryptionError } from './job.ts';

/** Noise of a ciphertext after squashing, packing included (docs/protocols/noise.md). */
const SQUASHED_NOISE_LOG2 = 70;
/** To distinguish two ciphertexts by their flooded phases takes 2^(2*40) answers: each set adds two terms. */
const STATISTICAL_BITS = 40;
/** Each term is uniform in [-2^110, 2^110). */
export const FLOOD_BOUND_LOG2 = SQUASHED_NOISE_LOG2 + STATISTICAL_BITS;
const TERMS_PER_SET = 2n;

const ELEMENT_BYTES = 64;
const WORD_BYTES = 16;
/** Blocks in one ring element, a coordinate each. */
const PACKED = 4;

/**
 * All noise together must stay below half a step, whatever the draws: up to 2047 sets. The largest committee of 15
 * parties, 15/4, has 1365. `sets`: C(n, t).
 * @throws DecryptionError FLOODING_UNSOUND_SIZE
 */
export function requireFloodingBound(sets: number): void {
  const most = TERMS_PER_SET * BigInt(sets) * (1n << BigInt(FLOOD_BOUND_LOG2)) + (1n << BigInt(SQUASHED_NOISE_LOG2));
  if (most < 1n << BigInt(SQUASHED_DELTA_LOG2 - 1)) return;
  throw new DecryptionError('FLOODING_UNSOUND_SIZE', `the noise of ${sets} sets of parties could change messages`);
}

/** Two keys, or two sharings of one key, never share noise or masks. */
export interface KeyIdentity {
  readonly keyId: string;
  readonly parameters: KeySetName;
  /** The ceremony that made the shares of the key. */
  readonly session: SessionId;
}

/**
 * The session whose PRSS keys give the noise of exactly this value under exactly this key, for those that hold keys of
 * this start of the epoch: parties with keys of another open another sum.
 */
export function maskSession(
  value: Value128,
  { keyId, parameters, session }: KeyIdentity,
  epochStart: SessionId,
): SessionId {
  const numbers = Uint32Array.of(FLOOD_BOUND_LOG2, STATISTICAL_BITS, value.dimension);
  const names = new TextEncoder().encode(`${parameters} ${value.key}`);
  const words = [sha256(value.masks), sha256(value.bodies)] as const;
  return sessionIdOf(
    labels.flooding,
    fromHex(keyId),
    fromHex(session),
    fromHex(epochStart),
    new Uint8Array(numbers.buffer),
    names,
    ...words,
  );
}

/**
 * F1, F2: this party's shares of b - <a, s> plus noise, four blocks to an element (block j in coordinate j mod 4 of
 * element floor(j/4)), 0 in coordinates behind the last. Secret until they are sent.
 */
export function floodedShares(
  kernel: Kernel,
  value: Value128,
  { key, prss, session }: { key: Gr128; prss: PrssKeys; session: SessionId },
): Gr128 {
  const phases = packedPhases(kernel, value, key);
  const own = sessionKeys(prss, session);
  const noise = createPrss(kernel, own).flood128('mask', FLOOD_BOUND_LOG2, value.blockBits.length);
  eraseKeys(own);
  const shares = kernel.gr128.add(phases, noise);
  eraseBuffer(phases); // beside the shares, either would give the other away
  eraseBuffer(noise);
  return shares;
}

function packedPhases({ gr128, lwe }: Kernel, { masks, bodies, blockBits }: Value128, key: Gr128): Gr128 {
  const products = lwe.innerProducts128(masks, key);
  const phases = gr128.sub(gr128.embed(bodies), products);
  const whole = Math.ceil(blockBits.length / PACKED) * PACKED;
  const padded = asGr128(new Uint8Array(whole * ELEMENT_BYTES));
  padded.set(phases);
  const packed = gr128.pack4(padded);
  for (const secret of [products, phases, padded]) eraseBuffer(secret);
  return packed;
}

/** Elements that a value of so many blocks takes. */
export function floodedElements(blocks: number): number {
  return Math.ceil(blocks / PACKED);
}

/**
 * F3: the messages in opened sums, rounded to whole steps. What lies outside of the message space, where the padding
 * bit is set, is 0, as in the protocol for 64-bit ciphertexts.
 */
export function floodedMessages(opened: Gr128, blocks: number): Uint8Array {
  const view = new DataView(opened.buffer, opened.byteOffset, opened.byteLength);
  // Bits 96..127 are enough: half a step is 2^122, and what is below cannot carry into them.
  const top = (block: number): number => view.getUint32(block * WORD_BYTES + 12, true);
  for (let block = blocks; block < opened.length / WORD_BYTES; block++) {
    // An exact opening of nothing is zero, whoever lies: anything else is our own fault, and the node must not go on.
    if (opened.subarray(block * WORD_BYTES, (block + 1) * WORD_BYTES).some((byte) => byte !== 0)) {
      throw new Error(`coordinate ${block} behind the last of ${blocks} blocks opened as something`);
    }
  }
  return Uint8Array.from({ length: blocks }, (_, block) => {
    const rounded = ((top(block) + 2 ** (SQUASHED_DELTA_LOG2 - 1 - 96)) >>> 0) >>> (SQUASHED_DELTA_LOG2 - 96);
    return rounded < 16 ? rounded : 0;
  });
}
