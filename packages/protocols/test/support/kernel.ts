/** One kernel for all tests of a file: compiling it takes longer than many of them. */
import { createKernel } from '@keyquorum/kernel/kernel';

export const kernel = createKernel();
