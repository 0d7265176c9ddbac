/**
 * What a coprocessor does with a public evaluation key: key switching and programmable bootstrapping, so that a key
 * can be tried before it is signed (docs/protocols/key-generation.md). All data is public.
 *
 * Keys are 30 to 60 MB and stream past a batch of ciphertexts: bodies are at hand, masks are read from the public mask
 * stream as they are needed, and nothing is kept. Cost per batch: the key's masks and transforms (about 0.1 s); per
 * ciphertext at the default parameters: README.md.
 */
import { wholeItems } from './context.ts';
import { KernelError, requireRange } from './errors.ts';
import type { KernelMemory, Scratch } from './memory.ts';
import { releaseBuffer } from './release.ts';
import type { KernelExports } from './wasm.ts';

const WORD_BYTES = 8;
/** Accumulators of a batch stay in kernel memory. */
export const MAX_BATCH = 64;
const MAX_DIMENSION = 4096;
const MAX_DEGREE = 2048;
/** Key switching rows per step: bounds memory. */
const CHUNK_BYTES = 256 * 1024;
/** Blocks hold 4 bits: message and carry. */
const LOOKUP_SIZE = 16;
const DELTA_LOG2 = 59n;

/** Masks in row order, from their first byte on. */
export interface MaskReader {
  /** The next bytes, in an array that the caller owns. */
  read(byteCount: number): Uint8Array;
}

/** Switches LWE ciphertexts from one key to another. Rows: inputs ascending, levels from high to low. */
export interface KeySwitchingKey {
  readonly masks: MaskReader;
  /** One u64 word per row. */
  readonly bodies: Uint8Array;
  readonly inputDimension: number;
  readonly outputDimension: number;
  readonly baseLog: number;
  readonly levels: number;
}

/** GGSW encryptions of the bits of an LWE key under a GLWE key of one polynomial, one level each. */
export interface BootstrappingKey {
  readonly masks: MaskReader;
  /** 2 rows of polynomialSize u64 words per bit. */
  readonly bodies: Uint8Array;
  readonly inputDimension: number;
  readonly polynomialSize: number;
  readonly baseLog: number;
  /** Compensates the mean of the rounding errors before bootstrapping, as the default parameters do. */
  readonly centredModulusSwitch: boolean;
}

/** Ciphertexts: rows of dimension + 1 words, mask then body, u64 little endian. At most MAX_BATCH of them. */
export interface Evaluator {
  /** The same plaintexts under the output key. Reads all masks of the key. */
  keySwitch(ciphertexts: Uint8Array, key: KeySwitchingKey): Uint8Array;
  /**
   * Ciphertexts of lookup[v] * 2^59 under the GLWE key read as an LWE key, for plaintexts v * 2^59, v in 0..15, with
   * fresh noise. Reads all masks of the key.
   */
  bootstrap(ciphertexts: Uint8Array, key: BootstrappingKey, lookup: readonly number[]): Uint8Array;
}

interface Context {
  readonly wasm: KernelExports;
  readonly memory: KernelMemory;
}

export function createEvaluator(wasm: KernelExports, memory: KernelMemory): Evaluator {
  const context = { wasm, memory };
  return {
    keySwitch: (ciphertexts, key) => keySwitch(context, ciphertexts, key),
    bootstrap: (ciphertexts, key, lookup) => bootstrap(context, ciphertexts, key, lookup),
  };
}

