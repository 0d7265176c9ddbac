/**
 * Galois rings over whole batches, one implementation for 64-bit and 128-bit words. Every function takes batches that
 * it only reads and returns fresh ones; all secret-dependent work is constant-time (integer add, multiply, shift, mask).
 * Layout and measured cost per element: README.md. Mathematics: docs/protocols/sharing.md.
 */
import type { Gf16, Gr64, Gr128, Matrix } from './batch.ts';
import { KernelError, requireRange } from './errors.ts';
import type { Keystream } from './keystream.ts';
import type { KernelMemory, Lane } from './memory.ts';
import { createRingRandomness } from './randomness.ts';
import { requireMatrix, requireOpeningMatrix, requireSameLength } from './shape.ts';
import { type KernelExports, ringExports } from './wasm.ts';
import type { SmallWeights } from './weights.ts';

export interface Opening<E> {
  readonly values: E;
  /** Index of the first element whose shares are not on one polynomial of the matrix's degree; -1 when all agree. */
  readonly firstInconsistent: number;
}

/** Everything throws BATCH_LENGTH when batches of one call differ in length, RANGE for a number out of its range. */
export interface Ring<E> {
  readonly bytesPerElement: number;
  zeros(count: number): E;
  /** Number of elements. Throws BATCH_LENGTH unless the bytes are whole elements. */
  count(batch: E): number;

  /** Element by element. */
  add(a: E, b: E): E;
  sub(a: E, b: E): E;
  mul(a: E, b: E): E;
  /** constant * a[i]; `constant` is one element. */
  scale(constant: E, a: E): E;
  /** acc[i] + constant * a[i]; `constant` is one element. */
  addScaled(acc: E, constant: E, a: E): E;
  /** sum_k coefficients[k][i] * alpha^k at the exceptional point of index 0..15. No multiplications. */
  evaluate(coefficients: readonly E[], point: number): E;
  /** Matrix times the vector of batches: `cols` inputs, `rows` outputs. */
  multiply(matrix: Matrix<E>, columns: readonly E[]): E[];
  /** Opens `shares` with the matrix of `openingMatrix` for their points: cols + rows - 1 of them, in that order. */
  open(matrix: Matrix<E>, shares: readonly E[]): Opening<E>;

  /** Base-ring integers (8 or 16 bytes little-endian each) as elements with coordinates 1..3 zero. */
  embed(words: Uint8Array): E;
  /** The words of one coordinate. */
  coordinate(batch: E, k: 0 | 1 | 2 | 3): Uint8Array;
  /** True iff coordinates 1..3 of all elements are zero. */
  isBaseRing(batch: E): boolean;
  /** out[i] = sum_k X^k * batch[4i+k]: linear, so it packs shares of base-ring values. */
  pack4(batch: E): E;
  /** Coordinate k of element i as base-ring element 4i+k: the inverse of pack4 on base-ring elements. */
  unpack4(batch: E): E;
  /** The elements mod 2; shares of a bit become GF(16) shares of the same bit. */
  residue(batch: E): Gf16;

  /** Shares of `count` fresh uniform elements: sum over subsets of weight * keystream; reads count elements of each stream. */
  prss(streams: readonly Keystream[], weights: SmallWeights, count: number): E;
  /**
   * `count` elements of 4 samples: each coefficient is u + beta, u uniform in [0, 2^width), beta one more uniform bit, from
   * ceil((width+1)/8) keystream bytes. TUniform(b) = noise(width b+1) - 2^b. width 1..62.
   */
  noise(stream: Keystream, width: number, count: number): E;

  /** The low `coefficientBytes` bytes of every coefficient, 4*coefficientBytes per element. */
  toWire(batch: E, coefficientBytes: number): Uint8Array;
  /** Inverse up to scaling: the bytes become the HIGH bytes, so that `open` is exact mod 2^(8*coefficientBytes). */
  fromWire(bytes: Uint8Array, coefficientBytes: number): E;
  /** Undoes the scaling of fromWire on opened values. */
  lowBits(batch: E, coefficientBytes: number): E;

  /**
   * Shares of random bits: `a` own share, `opened` the value v = a^2 + a mod 2^(8*coefficientBytes). Exact mod that power; higher
   * bits are meaningless. Uses the canonical root (SPEC R9). Throws ROOT_MISSING if v has none: stop the session.
   */
  bitShares(a: E, opened: E, coefficientBytes?: number): E;
  /** out[i] = sum_j 2^j * bits[i*width + j]. */
  combineBits(bits: E, width: number): E;
}

interface RingShape {
  readonly name: 'gr64' | 'gr128';
  readonly wordBytes: 8 | 16;
}

