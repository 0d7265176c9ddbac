/**
 * GF(16) over whole batches, one element per byte in memory and two per byte on the wire. Constants are public; batches
 * may be secret: everything runs on SIMD registers without a memory access that depends on an element.
 */
import type { Gf16, Matrix } from './batch.ts';
import { convert } from './context.ts';
import { KernelError, requireRange } from './errors.ts';
import { field16Mul, field16Products } from './field16.ts';
import type { Keystream } from './keystream.ts';
import type { KernelMemory, Lane, Scratch } from './memory.ts';
import { copyKeystream } from './randomness.ts';
import type { Opening } from './ring.ts';
import { requireColumns, requireMatrix, requireOpeningMatrix, requireSameLength } from './shape.ts';
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
  /** sum over subsets of weights[A] * psi_A, psi_A the nibbles of stream A, low first: ceil(count/2) bytes of each. */
  prss(streams: readonly Keystream[], weights: Uint8Array, count: number): Gf16;
  /** Two elements per byte, low nibble first; a missing last element is 0. */
  pack(batch: Gf16): Uint8Array;
  /** Inverse of pack: `bytes` has ceil(count/2) bytes. Throws NOT_AN_ELEMENT if the unused nibble is not 0. */
  unpack(bytes: Uint8Array, count: number): Gf16;
}

const MAX_COUNT = 2 ** 28;
const PRSS_CHUNK_BYTES = 64 * 1024;
/** Per constant its products with 0..15. */
const PRODUCTS = Array.from({ length: 16 }, (_, constant) => field16Products(constant));

interface Context {
  readonly wasm: KernelExports;
  readonly memory: KernelMemory;
}

export function createGf16(wasm: KernelExports, memory: KernelMemory): Gf16Ring {
  const context = { wasm, memory };
  return {
    bytesPerElement: 1,
    zeros(count) {
      requireRange('count', count, 0, MAX_COUNT);
      return zeros(count);
    },
    count: (batch) => batch.length,
    add: (a, b) => elementwise(context, wasm.gf16Add, a, b),
    mul: (a, b) => elementwise(context, wasm.gf16Mul, a, b),
    scale: (constant, a) => combine(context, [constant], [a]),
    addScaled: (acc, constant, a) => combine(context, [1, constant], [acc, a]),
    evaluate: (coefficients, point) => evaluate(context, coefficients, point),
    multiply: (matrix, columns) => multiply(context, matrix, columns),
    open: (matrix, shares) => open(context, matrix, shares),
    prss: (streams, weights, count) => prss(context, streams, weights, count),
    pack: (batch) => pack(context, batch),
    unpack: (bytes, count) => unpack(context, bytes, count),
  };
}

function zeros(count: number): Gf16 {
  return new Uint8Array(count) as unknown as Gf16;
}

function lane(bytes: Uint8Array): Lane {
  return { bytes, step: 1 };
}

function elementwise({ memory }: Context, kernel: KernelExports['gf16Add'], a: Gf16, b: Gf16): Gf16 {
  requireSameLength('gf16', [a, b]);
  const out = zeros(a.length);
  memory.stream({ count: a.length, inputs: [lane(a), lane(b)], outputs: [lane(out)] }, ({ inputs, outputs }, count) =>
    kernel(outputs[0]!, inputs[0]!, inputs[1]!, count),
  );
  return out;
}

function multiply({ wasm, memory }: Context, matrix: Matrix<Gf16>, columns: readonly Gf16[]): Gf16[] {
  requireMatrix('gf16', matrix, 1);
  requireColumns('gf16', matrix, columns);
  const count = columns[0]!.length;
  const out = Array.from({ length: matrix.rows }, () => zeros(count));
  const constants = [productTables(matrix.elements)];
  memory.stream({ count, inputs: columns.map(lane), outputs: out.map(lane), constants }, (at, items) => {
    at.outputs.forEach((address, r) => {
      const tables = at.constants[0]! + 16 * r * matrix.cols;
      wasm.gf16Row(address, tables, at.inputs[0]!, at.stride, matrix.cols, items);
    });
  });
  return out;
}

/** sum_j constants[j] * columns[j] */
function combine(context: Context, constants: readonly number[], columns: readonly Gf16[]): Gf16 {
  for (const constant of constants) requireRange('GF(16) constant', constant, 0, 15);
  const elements = Uint8Array.from(constants) as unknown as Gf16;
  return multiply(context, { rows: 1, cols: constants.length, elements }, columns)[0]!;
}