function keySwitch({ wasm, memory }: Context, ciphertexts: Uint8Array, key: KeySwitchingKey): Uint8Array {
  const { inputDimension, outputDimension, baseLog, levels } = key;
  requireRange('output dimension', outputDimension, 1, MAX_DIMENSION);
  requireRange('base log', baseLog, 1, 62);
  requireRange('levels', levels, 1, Math.floor(62 / baseLog));
  const count = requireBatch(ciphertexts, inputDimension);
  requireBodies(key.bodies, inputDimension * levels);
  const [inputStep, outputStep] = [rowBytes(inputDimension), rowBytes(outputDimension)];
  const out = new Uint8Array(count * outputStep);
  const maskBytes = levels * outputDimension * WORD_BYTES; // per input word
  const chunk = Math.max(1, Math.floor(CHUNK_BYTES / maskBytes));
  memory.use((scratch) => {
    const input = copyIn(scratch, ciphertexts);
    const bodies = copyIn(scratch, key.bodies);
    const [output, masks] = [scratch.reserve(out.length), scratch.reserve(chunk * maskBytes)];
    startWithBodies(out, ciphertexts, inputDimension, outputDimension);
    scratch.write(output, out);
    for (let first = 0; first < inputDimension; first += chunk) {
      const words = Math.min(chunk, inputDimension - first);
      copyMasks(scratch, masks, key.masks, words * maskBytes);
      for (let c = 0; c < count; c++) {
        for (let i = 0; i < words; i++) {
          const word = input + c * inputStep + (first + i) * WORD_BYTES;
          const body = bodies + (first + i) * levels * WORD_BYTES;
          const row = masks + i * maskBytes;
          wasm.keySwitchWord(output + c * outputStep, word, row, body, outputDimension, baseLog, levels);
        }
      }
    }
    scratch.read(output, out);
  });
  return out;
}

/** (0, .., 0, b): key switching subtracts from it. */
function startWithBodies(out: Uint8Array, ciphertexts: Uint8Array, inputDimension: number, outputDimension: number) {
  const [inputStep, outputStep] = [rowBytes(inputDimension), rowBytes(outputDimension)];
  for (let c = 0; c * inputStep < ciphertexts.length; c++) {
    out.set(
      ciphertexts.subarray((c + 1) * inputStep - WORD_BYTES, (c + 1) * inputStep),
      (c + 1) * outputStep - WORD_BYTES,
    );
  }
}

function bootstrap(
  { wasm, memory }: Context,
  ciphertexts: Uint8Array,
  key: BootstrappingKey,
  lookup: readonly number[],
): Uint8Array {
  const { inputDimension, polynomialSize: size, baseLog, centredModulusSwitch } = key;
  requireDegree(size);
  requireRange('base log', baseLog, 1, 32);
  const count = requireBatch(ciphertexts, inputDimension);
  requireBodies(key.bodies, inputDimension * 2 * size);
  const out = new Uint8Array(count * rowBytes(size));
  const turnBits = Math.log2(2 * size);
  memory.use((scratch) => {
    const turns = modulusSwitched(wasm, scratch, ciphertexts, { inputDimension, turnBits, centredModulusSwitch });
    const table = copyIn(scratch, lookupPolynomial(lookup, size));
    const accumulators = scratch.reserve(count * size * 16);
    const turnOf = (c: number, i: number) => turns[c * (inputDimension + 1) + i]! % (2 * size);
    for (let c = 0; c < count; c++) {
      const back = (2 * size - turnOf(c, inputDimension)) % (2 * size);
      wasm.startAccumulator(accumulators + c * size * 16, table, back, size);
    }
    const step = blindRotationStep(wasm, scratch, key);
    for (let i = 0; i < inputDimension; i++) {
      step(i, (ggsw, work) => {
        for (let c = 0; c < count; c++) {
          wasm.cmux(accumulators + c * size * 16, ggsw, turnOf(c, i), size, baseLog, work);
        }
      });
    }
    const sample = scratch.reserve(rowBytes(size));
    for (let c = 0; c < count; c++) {
      wasm.extractSample(sample, accumulators + c * size * 16, size);
      scratch.read(sample, out.subarray(c * rowBytes(size), (c + 1) * rowBytes(size)));
    }
  });
  return out;
}

