/**
 * Checks of the GLWE ciphertexts of a list, of either width: all but the last hold as many values as fit, none is
 * empty, and each stores what it says. Block i of a GLWE ciphertext is coefficient i of its phase.
 */
import { requireCount, requireNativeModulus, requireParameter } from './parameter-checks.ts';
import { type GlweShape, lweDimensionOf } from './parameters.ts';
import type { ModulusSwitchedGlwe, WordBytes } from './schema/core.ts';

/** What the GLWE ciphertexts of a list look like under a key. */
export interface PackedShape extends GlweShape {
  readonly ciphertextsPerGlwe: number;
  readonly wordBytes: WordBytes;
  /** Bits that are stored of each word. */
  readonly storedBits: number;
}

/** Blocks that are stored, all together. @throws CiphertextError */
export function requirePackedGlwes(glwes: readonly ModulusSwitchedGlwe[], shape: PackedShape): number {
  for (const [index, glwe] of glwes.entries()) {
    const field = `glwes[${index}]`;
    requireNativeModulus(field, glwe.ciphertextModulus, shape.wordBytes === 8 ? 64 : 128);
    requireParameter(`${field}.glweDimension`, glwe.glweDimension, shape.dimension);
    requireParameter(`${field}.polynomialSize`, glwe.polynomialSize, shape.polynomialSize);
    requireParameter(`${field}.packed.bits`, glwe.packed.bits, shape.storedBits);
    requireBodies(field, glwe, { shape, isLast: index === glwes.length - 1 });
  }
  return glwes.reduce((sum, { bodyCount }) => sum + bodyCount, 0);
}

function requireBodies(
  field: string,
  { packed, bodyCount }: ModulusSwitchedGlwe,
  { shape, isLast }: { shape: PackedShape; isLast: boolean },
): void {
  const { ciphertextsPerGlwe: full, wordBytes } = shape;
  const fits = isLast ? bodyCount >= 1 && bodyCount <= full : bodyCount === full;
  if (!fits) requireCount(`${field}.bodyCount`, bodyCount, full);
  requireCount(`${field}.packed.count`, packed.count, lweDimensionOf(shape) + bodyCount);
  const words = Math.ceil((packed.count * packed.bits) / (8 * wordBytes));
  requireCount(`${field}.packed.data`, packed.data.length / wordBytes, words);
}

/** Where block `block` of a list stands: which GLWE ciphertext, and which coefficient of its phase. */
export function glwePlace(
  block: number,
  { ciphertextsPerGlwe }: Pick<PackedShape, 'ciphertextsPerGlwe'>,
): { readonly index: number; readonly coefficient: number } {
  return { index: Math.floor(block / ciphertextsPerGlwe), coefficient: block % ciphertextsPerGlwe };
}
