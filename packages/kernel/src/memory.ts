/**
 * The only file that touches WASM memory: addresses exist inside the callbacks below, views never leave this file.
 * Inputs are copied in, results copied out, and everything a call used is zeroed when it ends, also when it throws.
 * Memory is fixed; long batches are streamed through it in chunks that fit the second-level cache.
 */
import { KernelError } from './errors.ts';
import type { WasmModule } from './wasm.ts';

/** Wide loads and stores and vector tails may touch this many bytes past a lane. */
const SLACK_BYTES = 64;
const CHUNK_BYTES = 128 * 1024;
/** Chunks are whole vectors of one-byte elements; items too long for 16 of them are no bytes. */
const CHUNK_ALIGN = 16;

/** Working memory during one call. */
export interface Scratch {
  /** Address of `bytes` bytes (plus slack), 64-byte aligned. Contents are undefined. */
  reserve(bytes: number): number;
  write(address: number, bytes: Uint8Array): void;
  zero(address: number, bytes: number): void;
  /** Fills `target` from memory. */
  read(address: number, target: Uint8Array): void;
}

/** A batch seen as `bytes.length / step` items; `step` bytes each. */
export interface Lane {
  readonly bytes: Uint8Array;
  readonly step: number;
}

export interface Plan {
  readonly count: number;
  /** Inputs of equal step are `stride` bytes apart, in order. */
  readonly inputs: readonly Lane[];
  readonly outputs: readonly Lane[];
  /** Copied in once, whole. */
  readonly constants?: readonly Uint8Array[];
  /** Bytes per item of a further lane that is neither copied in nor out. */
  readonly temporary?: number;
  /** Bytes of one chunk of all lanes, when the second-level cache is not what counts. */
  readonly chunkBytes?: number;
}

export interface Addresses {
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  readonly constants: readonly number[];
  readonly temporary: number;
  /** Distance of consecutive inputs of the step of the first input. */
  readonly stride: number;
}

export interface KernelMemory {
  use<T>(body: (scratch: Scratch) => T): T;
  /** Runs `kernel` over consecutive ranges of items. */
  stream(plan: Plan, kernel: (at: Addresses, count: number, first: number) => void): void;
}

export function createMemory(wasm: WasmModule): KernelMemory {
  const memory = new Uint8Array(wasm.memory.buffer); // never grows, so this view never detaches
  const base = align(wasm.heapBase());
  let top = base;

  const scratch: Scratch = {
    reserve(bytes) {
      const address = top;
      top = align(top + bytes + SLACK_BYTES);
      if (top > memory.length) {
        const message = `${bytes} more bytes do not fit the ${memory.length} bytes of kernel memory`;
        top = address;
        throw new KernelError('MEMORY_FULL', message);
      }
      return address;
    },
    write: (address, bytes) => memory.set(bytes, address),
    zero: (address, bytes) => memory.fill(0, address, address + bytes),
    read: (address, target) => target.set(memory.subarray(address, address + target.length)),
  };

  function use<T>(body: (scratch: Scratch) => T): T {
    try {
      return body(scratch);
    } finally {
      memory.fill(0, base, top);
      wasm.wipe();
      top = base;
    }
  }

  function stream(plan: Plan, kernel: (at: Addresses, count: number, first: number) => void): void {
    if (plan.count === 0) return;
    const { inputs, outputs } = plan;
    use(() => {
      const size = chunkSize(plan);
      const at = place(plan, size);
      for (let first = 0; first < plan.count; first += size) {
        const count = Math.min(size, plan.count - first);
        for (let i = 0; i < inputs.length; i++) scratch.write(at.inputs[i]!, range(inputs[i]!, first, count));
        kernel(at, count, first);
        for (let i = 0; i < outputs.length; i++) scratch.read(at.outputs[i]!, range(outputs[i]!, first, count));
      }
    });
  }

  function place(plan: Plan, size: number): Addresses {
    const lane = ({ step }: Lane) => scratch.reserve(size * step);
    const inputs = plan.inputs.map(lane);
    const constants = (plan.constants ?? []).map((bytes) => {
      const address = scratch.reserve(bytes.length);
      memory.set(bytes, address);
      return address;
    });
    const stride = align(size * (plan.inputs[0]?.step ?? 0) + SLACK_BYTES);
    return {
      inputs,
      outputs: plan.outputs.map(lane),
      constants,
      temporary: scratch.reserve(size * (plan.temporary ?? 0)),
      stride,
    };
  }

  return { use, stream };
}

function chunkSize(plan: Plan): number {
  let step = plan.temporary ?? 0;
  for (const lane of plan.inputs) step += lane.step;
  for (const lane of plan.outputs) step += lane.step;
  const fitting = Math.max(1, Math.floor((plan.chunkBytes ?? CHUNK_BYTES) / step));
  return Math.min(fitting < CHUNK_ALIGN ? fitting : fitting - (fitting % CHUNK_ALIGN), plan.count);
}

function range({ bytes, step }: Lane, first: number, count: number): Uint8Array {
  const length = count * step;
  return length === bytes.length ? bytes : bytes.subarray(first * step, first * step + length);
}

function align(address: number): number {
  return Math.ceil(address / 64) * 64;
}