/** Returns a function that prepares the GGSW of bit i, in order, and hands its address and scratch space on. */
function blindRotationStep(
  wasm: KernelExports,
  scratch: Scratch,
  key: BootstrappingKey,
): (i: number, use: (ggsw: number, work: number) => void) => void {
  const size = key.polynomialSize;
  const bytes = 2 * size * WORD_BYTES;
  const [masks, bodies] = [scratch.reserve(bytes), scratch.reserve(bytes)];
  const [ggsw, work] = [scratch.reserve(2 * size * 16), scratch.reserve(size * 16)];
  return (i, use) => {
    copyMasks(scratch, masks, key.masks, bytes);
    scratch.write(bodies, key.bodies.subarray(i * bytes, (i + 1) * bytes));
    wasm.ggswTransform(ggsw, masks, bodies, size);
    use(ggsw, work);
  };
}

function modulusSwitched(
  wasm: KernelExports,
  scratch: Scratch,
  ciphertexts: Uint8Array,
  shape: { inputDimension: number; turnBits: number; centredModulusSwitch: boolean },
): Uint32Array {
  const { inputDimension, turnBits, centredModulusSwitch } = shape;
  const step = rowBytes(inputDimension);
  const count = ciphertexts.length / step;
  const input = copyIn(scratch, ciphertexts);
  const output = scratch.reserve(count * (inputDimension + 1) * 4);
  for (let c = 0; c < count; c++) {
    const to = output + c * (inputDimension + 1) * 4;
    wasm.switchModulus(to, input + c * step, inputDimension, turnBits, centredModulusSwitch);
  }
  const turns = new Uint8Array(count * (inputDimension + 1) * 4);
  scratch.read(output, turns);
  return new Uint32Array(turns.buffer);
}

/** Boxes of N/16 coefficients, each centred on its plaintext: the first half box stands negated at the end. */
function lookupPolynomial(lookup: readonly number[], size: number): Uint8Array {
  if (lookup.length !== LOOKUP_SIZE) {
    throw new KernelError('RANGE', `lookup: ${lookup.length} values, want ${LOOKUP_SIZE}`);
  }
  for (const value of lookup) requireRange('lookup value', value, 0, 2 * LOOKUP_SIZE - 1);
  const box = size / LOOKUP_SIZE;
  const words = new BigUint64Array(size);
  for (let j = 0; j < size; j++) {
    const at = j + box / 2;
    const word = BigInt(lookup[Math.floor((at % size) / box)]!) << DELTA_LOG2;
    words[j] = at < size ? word : -word; // wraps
  }
  return new Uint8Array(words.buffer);
}

function rowBytes(dimension: number): number {
  return (dimension + 1) * WORD_BYTES;
}

function copyIn(scratch: Scratch, bytes: Uint8Array): number {
  const address = scratch.reserve(bytes.length);
  scratch.write(address, bytes);
  return address;
}

function requireBatch(ciphertexts: Uint8Array, dimension: number): number {
  requireRange('input dimension', dimension, 1, MAX_DIMENSION);
  const count = wholeItems('ciphertexts', ciphertexts, rowBytes(dimension));
  requireRange('ciphertexts in a batch', count, 0, MAX_BATCH);
  return count;
}

function requireBodies(bodies: Uint8Array, words: number): void {
  if (bodies.length !== words * WORD_BYTES) {
    throw new KernelError('BATCH_LENGTH', `bodies: ${bodies.length} bytes, want ${words * WORD_BYTES}`);
  }
}

function copyMasks(scratch: Scratch, address: number, masks: MaskReader, byteCount: number): void {
  const bytes = masks.read(byteCount);
  if (bytes.length !== byteCount) {
    throw new KernelError('BATCH_LENGTH', `masks: read ${bytes.length} bytes, want ${byteCount}`);
  }
  scratch.write(address, bytes);
  releaseBuffer(bytes);
}

function requireDegree(size: number): void {
  requireRange('polynomial size', size, 2 * LOOKUP_SIZE, MAX_DEGREE);
  if ((size & (size - 1)) !== 0) throw new KernelError('RANGE', `polynomial size ${size} is not a power of two`);
}
