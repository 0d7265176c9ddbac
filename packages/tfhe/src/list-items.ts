/**
 * The items of a list: each is one value and takes consecutive blocks, in the order of the items. The same in compact
 * lists (compact-list.ts), compressed (compressed-list.ts) and squashed ones (squashed-list.ts). Strings take their
 * blocks but are not decrypted.
 */
import { CiphertextError } from './ciphertext-error.ts';
import type { FheType } from './fhe-type.ts';
import { fheTypeOf } from './parameter-checks.ts';
import type { ListItem } from './schema/ciphertexts.ts';

/** Where one value stands among the ciphertexts of its list. */
export interface Place {
  readonly type: FheType;
  /** Its first ciphertext, and how many it takes. */
  readonly first: number;
  readonly count: number;
}

/** How many blocks of one value share a ciphertext; no ciphertext holds blocks of two values. */
export type BlocksTogether = 1 | 2;

/** Ciphertexts of all items. */
export function ciphertextsOf(items: readonly ListItem[], together: BlocksTogether): number {
  return items.reduce((sum, item) => sum + Math.ceil(itemBlocks(item) / together), 0);
}

/** Blocks of all items. */
export function blocksOf(items: readonly ListItem[]): number {
  return ciphertextsOf(items, 1);
}

/** The place of value `slot`. @throws CiphertextError when there is none, or none of a known type */
export function placeOf(items: readonly ListItem[], slot: number, together: BlocksTogether = 1): Place {
  const item = items[slot];
  if (item === undefined) {
    throw new CiphertextError('CIPHERTEXT_SLOT', `slot: got ${slot}, but the list holds ${items.length} values`);
  }
  const blocks = itemBlocks(item);
  const first = ciphertextsOf(items.slice(0, slot), together);
  return { type: fheTypeOf(itemKind(item), blocks), first, count: Math.ceil(blocks / together) };
}

function itemKind({ value: item }: ListItem): FheType['kind'] {
  if (item.kind === 'Boolean') return 'bool';
  if (item.kind === 'Unsigned') return 'uint';
  if (item.kind === 'Signed') return 'int';
  throw new CiphertextError('CIPHERTEXT_UNSUPPORTED', 'items: strings are not decrypted', { field: 'inner.items' });
}

/** Blocks an item takes; a string takes four per character. */
function itemBlocks({ value: item }: ListItem): number {
  if (item.kind === 'Boolean') return 1;
  return item.kind === 'String' ? 4 * item.value.characters : item.value;
}
