/**
 * Bodies of GLWE rows on shares: key generation multiplies public mask polynomials by a shared key a hundred thousand
 * times, so the key is transformed once. Results are packed four coefficients to an element, the form in which bodies
 * are opened (docs/protocols/key-generation.md): packedBodies(masks) equals pack4 of the unpacked products.
 * Exact for every input; the bound is in assembly/glwe.ts.
 */
import type { Gr64, Gr128 } from './batch.ts';
import { elementCount, type RingContext, wholeItems, zeros } from './context.ts';
import { KernelError, requireRange } from './errors.ts';
import type { Scratch } from './memory.ts';

type Element = Gr64 | Gr128;

const MIN_DEGREE = 16;
const MAX_DEGREE = 2048;
const MAX_POLYNOMIALS = 16;
/** Mask words that one pass may sum: the exactness bound. Larger GLWE dimensions take several passes. */
const MAX_PASS_WORDS = 4096;
const COORDINATES = 4;
const PHASES = 4; // residues of the exponent mod 4

/** Shares of a GLWE key, transformed. Holds secrets in ordinary memory until erased. */
export interface GlweKey<E> {
  /** k, the number of polynomials of the key. */
  readonly dimension: number;
  /** N. */
  readonly polynomialSize: number;
  /**
   * Shares of sum_q mask_q(X) * key_q(X) mod X^N+1 for every row, four coefficients to an element:
   * out[row*N/4 + i] = sum_j theta^j * coefficient 4i+j.
   * @param masks rows of k*N words, u64 or u128 little endian as the ring. Public.
   */
  packedBodies(masks: Uint8Array): E;
  /** Zeroes the transforms. Using the key afterwards throws ERASED. */
  erase(): void;
}

export interface GlweKernel<E> {
  /** @param key k*N elements, polynomial after polynomial; N a power of two in 16..2048. Only read. */
  prepareKey(key: E, polynomialSize: number): GlweKey<E>;
}

export function createGlwe<E extends Element>(context: RingContext): GlweKernel<E> {
  return { prepareKey: (key, polynomialSize) => prepareKey(context, key, polynomialSize) };
}

function prepareKey<E extends Element>(context: RingContext, key: E, polynomialSize: number): GlweKey<E> {
  requireRange('polynomial size', polynomialSize, MIN_DEGREE, MAX_DEGREE);
  if ((polynomialSize & (polynomialSize - 1)) !== 0) {
    throw new KernelError('RANGE', `polynomial size ${polynomialSize} is not a power of two`);
  }
  const dimension = wholeItems('key', key, polynomialSize * context.bytesPerElement);
  requireRange('GLWE dimension', dimension, 1, MAX_POLYNOMIALS);
  const bytes = polynomialSize * context.bytesPerElement;
  const factors = Array.from({ length: dimension }, (_, q) =>
    phaseFactors(context, key.subarray(q * bytes, (q + 1) * bytes) as E),
  ).flat();
  const prepared = prepareFactors(context, factors, polynomialSize);
  for (const factor of factors) factor.fill(0);
  return prepared;
}

/** pack4(X^r * key mod X^N+1) for r = 0..3. */
function phaseFactors<E extends Element>(context: RingContext, key: E): E[] {
  const { bytesPerElement, memory, ring } = context;
  const count = elementCount(context, key);
  const factors = Array.from({ length: PHASES }, () => zeros<E>(context, count / COORDINATES));
  memory.use((scratch) => {
    const head = PHASES * bytesPerElement; // the last elements, negated, stand before the first
    const at = scratch.reserve(head + key.length);
    const packed = scratch.reserve(key.length / COORDINATES);
    scratch.write(at + head, key);
    scratch.zero(packed, head);
    ring.sub(at, packed, at + key.length, PHASES);
    factors.forEach((factor, r) => {
      ring.pack4(packed, at + head - r * bytesPerElement, count / COORDINATES);
      scratch.read(packed, factor);
    });
  });
  return factors;
}

/**
 * The key whose packed products are sum_i part_i(Y) * factor_i(Y) mod Y^{N/4}+1, part_i the i-th part of the mask.
 * @param factors 4 per polynomial, N/4 elements each
 */
