/** The curve that tests of this package compute on, in this thread. */
import { randomBytes } from 'node:crypto';
import type { CurveTools } from '../../src/contribution.ts';
import { inThisThread } from '../../src/workers.ts';
import { nobleCurve } from './noble-curve.ts';

const curve = nobleCurve();
export const tools: CurveTools = { curve, workers: inThisThread(curve, (count) => new Uint8Array(randomBytes(count))) };