export function createRing<E extends Gr64 | Gr128>(
  wasm: KernelExports,
  memory: KernelMemory,
  shape: RingShape,
): Ring<E> {
  const { name, wordBytes } = shape;
  const bytesPerElement = 4 * wordBytes;
  const ring = ringExports(wasm, name);
  const count = (batch: Uint8Array): number => wholeItems(name, batch, bytesPerElement);
  const zeros = (size: number): E => new Uint8Array(size * bytesPerElement) as unknown as E;
  const lane = (bytes: Uint8Array): Lane => ({ bytes, step: bytesPerElement });

  function elementwise(kernel: typeof ring.add, a: E, b: E): E {
    requireSameLength(name, [a, b]);
    const out = zeros(count(a));
    memory.stream({ count: count(a), inputs: [lane(a), lane(b)], outputs: [lane(out)] }, ({ inputs, outputs }, size) =>
      kernel(outputs[0]!, inputs[0]!, inputs[1]!, size),
    );
    return out;
  }

  /** Words of `step` input bytes each to words of `outStep` output bytes each. */
  function convert<T extends Uint8Array>(
    input: Lane,
    output: Lane & { readonly bytes: T },
    kernel: (out: number, a: number, size: number) => void,
  ): T {
    const size = wholeItems(name, input.bytes, input.step);
    memory.stream({ count: size, inputs: [input], outputs: [output] }, ({ inputs, outputs }, items) =>
      kernel(outputs[0]!, inputs[0]!, items),
    );
    return output.bytes;
  }

  function addScaled(acc: E | undefined, constant: E, a: E): E {
    if (count(constant) !== 1)
      throw new KernelError('BATCH_LENGTH', `${name}: the constant has ${count(constant)} elements, want 1`);
    const out = zeros(count(a));
    const batches = acc ? [a, acc] : [a];
    requireSameLength(name, batches);
    const plan = { count: count(a), inputs: batches.map(lane), outputs: [lane(out)], constants: [constant] };
    memory.stream(plan, ({ inputs, outputs, constants }, size) => {
      ring.row(outputs[0]!, constants[0]!, inputs[0]!, 0, 1, size);
      if (acc) ring.add(outputs[0]!, outputs[0]!, inputs[1]!, size);
    });
    return out;
  }

  function evaluate(coefficients: readonly E[], point: number): E {
    requireRange('point', point, 0, 15);
    requireRange('number of coefficients', coefficients.length, 1, 16);
    requireSameLength(name, coefficients);
    const last = coefficients.length - 1;
    if (last === 0) return coefficients[0]!.slice() as E;
    const out = zeros(count(coefficients[0]!));
    memory.stream(
      { count: count(out), inputs: coefficients.map(lane), outputs: [lane(out)] },
      ({ inputs, outputs }, size) => {
        ring.horner(outputs[0]!, inputs[last]!, inputs[last - 1]!, point, size);
        for (let k = last - 2; k >= 0; k--) ring.horner(outputs[0]!, outputs[0]!, inputs[k]!, point, size);
      },
    );
    return out;
  }

  function multiply(matrix: Matrix<E>, columns: readonly E[]): E[] {
    requireMatrix(name, matrix, bytesPerElement);
    if (columns.length !== matrix.cols) {
      throw new KernelError('MATRIX_SHAPE', `${name}: ${columns.length} batches for ${matrix.cols} columns`);
    }
    requireSameLength(name, columns);
    const size = columns.length === 0 ? 0 : count(columns[0]!);
    const out = Array.from({ length: matrix.rows }, () => zeros(size));
    const plan = { count: size, inputs: columns.map(lane), outputs: out.map(lane), constants: [matrix.elements] };
    memory.stream(plan, ({ inputs, outputs, constants, stride }, items) => {
      outputs.forEach((address, r) => {
        ring.row(address, constants[0]! + r * matrix.cols * bytesPerElement, inputs[0]!, stride, matrix.cols, items);
      });
    });
    return out;
  }

  function open(matrix: Matrix<E>, shares: readonly E[]): Opening<E> {
    requireOpeningMatrix(name, matrix, bytesPerElement, shares.length);
    requireSameLength(name, shares);
    const values = zeros(count(shares[0]!));
    const rowBytes = matrix.cols * bytesPerElement;
    const plan = {
      count: count(values),
      inputs: shares.map(lane),
      outputs: [lane(values)],
      constants: [matrix.elements],
      temporary: bytesPerElement,
    };
    let firstInconsistent = -1;
    memory.stream(plan, ({ inputs, outputs, constants, temporary, stride }, items, first) => {
      ring.row(outputs[0]!, constants[0]!, inputs[0]!, stride, matrix.cols, items);
      for (let r = 1; r < matrix.rows; r++) {
        ring.row(temporary, constants[0]! + r * rowBytes, inputs[0]!, stride, matrix.cols, items);
        const difference = wasm.firstDifference(temporary, inputs[matrix.cols + r - 1]!, items * bytesPerElement);
        const element = first + Math.floor(difference / bytesPerElement);
        if (element < first + items && (firstInconsistent < 0 || element < firstInconsistent))
          firstInconsistent = element;
      }
    });
    return { values, firstInconsistent };
  }

  function embed(words: Uint8Array): E {
    const out = zeros(wholeItems(name, words, wordBytes));
    return convert({ bytes: words, step: wordBytes }, lane(out) as Lane & { bytes: E }, (to, from, size) =>
      wasm.embedWords(to, from, wordBytes, size),
    );
  }

  function coordinate(batch: E, k: 0 | 1 | 2 | 3): Uint8Array {
    requireRange('coordinate', k, 0, 3);
    const out = { bytes: new Uint8Array(count(batch) * wordBytes), step: wordBytes };
    return convert(lane(batch), out, (to, from, size) =>
      wasm.copyWords(to, wordBytes, from + k * wordBytes, bytesPerElement, wordBytes, size),
    );
  }

  function isBaseRing(batch: E): boolean {
    let high = 0;
    memory.stream({ count: count(batch), inputs: [lane(batch)], outputs: [] }, ({ inputs }, size) => {
      high |= wasm.highCoordinates(inputs[0]!, wordBytes, size);
    });
    return high === 0;
  }

  function pack4(batch: E): E {
    const step = 4 * bytesPerElement;
    const out = zeros(wholeItems(`${name} pack4`, batch, step));
    return convert({ bytes: batch, step }, lane(out) as Lane & { bytes: E }, ring.pack4);
  }

  function combineBits(bits: E, width: number): E {
    requireRange('bits per element', width, 1, 8 * wordBytes);
    const step = width * bytesPerElement;
    const out = zeros(wholeItems(`${name} combineBits`, bits, step));
    return convert({ bytes: bits, step }, lane(out) as Lane & { bytes: E }, (to, from, size) =>
      ring.combineBits(to, from, width, size),
    );
  }

  function residue(batch: E): Gf16 {
    const out = { bytes: new Uint8Array(count(batch)) as unknown as Gf16, step: 1 };
    return convert(lane(batch), out, (to, from, size) => wasm.residues(to, from, wordBytes, size));
  }

  function toWire(batch: E, coefficientBytes: number): Uint8Array {
    requireRange('coefficient bytes', coefficientBytes, 1, wordBytes);
    const out = { bytes: new Uint8Array(4 * coefficientBytes * count(batch)), step: 4 * coefficientBytes };
    return convert(lane(batch), out, (to, from, size) =>
      wasm.truncateWords(to, from, wordBytes, coefficientBytes, 4 * size),
    );
  }

  function fromWire(bytes: Uint8Array, coefficientBytes: number): E {
    requireRange('coefficient bytes', coefficientBytes, 1, wordBytes);
    const step = 4 * coefficientBytes;
    const out = zeros(wholeItems(`${name} from the wire`, bytes, step));
    return convert({ bytes, step }, lane(out) as Lane & { bytes: E }, (to, from, size) =>
      wasm.widenWords(to, from, wordBytes, coefficientBytes, 4 * size),
    );
  }

  function lowBits(batch: E, coefficientBytes: number): E {
    requireRange('coefficient bytes', coefficientBytes, 1, wordBytes);
    const shift = 8 * (wordBytes - coefficientBytes);
    return convert(lane(batch), lane(zeros(count(batch))) as Lane & { bytes: E }, (to, from, size) =>
      wasm.shiftWords(to, from, wordBytes, shift, 4 * size),
    );
  }

  function bitShares(a: E, opened: E, coefficientBytes: number = wordBytes): E {
    requireRange('coefficient bytes', coefficientBytes, 1, wordBytes);
    requireSameLength(name, [a, opened]);
    requireRoots(opened, bytesPerElement);
    const steps = Math.ceil(Math.log2(8 * coefficientBytes)); // every Newton step doubles the precision
    return elementwise((out, own, v, size) => ring.bitShares(out, own, v, steps, size), a, opened);
  }

  return {
    bytesPerElement,
    zeros(size) {
      requireRange('count', size, 0, 2 ** 26);
      return zeros(size);
    },
    count,
    add: (a, b) => elementwise(ring.add, a, b),
    sub: (a, b) => elementwise(ring.sub, a, b),
    mul: (a, b) => elementwise(ring.mul, a, b),
    scale: (constant, a) => addScaled(undefined, constant, a),
    addScaled,
    evaluate,
    multiply,
    open,
    embed,
    coordinate,
    isBaseRing,
    pack4,
    unpack4: (batch) => embed(batch), // the coordinates of elements in order are words in order
    residue,
    ...createRingRandomness<E>(wasm, memory, wordBytes),
    toWire,
    fromWire,
    lowBits,
    bitShares,
    combineBits,
  };
}

/** r^2 + r = v is solvable iff the trace of v mod 2 vanishes: in GF(16) the trace is coordinate 3. `opened` is public. */
function requireRoots(opened: Uint8Array, bytesPerElement: number): void {
  for (let i = (bytesPerElement / 4) * 3; i < opened.length; i += bytesPerElement) {
    if ((opened[i]! & 1) === 1) {
      const element = Math.floor(i / bytesPerElement);
      throw new KernelError(
        'ROOT_MISSING',
        `element ${element}: no root of r^2 + r = v; the opening was wrong, stop the session`,
      );
    }
  }
}

function wholeItems(what: string, bytes: Uint8Array, step: number): number {
  if (bytes.length % step !== 0) {
    throw new KernelError('BATCH_LENGTH', `${what}: ${bytes.length} bytes, want a multiple of ${step}`);
  }
  return bytes.length / step;
}