export function prepareFactors<E extends Element>(
  context: RingContext,
  factors: readonly E[],
  polynomialSize: number,
): GlweKey<E> {
  const dimension = factors.length / PHASES;
  const passes = Math.ceil((dimension * polynomialSize) / MAX_PASS_WORDS);
  const perPass = Math.ceil(dimension / passes);
  const tables: Uint8Array[] = [];
  for (let q = 0; q < dimension; q += perPass) {
    tables.push(keyTable(context, factors.slice(PHASES * q, PHASES * (q + perPass)), polynomialSize));
  }
  let erased = false;
  return {
    dimension,
    polynomialSize,
    packedBodies(masks) {
      if (erased) throw new KernelError('ERASED', 'this GLWE key was erased; prepare it again from its shares');
      return packedBodies(context, tables, { polynomialSize, dimension, perPass }, masks);
    },
    erase() {
      for (const table of tables) table.fill(0);
      erased = true;
    },
  };
}

/** By point, component and factor, as assembly/glwe.ts reads it. */
function keyTable(context: RingContext, factors: readonly Element[], polynomialSize: number): Uint8Array {
  const { bytesPerElement, wordBytes, wasm, memory } = context;
  const [planes, points] = [wordBytes / 4, polynomialSize / 8];
  const entry = planes * 32;
  const stride = entry * factors.length * COORDINATES;
  const table = new Uint8Array(stride * points);
  memory.use((scratch) => {
    const at = scratch.reserve(table.length);
    const [words, transformed] = [scratch.reserve(factors[0]!.length), scratch.reserve(planes * points * 32)];
    factors.forEach((factor, i) => {
      scratch.write(words, factor);
      for (let c = 0; c < COORDINATES; c++) {
        wasm.transform(transformed, words + c * wordBytes, bytesPerElement, polynomialSize / COORDINATES, planes);
        wasm.spreadKey(at + entry * (c * factors.length + i), stride, transformed, points, planes);
      }
    });
    scratch.read(at, table);
  });
  return table;
}

interface RowShape {
  readonly polynomialSize: number;
  readonly dimension: number;
  readonly perPass: number;
}

function packedBodies<E extends Element>(
  context: RingContext,
  tables: readonly Uint8Array[],
  shape: RowShape,
  masks: Uint8Array,
): E {
  const { wordBytes, bytesPerElement, memory } = context;
  const rowBytes = shape.dimension * shape.polynomialSize * wordBytes;
  const bodyBytes = (shape.polynomialSize / COORDINATES) * bytesPerElement;
  const rows = wholeItems('masks', masks, rowBytes);
  const out = zeros<E>(context, (rows * bodyBytes) / bytesPerElement);
  if (rows === 0) return out;
  memory.use((scratch) => {
    const row = rowMultiplier(context, scratch, tables, shape);
    const [input, output] = [scratch.reserve(rowBytes), scratch.reserve(bodyBytes)];
    for (let r = 0; r < rows; r++) {
      scratch.write(input, masks.subarray(r * rowBytes, (r + 1) * rowBytes));
      scratch.zero(output, bodyBytes);
      row(output, input);
      scratch.read(output, out.subarray(r * bodyBytes, (r + 1) * bodyBytes));
    }
  });
  return out;
}

/** Copies the tables in and returns a function that adds one row's body to `output`. */
function rowMultiplier(
  { wordBytes, wasm }: RingContext,
  scratch: Scratch,
  tables: readonly Uint8Array[],
  { polynomialSize, dimension, perPass }: RowShape,
): (output: number, input: number) => void {
  const planes = wordBytes / 4;
  const passBytes = perPass * polynomialSize * wordBytes;
  const addresses = tables.map((table) => {
    const address = scratch.reserve(table.length);
    scratch.write(address, table);
    return address;
  });
  const work = scratch.reserve(wasm.glweScratchBytes(perPass, polynomialSize, planes));
  return (output, input) => {
    addresses.forEach((table, pass) => {
      const polynomials = Math.min(perPass, dimension - pass * perPass);
      wasm.glweRow(output, input + pass * passBytes, table, polynomials, polynomialSize, planes, work);
    });
  };
}
