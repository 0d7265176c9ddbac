/** Arithmetic mod p on raw limbs, with values up to the bound 2p that no point can be made to have, and mod r. */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { createBls446 } from '../src/bls446.ts';
import {
  asG1Points,
  asG2Points,
  asScalars,
  coordinatesFromBytes,
  coordinatesToBytes,
  G1_GENERATOR,
  G2_GENERATOR,
  P,
  R,
  type Scalars,
  scalarsFromBytes,
  scalarsToBytes,
} from '../src/bls446-encoding.ts';
import { instantiateBls446 } from '../src/bls446-wasm.ts';
import { KernelError } from '../src/errors.ts';

const LIMBS = 16;
const ELEMENT_BYTES = 4 * LIMBS;
const LIMB_BITS = 28n;
const LIMB_MASK = (1n << LIMB_BITS) - 1n;
const TWO_TO_448 = 1n << 448n;

const wasm = instantiateBls446();
const memory = new Uint32Array(wasm.memory.buffer);
const { scalars } = createBls446();

const slot = (index: number) => Math.ceil(wasm.heapBase() / ELEMENT_BYTES + index) * ELEMENT_BYTES;

function write(index: number, value: bigint): void {
  for (let i = 0; i < LIMBS; i++) memory[slot(index) / 4 + i] = Number((value >> (LIMB_BITS * BigInt(i))) & LIMB_MASK);
}

function read(index: number): bigint {
  let value = 0n;
  for (let i = LIMBS - 1; i >= 0; i--) {
    const limb = memory[slot(index) / 4 + i]!;
    expect(limb).toBeLessThanOrEqual(Number(LIMB_MASK));
    value = (value << LIMB_BITS) | BigInt(limb);
  }
  return value;
}

/** Result of an operation whose operands and result are distinct slots. */
function run(operation: (o: number, ...operands: number[]) => void, operands: readonly bigint[]): bigint {
  operands.forEach((operand, i) => {
    write(i + 1, operand);
  });
  operation(slot(0), ...operands.map((_, i) => slot(i + 1)));
  return read(0);
}

const congruent = (a: bigint, b: bigint) => (a - b) % P === 0n;
const EDGES = [0n, 1n, P - 1n, P, P + 1n, 2n * P - 1n, (1n << 446n) - 1n, 1n << 446n, LIMB_MASK, 1n << 420n];
const below2P = fc.oneof(
  fc.bigInt({ min: 0n, max: 2n * P - 1n }),
  fc.constantFrom(...EDGES.filter((edge) => edge < 2n * P)),
);

interface Case {
  readonly name: 'fpAdd' | 'fpSubtract' | 'fpMultiply' | 'fpSquare' | 'fpSumOfProducts';
  readonly operands: number;
  /** What the result times `factor` is congruent to. */
  readonly expected: (values: readonly bigint[]) => bigint;
  readonly factor: bigint;
}

const pairs = (values: readonly bigint[]) =>
  values.reduce((sum, value, i) => (i % 2 === 0 ? sum + value * values[i + 1]! : sum), 0n);

const CASES: Case[] = [
  { name: 'fpAdd', operands: 2, expected: ([a, b]) => a! + b!, factor: 1n },
  { name: 'fpSubtract', operands: 2, expected: ([a, b]) => a! - b!, factor: 1n },
  { name: 'fpMultiply', operands: 2, expected: pairs, factor: TWO_TO_448 },
  { name: 'fpSquare', operands: 1, expected: ([a]) => a! * a!, factor: TWO_TO_448 },
  { name: 'fpSumOfProducts', operands: 4, expected: pairs, factor: TWO_TO_448 },
];

test.each(CASES)('$name is exact and stays below 2p', ({ name, operands, expected, factor }) => {
  fc.assert(
    fc.property(fc.array(below2P, { minLength: operands, maxLength: operands }), (values) => {
      const result = run(wasm[name], values);
      expect(result < 2n * P).toBe(true);
      expect(congruent(result * factor, expected(values))).toBe(true);
    }),
    { numRuns: 500 },
  );
});

test.each(CASES)('$name at the upper bound of every operand', ({ name, operands, expected, factor }) => {
  const values = Array.from({ length: operands }, () => 2n * P - 1n);
  const result = run(wasm[name], values);
  expect(result < 2n * P).toBe(true);
  expect(congruent(result * factor, expected(values))).toBe(true);
});

