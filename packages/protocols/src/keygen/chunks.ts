/**
 * The bodies of a key set in chunks of whole rows: what is opened, stored and served at a time. A chunk's values are
 * its bodies as they stand in the files, four coefficients of the opened elements in order.
 */
import { type KeySetComponent, keySetComponents } from '@keyquorum/tfhe/key-set-components';
import type { KeySetChoice } from '@keyquorum/tfhe/key-sets';

/** Large enough that signatures and rounds cost nothing, small enough that a window of chunks fits into buffers. */
const CHUNK_BYTES = 2 ** 20;
/** Coefficients that travel in one ring element. */
export const PACKED = 4;

export interface BodyChunk {
  /** Its number in the key set. */
  readonly index: number;
  readonly component: KeySetComponent;
  readonly firstRow: number;
  readonly rows: number;
  /** Ring elements of its message: rows * N / 4, rounded up. */
  readonly elements: number;
}

/** All chunks of a key set, in the order of the mask stream: 493 for `default`, 62 for `base`, 12 for `test`. */
export function bodyChunks({ parameters, parts }: KeySetChoice): readonly BodyChunk[] {
  const chunks: BodyChunk[] = [];
  for (const component of keySetComponents(parameters, parts)) {
    const { rowCount } = component;
    const rowsPerChunk = rowsOfChunk(component);
    for (let firstRow = 0; firstRow < rowCount; firstRow += rowsPerChunk) {
      const rows = Math.min(rowsPerChunk, rowCount - firstRow);
      const elements = Math.ceil((rows * component.shape.polynomialSize) / PACKED);
      chunks.push({ index: chunks.length, component, firstRow, rows, elements });
    }
  }
  return chunks;
}

/** Bytes of the chunk's message, which are those of its values. */
export function chunkBytes({ elements, component }: BodyChunk): number {
  return elements * PACKED * component.wordBytes;
}

/** Rows fill elements: LWE rows stand four to an element, so chunks of them start at multiples of four. */
function rowsOfChunk({ wordBytes, shape }: KeySetComponent): number {
  const rows = Math.floor(CHUNK_BYTES / (wordBytes * shape.polynomialSize));
  return Math.max(PACKED, rows - (rows % PACKED));
}
