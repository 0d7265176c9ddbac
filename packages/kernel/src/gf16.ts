/**
 * GF(16) over whole batches, one element per byte in memory and two per byte on the wire. Constants are public; batches
 * may be secret: everything runs on SIMD registers without a memory access that depends on an element.
 */
import type { Gf16, Matrix } from './batch.ts';
import { KernelError, requireRange } from './errors.ts';
import { field16Mul, field16Products } from './field16.ts';
import type { Keystream } from './keystream.ts';
import type { KernelMemory, Lane } from './memory.ts';
import type { Opening } from './ring.ts';
import { requireMatrix, requireOpeningMatrix, requireSameLength } from './shape.ts';
import type { KernelExports } from './wasm.ts';

/** Contracts as in Ring; scalar constants are numbers 0..15, matrices hold field elements. Subtraction is addition. */
export interface Gf16Ring {
  readonly bytesPerElement: 1;
  zeros(count: number): Gf16;
  count(batch: Gf16): number;
  add(a: Gf16, b: Gf16): Gf16;
  mul(a: Gf16, b: Gf16): Gf16;
  scale(constant: number, a: Gf16): Gf16;
  addScaled(acc: Gf16, constant: number, a: Gf16): Gf16;
  evaluate(coefficients: readonly Gf16[], point: number): Gf16;
  multiply(matrix: Matrix<Gf16>, columns: readonly Gf16[]): Gf16[];
  open(matrix: Matrix<Gf16>, shares: readonly Gf16[]): Opening<Gf16>;
  /** sum over subsets of weights[A] * psi_A; psi_A are the nibbles of keystream A, low first: ceil(count/2) bytes of each. */
  prss(streams: readonly Keystream[], weights: Uint8Array, count: number): Gf16;
  /** Two elements per byte, low nibble first; a missing last element is 0. */
  pack(batch: Gf16): Uint8Array;
  /** Inverse of pack: `bytes` has ceil(count/2) bytes. Throws NOT_AN_ELEMENT if the unused nibble is not 0. */
  unpack(bytes: Uint8Array, count: number): Gf16;
}

const MAX_COUNT = 2 ** 28;
const PRSS_CHUNK_BYTES = 64 * 1024;

