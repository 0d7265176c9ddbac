/** Shape checks of batches and matrices. */
import type { Matrix } from './batch.ts';
import { KernelError } from './errors.ts';

export function requireSameLength(name: string, batches: readonly Uint8Array[]): void {
  const length = batches[0]?.length ?? 0;
  const odd = batches.findIndex((batch) => batch.length !== length);
  if (odd >= 0) {
    throw new KernelError(
      'BATCH_LENGTH',
      `${name}: batch ${odd} has ${batches[odd]!.length} bytes, batch 0 has ${length}`,
    );
  }
}

export function requireMatrix(name: string, matrix: Matrix<Uint8Array>, bytesPerElement: number): void {
  const { rows, cols, elements } = matrix;
  const wanted = rows * cols * bytesPerElement;
  if (!Number.isInteger(rows) || !Number.isInteger(cols) || rows < 1 || cols < 1 || elements.length !== wanted) {
    throw new KernelError(
      'MATRIX_SHAPE',
      `${name}: ${rows}x${cols} matrix of ${elements.length} bytes, want ${wanted}`,
    );
  }
}

/** Throws unless there is one batch per column, all of equal length. */
export function requireColumns(name: string, matrix: Matrix<Uint8Array>, columns: readonly Uint8Array[]): void {
  if (columns.length !== matrix.cols) {
    throw new KernelError('MATRIX_SHAPE', `${name}: ${columns.length} batches for ${matrix.cols} columns`);
  }
  requireSameLength(name, columns);
}

export function requireOpeningMatrix(
  name: string,
  matrix: Matrix<Uint8Array>,
  bytesPerElement: number,
  shares: number,
): void {
  requireMatrix(name, matrix, bytesPerElement);
  const wanted = matrix.cols + matrix.rows - 1;
  if (shares !== wanted) {
    throw new KernelError('MATRIX_SHAPE', `${name}: ${shares} shares for an opening matrix of ${wanted} points`);
  }
}