/** (a0 + a1 u)(b0 + b1 u) at four slots from the second pair on; `o` says where the product goes. */
function complexProduct(values: readonly bigint[], o = slot(0)): [bigint, bigint] {
  values.forEach((value, i) => {
    write(i + 2, value);
  });
  wasm.fp2Multiply(o, slot(2), slot(4));
  const first = o / ELEMENT_BYTES - slot(0) / ELEMENT_BYTES;
  return [read(first), read(first + 1)];
}

test('fp2Multiply is exact and stays below 2p, at every edge', () => {
  const edges = EDGES.filter((edge) => edge < 2n * P);
  const extremes = [0n, 2n * P - 1n];
  const corners = extremes.flatMap((a) =>
    extremes.flatMap((b) => extremes.flatMap((c) => extremes.map((d) => [a, b, c, d]))),
  );
  const agrees = (values: readonly bigint[]) => {
    const [a0, a1, b0, b1] = values as [bigint, bigint, bigint, bigint];
    const product = complexProduct(values);
    expect(product.every((value) => value < 2n * P)).toBe(true);
    expect(congruent(product[0] * TWO_TO_448, a0 * b0 - a1 * b1)).toBe(true);
    expect(congruent(product[1] * TWO_TO_448, a0 * b1 + a1 * b0)).toBe(true);
    for (const o of [slot(2), slot(4)]) expect(complexProduct(values, o)).toEqual(product);
  };
  corners.forEach(agrees);
  edges.forEach((edge) => {
    agrees([edge, edge, edge, edge]);
  });
  fc.assert(fc.property(fc.array(below2P, { minLength: 4, maxLength: 4 }), agrees), { numRuns: 500 });
});

test('fpInvert gives R^2 / a, below p, and 0 for 0', () => {
  const inverts = (value: bigint) => {
    const result = run(wasm.fpInvert, [value]);
    expect(result < P).toBe(true);
    expect(congruent(result * value, value % P === 0n ? 0n : TWO_TO_448 ** 2n)).toBe(true);
    if (value % P === 0n) expect(result).toBe(0n);
  };
  const small = Array.from({ length: 64 }, (_, i) => [BigInt(i), P - BigInt(i), (P - BigInt(i)) / 2n, 1n << BigInt(i)]);
  const sparse = Array.from({ length: 445 }, (_, i) => [
    1n << BigInt(i),
    (1n << BigInt(i)) - 1n,
    P - (1n << BigInt(i)),
  ]);
  for (const value of [...small.flat(), ...sparse.flat(), ...EDGES].filter((each) => each < 2n * P)) inverts(value);
  fc.assert(fc.property(below2P, inverts), { numRuns: 2_000 });
});

test('outputs may be inputs', () => {
  const values = [P + 5n, 2n * P - 3n];
  for (const { name, operands } of CASES) {
    const operation = wasm[name];
    const all = Array.from({ length: operands }, (_, i) => values[i % 2]!);
    const want = run(operation, all);
    for (let index = 1; index <= operands; index++) {
      run((_, ...addresses) => operation(slot(index), ...addresses), all);
      expect(read(index)).toBe(want);
    }
  }
});

test('reduction gives the one value below p', () => {
  fc.assert(
    fc.property(below2P, (value) => {
      expect(run(wasm.fpReduce, [value])).toBe(value % P);
    }),
  );
});

test('coordinates survive the way into Montgomery form and back', () => {
  const coordinate = fc.oneof(fc.bigInt({ min: 0n, max: P - 1n }), fc.constantFrom(0n, 1n, P - 1n));
  fc.assert(
    fc.property(fc.array(coordinate, { maxLength: 4 }), (coordinates) => {
      const bytes = coordinatesToBytes(coordinates);
      expect(coordinatesFromBytes(bytes)).toEqual(coordinates);
      for (const [i, value] of coordinates.entries()) {
        const stored = BigInt(
          `0x${Buffer.from(bytes.slice(56 * i, 56 * (i + 1)))
            .reverse()
            .toString('hex')}`,
        );
        expect(stored).toBe((value * TWO_TO_448) % P);
      }
    }),
  );
});

