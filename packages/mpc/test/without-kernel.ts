/** Agreement, mailbox and simulator compute nothing in a ring: their tests hand over a kernel that cannot be used. */
import type { Kernel } from '@keyquorum/kernel/kernel';

export const withoutKernel = {} as Kernel;
