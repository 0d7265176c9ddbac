/** Ring operations on batches of equal length: the arithmetic part of `Ring`, whose contracts are in ring.ts. */
import type { Gr64, Gr128, Matrix } from './batch.ts';
import { elementCount, elements, type RingContext, zeros } from './context.ts';
import { KernelError, requireRange } from './errors.ts';
import type { Opening } from './ring.ts';
import { requireColumns, requireMatrix, requireOpeningMatrix, requireSameLength } from './shape.ts';

type Element = Gr64 | Gr128;
type Elementwise = (out: number, a: number, b: number, count: number) => void;

export function elementwise<E extends Element>(context: RingContext, kernel: Elementwise, a: E, b: E): E {
  requireSameLength(context.name, [a, b]);
  const out = zeros<E>(context, elementCount(context, a));
  const plan = {
    count: elementCount(context, a),
    inputs: [elements(context, a), elements(context, b)],
    outputs: [elements(context, out)],
  };
  context.memory.stream(plan, ({ inputs, outputs }, count) => kernel(outputs[0]!, inputs[0]!, inputs[1]!, count));
  return out;
}

/** constant * a[i], plus acc[i] if there is one. */
export function addScaled<E extends Element>(context: RingContext, acc: E | undefined, constant: E, a: E): E {
  const { name, ring } = context;
  if (elementCount(context, constant) !== 1) {
    throw new KernelError('BATCH_LENGTH', `${name}: the constant has ${constant.length} bytes, want one element`);
  }
  const batches = acc ? [a, acc] : [a];
  requireSameLength(name, batches);
  const count = elementCount(context, a);
  const out = zeros<E>(context, count);
  const inputs = batches.map((batch) => elements(context, batch));
  context.memory.stream({ count, inputs, outputs: [elements(context, out)], constants: [constant] }, (at, items) => {
    ring.row(at.outputs[0]!, at.constants[0]!, at.inputs[0]!, 0, 1, items);
    if (acc) ring.add(at.outputs[0]!, at.outputs[0]!, at.inputs[1]!, items);
  });
  return out;
}

export function evaluate<E extends Element>(context: RingContext, coefficients: readonly E[], point: number): E {
  const { name, ring } = context;
  requireRange('point', point, 0, 15);
  requireRange('number of coefficients', coefficients.length, 1, 16);
  requireSameLength(name, coefficients);
  const count = elementCount(context, coefficients[0]!);
  const last = coefficients.length - 1;
  if (last === 0) return new Uint8Array(coefficients[0]!) as unknown as E;
  const out = zeros<E>(context, count);
  const inputs = coefficients.map((batch) => elements(context, batch));
  context.memory.stream({ count, inputs, outputs: [elements(context, out)] }, (at, items) => {
    const sum = at.outputs[0]!;
    ring.horner(sum, at.inputs[last]!, at.inputs[last - 1]!, point, items);
    for (let k = last - 2; k >= 0; k--) ring.horner(sum, sum, at.inputs[k]!, point, items);
  });
  return out;
}

export function multiply<E extends Element>(context: RingContext, matrix: Matrix<E>, columns: readonly E[]): E[] {
  const { name, ring, bytesPerElement } = context;
  requireMatrix(name, matrix, bytesPerElement);
  requireColumns(name, matrix, columns);
  const count = elementCount(context, columns[0]!);
  const out = Array.from({ length: matrix.rows }, () => zeros<E>(context, count));
  const plan = {
    count,
    inputs: columns.map((batch) => elements(context, batch)),
    outputs: out.map((batch) => elements(context, batch)),
    constants: [matrix.elements],
  };
  context.memory.stream(plan, ({ inputs, outputs, constants, stride }, items) => {
    outputs.forEach((address, r) => {
      const row = constants[0]! + r * matrix.cols * bytesPerElement;
      ring.row(address, row, inputs[0]!, stride, matrix.cols, items);
    });
  });
  return out;
}

export function open<E extends Element>(context: RingContext, matrix: Matrix<E>, shares: readonly E[]): Opening<E> {
  const { name, ring, wasm, bytesPerElement } = context;
  const { rows, cols } = matrix;
  requireOpeningMatrix(name, matrix, bytesPerElement, shares.length);
  requireSameLength(name, shares);
  const values = zeros<E>(context, elementCount(context, shares[0]!));
  const plan = {
    count: elementCount(context, values),
    inputs: shares.map((batch) => elements(context, batch)),
    outputs: [elements(context, values)],
    constants: [matrix.elements],
    temporary: bytesPerElement,
  };
  let firstInconsistent = -1;
  context.memory.stream(plan, ({ inputs, outputs, constants, temporary, stride }, items, first) => {
    ring.row(outputs[0]!, constants[0]!, inputs[0]!, stride, cols, items);
    for (let r = 1; r < rows; r++) {
      ring.row(temporary, constants[0]! + r * cols * bytesPerElement, inputs[0]!, stride, cols, items);
      const difference = wasm.firstDifference(temporary, inputs[cols + r - 1]!, items * bytesPerElement);
      const element = first + Math.floor(difference / bytesPerElement);
      if (element < first + items && (firstInconsistent < 0 || element < firstInconsistent))
        firstInconsistent = element;
    }
  });
  return { values, firstInconsistent };
}
