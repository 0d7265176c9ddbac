/**
 * The arithmetic floor of the workspace: batches in, fresh batches out, computed in WASM.
 * A kernel is synchronous and single-threaded; a worker creates its own. Memory: 4 MiB, fixed.
 */
import type { Gr64, Gr128 } from './batch.ts';
import { createEvaluator, type Evaluator } from './bootstrap.ts';
import { ringContext } from './context.ts';
import { floodSamples } from './flooding.ts';
import { createGf16, type Gf16Ring } from './gf16.ts';
import { createGlwe, type GlweKernel } from './glwe.ts';
import type { Keystream } from './keystream.ts';
import { createLwe, type LweKernel } from './lwe.ts';
import { createMemory } from './memory.ts';
import { createRing, type Ring } from './ring.ts';
import { instantiate } from './wasm.ts';

export interface Kernel {
  readonly gr64: Ring<Gr64>;
  readonly gr128: Ring<Gr128>;
  readonly gf16: Gf16Ring;
  readonly lwe: LweKernel;
  /** Bounded samples of 100 bits and more: see floodSamples. */
  floodSamples(stream: Keystream, size: { readonly boundLog2: number; readonly count: number }): Gr128;
  readonly evaluator: Evaluator;
  readonly glwe64: GlweKernel<Gr64>;
  readonly glwe128: GlweKernel<Gr128>;
}

/** A fresh instance of a module compiled once per process. Throws NOT_BUILT before `node packages/kernel/build.mjs`. */
export function createKernel(): Kernel {
  const wasm = instantiate();
  const memory = createMemory(wasm);
  const [narrow, wide] = [ringContext(wasm, memory, 'gr64'), ringContext(wasm, memory, 'gr128')];
  return {
    gr64: createRing<Gr64>(narrow),
    gr128: createRing<Gr128>(wide),
    gf16: createGf16(wasm, memory),
    lwe: createLwe(wasm, memory),
    floodSamples: (stream, size) => floodSamples(wide, stream, size),
    evaluator: createEvaluator(wasm, memory),
    glwe64: createGlwe<Gr64>(narrow),
    glwe128: createGlwe<Gr128>(wide),
  };
}
