/** Errors of the kernel. All but ROOT_MISSING are bugs of the caller; none carries data of a batch. */

export type KernelErrorCode =
  | 'BATCH_LENGTH' // batches of one call differ in length, or are not whole elements
  | 'MATRIX_SHAPE' // a matrix does not fit its own elements or the number of batches
  | 'NOT_AN_ELEMENT' // a byte or number is no element of GF(16), or a coordinate or scalar is not reduced
  | 'RANGE' // a number argument is outside its documented range
  | 'ROOT_MISSING' // an opened v has no root of r^2 + r = v: the opening was not consistent, stop the session
  | 'WEIGHTS_TOO_LARGE' // the subset family would overflow the 16- or 32-bit lanes of the sharing kernel
  | 'MEMORY_FULL' // one item does not fit into the fixed memory
  | 'ERASED' // a prepared key is used after erase()
  | 'NOT_BUILT'; // kernel.wasm or bls446.wasm is missing

export class KernelError extends Error {
  override readonly name = 'KernelError';
  readonly code: KernelErrorCode;

  constructor(code: KernelErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}

/** Throws RANGE unless `value` is an integer in [min, max]. */
export function requireRange(name: string, value: number, min: number, max: number): void {
  if (!Number.isInteger(value) || value < min || value > max) {
    throw new KernelError('RANGE', `${name}: ${value}, want an integer in ${min}..${max}`);
  }
}