function evaluate(context: Context, coefficients: readonly Gf16[], point: number): Gf16 {
  requireRange('point', point, 0, 15);
  requireRange('number of coefficients', coefficients.length, 1, 16);
  const powers = [1];
  while (powers.length < coefficients.length) powers.push(field16Mul(powers.at(-1)!, point));
  return combine(context, powers, coefficients);
}

function open({ wasm, memory }: Context, matrix: Matrix<Gf16>, shares: readonly Gf16[]): Opening<Gf16> {
  const { rows, cols } = matrix;
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
  memory.stream(plan, ({ inputs, outputs, constants, temporary, stride }, items, first) => {
    wasm.gf16Row(outputs[0]!, constants[0]!, inputs[0]!, stride, cols, items);
    for (let r = 1; r < rows; r++) {
      wasm.gf16Row(temporary, constants[0]! + 16 * r * cols, inputs[0]!, stride, cols, items);
      const element = first + wasm.firstDifference(temporary, inputs[cols + r - 1]!, items);
      if (element < first + items && (firstInconsistent < 0 || element < firstInconsistent))
        firstInconsistent = element;
    }
  });
  return { values, firstInconsistent };
}

function prss(context: Context, streams: readonly Keystream[], weights: Uint8Array, count: number): Gf16 {
  requireRange('count', count, 0, MAX_COUNT);
  if (streams.length !== weights.length) {
    throw new KernelError('BATCH_LENGTH', `gf16 prss: ${streams.length} keystreams for ${weights.length} weights`);
  }
  const packed = new Uint8Array(Math.ceil(count / 2));
  context.memory.use((scratch) => accumulateStreams(context.wasm, scratch, streams, productTables(weights), packed));
  const elements = unpackAll(context, packed);
  packed.fill(0);
  return elements.length === count ? elements : cut(elements, count);
}

/** packed = sum of streams times constants, two elements per byte. */
function accumulateStreams(
  wasm: KernelExports,
  scratch: Scratch,
  streams: readonly Keystream[],
  tables: Uint8Array,
  packed: Uint8Array,
): void {
  const size = Math.min(packed.length, PRSS_CHUNK_BYTES);
  const [table, keystream, accumulator] = [
    scratch.reserve(tables.length),
    scratch.reserve(size),
    scratch.reserve(size),
  ];
  scratch.write(table, tables);
  for (let first = 0; first < packed.length; first += size) {
    const bytes = Math.min(size, packed.length - first);
    scratch.zero(accumulator, bytes);
    streams.forEach((stream, s) => {
      copyKeystream(scratch, keystream, stream, bytes);
      wasm.gf16AccumulatePacked(accumulator, keystream, table + 16 * s, bytes);
    });
    scratch.read(accumulator, packed.subarray(first, first + bytes));
  }
}

function pack({ wasm, memory }: Context, batch: Gf16): Uint8Array {
  const out = new Uint8Array(Math.ceil(batch.length / 2));
  const even = new Uint8Array(2 * out.length);
  even.set(batch);
  convert(memory, { bytes: even, step: 2 }, lane(out), wasm.gf16Pack);
  even.fill(0);
  return out;
}

function unpack(context: Context, bytes: Uint8Array, count: number): Gf16 {
  requireRange('count', count, 0, MAX_COUNT);
  const wanted = Math.ceil(count / 2);
  if (bytes.length !== wanted) {
    throw new KernelError('BATCH_LENGTH', `gf16 unpack: ${bytes.length} bytes for ${count} elements, want ${wanted}`);
  }
  const elements = unpackAll(context, bytes);
  if (elements.length === count) return elements;
  if (elements[count] !== 0) throw new KernelError('NOT_AN_ELEMENT', 'gf16 unpack: the unused last nibble is not 0');
  return cut(elements, count);
}

function unpackAll({ wasm, memory }: Context, bytes: Uint8Array): Gf16 {
  return convert(memory, lane(bytes), { bytes: zeros(2 * bytes.length), step: 2 }, wasm.gf16Unpack);
}

function cut(elements: Gf16, count: number): Gf16 {
  const out = elements.slice(0, count) as Gf16;
  elements.fill(0);
  return out;
}

/** 16 bytes per constant. Throws NOT_AN_ELEMENT for a constant above 15. */
function productTables(constants: Uint8Array): Uint8Array {
  const tables = new Uint8Array(16 * constants.length);
  constants.forEach((constant, i) => {
    tables.set(PRODUCTS[constant] ?? field16Products(constant), 16 * i);
  });
  return tables;
}