test('only reduced coordinates and scalars get a brand', () => {
  const little = (value: bigint, length: number) =>
    new Uint8Array(Buffer.from(value.toString(16).padStart(2 * length, '0'), 'hex').reverse());
  const code = (run: () => unknown) => {
    try {
      run();
      return 'accepted';
    } catch (error) {
      expect(error).toBeInstanceOf(KernelError);
      return (error as KernelError).code;
    }
  };
  for (let place = 0; place < 4; place++) {
    const withCoordinate = (value: bigint) => {
      const point = G2_GENERATOR.slice();
      point.set(little(value, 56), 56 * place);
      return point;
    };
    expect(code(() => asG2Points(withCoordinate(P - 1n)))).toBe('accepted');
    for (const value of [P, P + 1n, 2n * P, TWO_TO_448 - 1n]) {
      expect(code(() => asG2Points(withCoordinate(value)))).toBe('NOT_AN_ELEMENT');
    }
  }
  expect(code(() => asG1Points(G1_GENERATOR.slice(1)))).toBe('BATCH_LENGTH');
  expect(code(() => asScalars(little(R - 1n, 40)))).toBe('accepted');
  for (const value of [R, R + 1n, (1n << 320n) - 1n]) {
    expect(code(() => asScalars(little(value, 40)))).toBe('NOT_AN_ELEMENT');
  }
});

test('any bytes: a KernelError, or points that say the same again', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 2 * 112 }), fc.boolean(), (bytes, small) => {
      if (small) for (let top = 55; top < bytes.length; top += 56) bytes[top] = bytes[top]! & 0x1f;
      try {
        expect(coordinatesToBytes(coordinatesFromBytes(asG1Points(bytes)))).toEqual(bytes);
      } catch (error) {
        expect(error).toBeInstanceOf(KernelError);
        expect(bytes.length % 112 !== 0 || bytes.some((byte, i) => i % 56 === 55 && byte >= 0x3c)).toBe(true);
      }
    }),
    { numRuns: 500 },
  );
});

const scalar = fc.oneof(fc.bigInt({ min: 0n, max: R - 1n }), fc.constantFrom(0n, 1n, R - 1n, R >> 1n, 1n << 298n));

test('multiplyAdd is a * b + c mod r', () => {
  const triples = fc.array(fc.tuple(scalar, scalar, scalar), { maxLength: 5 });
  fc.assert(
    fc.property(triples, (rows) => {
      const column = (k: 0 | 1 | 2): Scalars => scalarsToBytes(rows.map((row) => row[k]));
      const result = scalars.multiplyAdd(column(0), column(1), column(2));
      expect(scalarsFromBytes(result)).toEqual(rows.map(([a, b, c]) => (a * b + c) % R));
    }),
    { numRuns: 200 },
  );
});

test('powers start anywhere', () => {
  const exponents = fc.oneof(fc.nat(40), fc.integer({ min: 0, max: 2 ** 31 - 9 }));
  fc.assert(
    fc.property(scalar, exponents, fc.nat(8), (base, first, count) => {
      const result = scalarsFromBytes(scalars.powers(scalarsToBytes([base]), first, count));
      expect(result).toEqual(Array.from({ length: count }, (_, i) => modPower(base, BigInt(first + i))));
    }),
    { numRuns: 100 },
  );
});

test('wide bytes become v * 2^-448 mod r for the low 426 bits v', () => {
  const inverse = modPower((R + 1n) / 2n, 448n);
  const wide = fc.oneof(
    fc.uint8Array({ minLength: 56, maxLength: 56 }),
    fc.constantFrom(0, 1, 0x80, 0xff).map((byte) => new Uint8Array(56).fill(byte)),
  );
  fc.assert(
    fc.property(fc.array(wide, { maxLength: 3 }), (parts) => {
      const result = scalarsFromBytes(scalars.fromWideBytes(new Uint8Array(Buffer.concat(parts))));
      const expected = parts.map((part) => {
        const v = BigInt(`0x${Buffer.from(part).reverse().toString('hex')}`) & ((1n << 426n) - 1n);
        return (v * inverse) % R;
      });
      expect(result).toEqual(expected);
    }),
    { numRuns: 200 },
  );
});

test('scalar operations refuse what does not fit', () => {
  const [one, two] = [scalarsToBytes([1n]), scalarsToBytes([1n, 2n])];
  expect(() => scalars.multiplyAdd(one, two, one)).toThrow(KernelError);
  expect(() => scalars.powers(two, 0, 1)).toThrow(/one scalar/);
  expect(() => scalars.powers(one, 2 ** 31 - 1, 2)).toThrow(/exponents/);
  expect(() => scalars.powers(one, -1, 1)).toThrow(/exponent/);
  expect(() => scalars.fromWideBytes(new Uint8Array(55))).toThrow(KernelError);
});

function modPower(base: bigint, exponent: bigint): bigint {
  let [result, square] = [1n, base];
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = (result * square) % R;
    square = (square * square) % R;
  }
  return result;
}