export function createGf16(wasm: KernelExports, memory: KernelMemory): Gf16Ring {
  const zeros = (count: number): Gf16 => new Uint8Array(count) as unknown as Gf16;
  const lane = (bytes: Uint8Array): Lane => ({ bytes, step: 1 });

  function elementwise(kernel: typeof wasm.gf16Add, a: Gf16, b: Gf16): Gf16 {
    requireSameLength('gf16', [a, b]);
    const out = zeros(a.length);
    memory.stream({ count: a.length, inputs: [lane(a), lane(b)], outputs: [lane(out)] }, ({ inputs, outputs }, size) =>
      kernel(outputs[0]!, inputs[0]!, inputs[1]!, size),
    );
    return out;
  }

  function multiply(matrix: Matrix<Gf16>, columns: readonly Gf16[]): Gf16[] {
    requireMatrix('gf16', matrix, 1);
    if (columns.length !== matrix.cols) {
      throw new KernelError('MATRIX_SHAPE', `gf16: ${columns.length} batches for ${matrix.cols} columns`);
    }
    requireSameLength('gf16', columns);
    const out = Array.from({ length: matrix.rows }, () => zeros(columns[0]!.length));
    const plan = {
      count: columns[0]!.length,
      inputs: columns.map(lane),
      outputs: out.map(lane),
      constants: [productTables(matrix.elements)],
    };
    memory.stream(plan, ({ inputs, outputs, constants, stride }, size) => {
      outputs.forEach((address, r) => {
        wasm.gf16Row(address, constants[0]! + 16 * r * matrix.cols, inputs[0]!, stride, matrix.cols, size);
      });
    });
    return out;
  }

  /** sum_j constants[j] * columns[j] */
  function combine(constants: readonly number[], columns: readonly Gf16[]): Gf16 {
    const elements = Uint8Array.from(constants) as unknown as Gf16;
    return multiply({ rows: 1, cols: constants.length, elements }, columns)[0]!;
  }

  function evaluate(coefficients: readonly Gf16[], point: number): Gf16 {
    requireRange('point', point, 0, 15);
    requireRange('number of coefficients', coefficients.length, 1, 16);
    let power = 1;
    const powers = coefficients.map((_, k) => {
      if (k > 0) power = field16Mul(power, point);
      return power;
    });
    return combine(powers, coefficients);
  }

  function open(matrix: Matrix<Gf16>, shares: readonly Gf16[]): Opening<Gf16> {
    requireOpeningMatrix('gf16', matrix, 1, shares.length);
    requireSameLength('gf16', shares);
    const values = zeros(shares[0]!.length);
    const plan = {
      count: values.length,
      inputs: shares.map(lane),
      outputs: [lane(values)],
      constants: [productTables(matrix.elements)],
      temporary: 1,
    };
    let firstInconsistent = -1;
    memory.stream(plan, ({ inputs, outputs, constants, temporary, stride }, size, first) => {
      wasm.gf16Row(outputs[0]!, constants[0]!, inputs[0]!, stride, matrix.cols, size);
      for (let r = 1; r < matrix.rows; r++) {
        wasm.gf16Row(temporary, constants[0]! + 16 * r * matrix.cols, inputs[0]!, stride, matrix.cols, size);
        const element = first + wasm.firstDifference(temporary, inputs[matrix.cols + r - 1]!, size);
        if (element < first + size && (firstInconsistent < 0 || element < firstInconsistent))
          firstInconsistent = element;
      }
    });
    return { values, firstInconsistent };
  }

  function prss(streams: readonly Keystream[], weights: Uint8Array, count: number): Gf16 {
    requireRange('count', count, 0, MAX_COUNT);
    if (streams.length !== weights.length) {
      throw new KernelError('BATCH_LENGTH', `gf16 prss: ${streams.length} keystreams for ${weights.length} weights`);
    }
    const packed = new Uint8Array(Math.ceil(count / 2));
    const size = Math.min(packed.length, PRSS_CHUNK_BYTES);
    memory.use((scratch) => {
      const tables = productTables(weights);
      const table = scratch.reserve(tables.length);
      scratch.write(table, tables);
      const keystream = scratch.reserve(size);
      const accumulator = scratch.reserve(size);
      for (let first = 0; first < packed.length; first += size) {
        const bytes = Math.min(size, packed.length - first);
        scratch.zero(accumulator, bytes);
        streams.forEach((stream, s) => {
          const block = stream.read(bytes);
          scratch.write(keystream, block);
          block.fill(0);
          wasm.gf16AccumulatePacked(accumulator, keystream, table + 16 * s, bytes);
        });
        scratch.read(accumulator, packed.subarray(first, first + bytes));
      }
    });
    const elements = unpackAll(packed);
    packed.fill(0);
    return elements.length === count ? elements : (cut(elements, count) as Gf16);
  }

  function unpackAll(bytes: Uint8Array): Gf16 {
    const out = zeros(2 * bytes.length);
    const plan = { count: bytes.length, inputs: [lane(bytes)], outputs: [{ bytes: out, step: 2 }] };
    memory.stream(plan, ({ inputs, outputs }, size) => wasm.gf16Unpack(outputs[0]!, inputs[0]!, size));
    return out;
  }

  function pack(batch: Gf16): Uint8Array {
    const out = new Uint8Array(Math.ceil(batch.length / 2));
    const even = new Uint8Array(2 * out.length);
    even.set(batch);
    const plan = { count: out.length, inputs: [{ bytes: even, step: 2 }], outputs: [lane(out)] };
    memory.stream(plan, ({ inputs, outputs }, size) => wasm.gf16Pack(outputs[0]!, inputs[0]!, size));
    even.fill(0);
    return out;
  }

  function unpack(bytes: Uint8Array, count: number): Gf16 {
    requireRange('count', count, 0, MAX_COUNT);
    if (bytes.length !== Math.ceil(count / 2)) {
      throw new KernelError(
        'BATCH_LENGTH',
        `gf16 unpack: ${bytes.length} bytes for ${count} elements, want ${Math.ceil(count / 2)}`,
      );
    }
    const elements = unpackAll(bytes);
    if (elements.length === count) return elements;
    if (elements[count] !== 0) throw new KernelError('NOT_AN_ELEMENT', 'gf16 unpack: the unused last nibble is not 0');
    return cut(elements, count) as Gf16;
  }

  return {
    bytesPerElement: 1,
    zeros(count) {
      requireRange('count', count, 0, MAX_COUNT);
      return zeros(count);
    },
    count: (batch) => batch.length,
    add: (a, b) => elementwise(wasm.gf16Add, a, b),
    mul: (a, b) => elementwise(wasm.gf16Mul, a, b),
    scale: (constant, a) => combine([constant], [a]),
    addScaled: (acc, constant, a) => combine([1, constant], [acc, a]),
    evaluate,
    multiply,
    open,
    prss,
    pack,
    unpack,
  };
}

function cut(elements: Uint8Array, count: number): Uint8Array {
  const out = elements.slice(0, count);
  elements.fill(0);
  return out;
}

/** 16 bytes per constant: its products with 0..15. Throws NOT_AN_ELEMENT for a constant above 15. */
function productTables(constants: Uint8Array): Uint8Array {
  const tables = new Uint8Array(16 * constants.length);
  constants.forEach((constant, i) => {
    tables.set(PRODUCTS[constant] ?? field16Products(constant), 16 * i);
  });
  return tables;
}

const PRODUCTS = Array.from({ length: 16 }, (_, constant) => field16Products(constant));
