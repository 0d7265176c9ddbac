// Static working memory of the curve's kernels, in one block, so that one call wipes it all. Each file owns the part
// named after it; a function may call into files further up the list only.

const BLOCK: usize = memory.data(9216, 16);
export const INVERSION_SCRATCH: usize = BLOCK;
export const COORDINATE_SCRATCH: usize = BLOCK + 640;
export const AFFINE_SCRATCH: usize = BLOCK + 1024;
export const POINT_SCRATCH: usize = BLOCK + 2048;
export const SUBGROUP_SCRATCH: usize = BLOCK + 4096;
export const SCALAR_SCRATCH: usize = BLOCK + 6144;
export const MULTIPLY_SCRATCH: usize = BLOCK + 7168;
const END: usize = BLOCK + 9216;

/** Zeroes everything the last call computed in between. */
export function wipe(): void {
  memory.fill(BLOCK, 0, END - BLOCK);
}
