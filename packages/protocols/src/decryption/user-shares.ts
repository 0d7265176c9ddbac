/** A party's share of a value as a user's client combines it: blocks of four bits, four to a ring element. */
import { asGr128, type Gr128 } from '@keyquorum/kernel/batch';
import type { Kernel } from '@keyquorum/kernel/kernel';
import { eraseBuffer } from '@keyquorum/kernel/release';
import { type CiphertextValue, isSquashed } from '@keyquorum/tfhe/ciphertext';
import type { OwnShare, UserShares } from './job.ts';
import type { Job } from './jobs.ts';
import { PIECE_BYTES } from './lifting.ts';

const PACKED = 4;
const ELEMENT_BYTES = 64;
const WORD_BYTES = 16;
/** Bits 123..127 of a word are the top five of its last byte. */
const TOP_SHIFT = 3;
/** Of the second piece in a block. */
const WEIGHT_LOG2 = 2;

export type Layout = Pick<OwnShare, 'type' | 'packingFactor' | 'blocks'>;

/** Two clean pieces of an integer share a block; a boolean is alone, and so is a piece with its carries. */
export function layoutOf(value: CiphertextValue): Layout {
  const { type, pieces, blockBits } = value;
  if (isSquashed(value)) return { type, packingFactor: type.kind === 'bool' ? 1 : 2, blocks: blockBits.length };
  const packingFactor = type.kind !== 'bool' && pieces.every(({ bits }) => bits === 2) ? 2 : 1;
  return { type, packingFactor, blocks: Math.ceil(pieces.length / packingFactor) };
}

/** The share of the value, out of those of its pieces modulo 2^5 (lifting.ts). Secret. */
export function assembled(kernel: Kernel, { packingFactor, blocks }: Layout, pieces: Uint8Array): Gr128 {
  const words = new Uint8Array(Math.ceil(blocks / PACKED) * PACKED * ELEMENT_BYTES);
  for (const [index, coefficient] of pieces.entries()) {
    const [piece, k] = [Math.floor(index / PIECE_BYTES), index % PIECE_BYTES];
    const block = Math.floor(piece / packingFactor);
    const at = block * ELEMENT_BYTES + k * WORD_BYTES + WORD_BYTES - 1;
    words[at] = words[at]! + (coefficient << (TOP_SHIFT + WEIGHT_LOG2 * (piece % packingFactor))); // modulo 2^8
  }
  const elements = kernel.gr128.pack4(asGr128(words));
  eraseBuffer(words);
  return elements;
}

/** What this party hands out, in copies, once everything of the job is opened. */
export function ownShares(kernel: Kernel, { values, results, faults }: Job, degree: number): UserShares {
  const shares = values.map((value, index): OwnShare => {
    const { layout } = value;
    if (value.kind === 'flooded') return { ...layout, elements: asGr128(new Uint8Array(value.shares)) };
    return { ...layout, elements: assembled(kernel, layout, results[index]!) };
  });
  const erase = () => {
    for (const { elements } of shares) elements.fill(0);
  };
  return { degree, values: shares, faults, erase };
}
