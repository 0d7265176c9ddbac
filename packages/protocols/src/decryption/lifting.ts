/**
 * From message bits that are shared over GF(16) to shares that a user can combine (docs/protocols/decryption.md, steps
 * D5, D6): pieces of the value in the top five bits of a word.
 *  D5 the bits are opened xor shared random bits d, which bundles of the pool lend: each used once, known modulo 2^8.
 *     What opens is uniform. A bit is d or 1 - d then, and a piece is the sum of its bits with their weights.
 *  D6 the sum of every piece and a mask is opened, and the mask subtracted. Without that, the polynomial through the
 *     shares would be another one whenever other bundles were used, and parties that ran a request twice could not give
 *     shares that fit together. The mask is a PRSS value that belongs to the ciphertext (like the noise of flooding): a
 *     piece has one opened sum and one share, for ever.
 */
import { asGf16, asGr64, type Gf16, type Gr64 } from '@keyquorum/kernel/batch';
import type { Kernel } from '@keyquorum/kernel/kernel';
import { eraseBuffer } from '@keyquorum/kernel/release';
import { fromHex, sha256 } from '@keyquorum/mpc/bytes';
import { eraseKeys, type PrssKeys, sessionKeys } from '@keyquorum/mpc/prss/keys';
import { createPrss } from '@keyquorum/mpc/prss/prss';
import type { SessionId } from '@keyquorum/mpc/transport';
import type { Piece, Value64 } from '@keyquorum/tfhe/ciphertext';
import { sessionIdOf } from '../digest.ts';
import { labels } from '../labels.ts';
import type { KeyIdentity } from './flooding.ts';
import { LIFT_BYTES, type Material } from './material.ts';
import { BLOCKS_PER_LIFT } from './proposal.ts';

const MESSAGE_BITS = 4;
const ELEMENT_BYTES = 32;
const WORD_BYTES = 8;
const COORDINATES = 4;
/** Pieces are below 16, sums of them with weights 1 and 4 below 32: five bits of a share matter. */
const LIFTED_BITS = 5;
/** Place of these bits in the highest byte of a word. */
const TOP_SHIFT = 8 - LIFTED_BITS;
/** Bytes of the share of one piece: its coefficients modulo 2^5. */
export const PIECE_BYTES = COORDINATES;

/** The session whose PRSS keys mask the pieces of exactly this value under exactly this key. */
export function liftSession(value: Value64, { keyId, parameters, session }: KeyIdentity, prssEpoch: number): SessionId {
  const numbers = Uint32Array.of(prssEpoch, value.dimension, value.deltaLog2);
  const pieces = Uint32Array.from(value.pieces.flatMap(({ block, shift, bits }) => [block, shift, bits]));
  const names = new TextEncoder().encode(`${parameters} ${value.key}`);
  const [context, layout] = [numbers, pieces].map(({ buffer }) => new Uint8Array(buffer));
  const words = [sha256(value.masks), sha256(value.bodies)] as const;
  return sessionIdOf(labels.lifting, fromHex(keyId), fromHex(session), context!, names, layout!, ...words);
}

/** Shares of the masks of so many pieces, in the top five bits. Secret. */
export function liftMasks(
  kernel: Kernel,
  { prss, session, pieces }: { prss: PrssKeys; session: SessionId; pieces: number },
): Gr64 {
  const { gr64 } = kernel;
  const own = sessionKeys(prss, session);
  const uniform = createPrss(kernel, own).random64('lift', pieces);
  eraseKeys(own);
  const top = gr64.embed(new Uint8Array(BigUint64Array.of(1n << BigInt(8 * WORD_BYTES - LIFTED_BITS)).buffer));
  const masks = gr64.scale(top, uniform);
  eraseBuffer(uniform);
  return masks;
}

/** Bundle and wire of the bit that is lent to bit `bit` of the message of block `block` of a run. */
function lentBit(block: number, bit: number): { bundle: number; wire: number } {
  return { bundle: Math.floor(block / BLOCKS_PER_LIFT), wire: MESSAGE_BITS * (block % BLOCKS_PER_LIFT) + bit };
}

/** D5: shares over GF(16) of the bits lent to a run of blocks, wire-major: bit by bit, each for all blocks. */
export function lentBits({ bundles, bits }: Material, blocks: number): Gf16 {
  const flips = new Uint8Array(MESSAGE_BITS * blocks);
  for (let bit = 0; bit < MESSAGE_BITS; bit++) {
    for (let block = 0; block < blocks; block++) {
      const { bundle, wire } = lentBit(block, bit);
      flips[bit * blocks + block] = bits[wire * bundles + bundle]!;
    }
  }
  return asGf16(flips);
}

export interface Run {
  /** Messages of the run's blocks, as they were opened: flipped. */
  readonly flipped: Uint8Array;
  /** The bundles that lent the bits. */
  readonly material: Material;
  /** Pieces in these blocks, with `block` counted from the start of the run. */
  readonly pieces: readonly Piece[];
}

/** Shares of the pieces in the top five bits of a word, on a polynomial of these bundles. Secret. */
export function liftedPieces({ flipped, material, pieces }: Run): Gr64 {
  const words = new Uint8Array(pieces.length * ELEMENT_BYTES);
  for (const [index, { block, shift, bits }] of pieces.entries()) {
    for (let bit = 0; bit < bits; bit++) {
      const isOne = ((flipped[block]! >> (shift + bit)) & 1) === 1; // public
      for (let k = 0; k < COORDINATES; k++) {
        const lent = liftOf(material, lentBit(block, shift + bit), k);
        const share = isOne ? Number(k === 0) - lent : lent;
        const at = index * ELEMENT_BYTES + k * WORD_BYTES + WORD_BYTES - 1;
        words[at] = words[at]! + (share << (TOP_SHIFT + bit)); // modulo 2^8
      }
    }
  }
  return asGr64(words);
}

function liftOf({ bundles, lifts }: Material, { bundle, wire }: { bundle: number; wire: number }, k: number): number {
  return lifts[(wire * bundles + bundle) * LIFT_BYTES + k]!;
}

/** D6, after the sums are opened: the shares of the pieces, PIECE_BYTES each. Erases the masks. */
export function unmasked(kernel: Kernel, opened: Gr64, masks: Gr64): Uint8Array {
  const shares = kernel.gr64.sub(opened, masks);
  const pieces = Uint8Array.from({ length: (shares.length / ELEMENT_BYTES) * PIECE_BYTES }, (_, index) => {
    return shares[index * WORD_BYTES + WORD_BYTES - 1]! >> TOP_SHIFT;
  });
  eraseBuffer(shares);
  masks.fill(0);
  return pieces;
}
