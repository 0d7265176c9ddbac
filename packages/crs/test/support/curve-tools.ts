/** The curve that tests of this package compute on, in this thread. */
import { randomBytes } from 'node:crypto';
import { createBls446 } from '@keyquorum/kernel/bls446';
import type { CurveTools } from '../../src/contribution.ts';
import { inThisThread } from '../../src/workers.ts';

const curve = createBls446();
export const tools: CurveTools = { curve, workers: inThisThread(curve, (count) => new Uint8Array(randomBytes(count))) };
