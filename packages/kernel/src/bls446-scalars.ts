/** Integers mod r: the facade over assembly/bls446/scalar.ts. */
import type { ScalarField } from './bls446.ts';
import { SCALAR_BYTES, type Scalars, WIDE_BYTES } from './bls446-encoding.ts';
import type { Bls446Exports } from './bls446-wasm.ts';
import { convert, wholeItems } from './context.ts';
import { KernelError, requireRange } from './errors.ts';
import type { KernelMemory } from './memory.ts';
import { requireSameLength } from './shape.ts';

const EXPONENT_MAX = 2 ** 31 - 1;

export function createScalarField(wasm: Bls446Exports, memory: KernelMemory): ScalarField {
  return {
    fromWideBytes(bytes) {
      const out = scalars(wholeItems('wide bytes', bytes, WIDE_BYTES));
      return convert(memory, { bytes, step: WIDE_BYTES }, lane(out), wasm.scalarFromWide);
    },
    multiplyAdd(a, b, c) {
      requireSameLength('multiplyAdd', [a, b, c]);
      const count = wholeItems('scalars', a, SCALAR_BYTES);
      const out = scalars(count);
      memory.stream({ count, inputs: [a, b, c].map(lane), outputs: [lane(out)] }, ({ inputs, outputs }, items) =>
        wasm.scalarMultiplyAdd(outputs[0]!, inputs[0]!, inputs[1]!, inputs[2]!, items),
      );
      return out;
    },
    powers(base, firstExponent, count) {
      requireSingle(base);
      requireExponents(firstExponent, count);
      const out = scalars(count);
      const plan = { count, inputs: [], outputs: [lane(out)], constants: [base] };
      memory.stream(plan, ({ outputs, constants }, items, first) =>
        wasm.scalarPowers(outputs[0]!, constants[0]!, firstExponent + first, items),
      );
      return out;
    },
  };
}

/** Throws BATCH_LENGTH unless there is one scalar. */
export function requireSingle(base: Scalars): void {
  if (base.length !== SCALAR_BYTES) {
    throw new KernelError('BATCH_LENGTH', `base: ${base.length} bytes, want one scalar of ${SCALAR_BYTES}`);
  }
}

/** Throws RANGE unless first .. first + count - 1 are exponents. */
export function requireExponents(first: number, count: number): void {
  requireRange('first exponent', first, 0, EXPONENT_MAX);
  requireRange('number of exponents', count, 0, EXPONENT_MAX - first + 1);
}

const lane = <T extends Uint8Array>(bytes: T) => ({ bytes, step: SCALAR_BYTES });

function scalars(count: number): Scalars {
  return new Uint8Array(count * SCALAR_BYTES) as unknown as Scalars;
}
