/** What the operations of one ring share: its name and word size, its kernels, and the memory they run in. */
import { KernelError } from './errors.ts';
import type { KernelMemory, Lane } from './memory.ts';
import { type KernelExports, type RingExports, ringExports } from './wasm.ts';

export interface RingContext {
  readonly name: 'gr64' | 'gr128';
  readonly wordBytes: 8 | 16;
  readonly bytesPerElement: number;
  readonly wasm: KernelExports;
  /** The exports of this ring. */
  readonly ring: RingExports;
  readonly memory: KernelMemory;
}

export function ringContext(wasm: KernelExports, memory: KernelMemory, name: 'gr64' | 'gr128'): RingContext {
  const wordBytes = name === 'gr64' ? 8 : 16;
  return { name, wordBytes, bytesPerElement: 4 * wordBytes, wasm, memory, ring: ringExports(wasm, name) };
}

/** Number of elements. Throws BATCH_LENGTH unless the bytes are whole elements. */
export function elementCount({ name, bytesPerElement }: RingContext, batch: Uint8Array): number {
  return wholeItems(name, batch, bytesPerElement);
}

export function zeros<E>({ bytesPerElement }: RingContext, count: number): E {
  return new Uint8Array(count * bytesPerElement) as unknown as E;
}

/** The batch as items of one element. */
export function elements({ bytesPerElement }: RingContext, batch: Uint8Array): Lane {
  return { bytes: batch, step: bytesPerElement };
}

/** bytes.length / step. Throws BATCH_LENGTH unless that is whole. */
export function wholeItems(what: string, bytes: Uint8Array, step: number): number {
  if (bytes.length % step !== 0) {
    throw new KernelError('BATCH_LENGTH', `${what}: ${bytes.length} bytes, want a multiple of ${step}`);
  }
  return bytes.length / step;
}

/** Streams one input to one output of equally many items and returns the output bytes. */
export function convert<T extends Uint8Array>(
  memory: KernelMemory,
  input: Lane,
  output: { readonly bytes: T; readonly step: number },
  kernel: (out: number, a: number, count: number) => void,
): T {
  const plan = { count: input.bytes.length / input.step, inputs: [input], outputs: [output] };
  memory.stream(plan, ({ inputs, outputs }, count) => kernel(outputs[0]!, inputs[0]!, count));
  return output.bytes;
}
