/** The compiled curve module and the types of its exports; numbers below are addresses or counts. */
import { compiledModule, type WasmModule } from './wasm.ts';

/** The exports that exist once per group; see assembly/bls446/index.ts. */
export interface GroupExports {
  multiply(out: number, points: number, scalars: number, count: number, work: number): void;
  multiplyByPowers(
    out: number,
    points: number,
    base: number,
    first: number,
    powers: number,
    count: number,
    work: number,
  ): void;
  /** Bytes of `work` of multiplications per point. */
  multiplyBytes(): number;
  unpack(out: number, points: number, count: number): void;
  multiScalar(out: number, points: number, scalars: number, count: number, width: number, work: number): void;
  subsetSums(sums: number, points: number, choices: number, count: number, work: number): void;
  /** Bytes of `work` of sums per point, and per bucket. */
  collectBytes(): number;
  bucketBytes(): number;
  firstOffCurve(points: number, count: number): number;
  firstOutsideSubgroup(points: number, count: number): number;
  firstSumOutside(sums: number, count: number): number;
  add(out: number, a: number, b: number, count: number, work: number): void;
  /** Bytes of `work` of additions per point. */
  addBytes(): number;
  negate(out: number, a: number, count: number): void;
}

/** o = an expression of the elements at the other addresses; 16 limbs of 28 bits each, see field-source.mjs. */
type FieldOperation = (o: number, ...operands: number[]) => void;

export interface Bls446Exports extends WasmModule {
  /** On pairs: elements of Fp2, 32 limbs each. */
  fp2Multiply: FieldOperation;
  fpAdd: FieldOperation;
  fpInvert: FieldOperation;
  fpMultiply: FieldOperation;
  fpReduce: FieldOperation;
  fpSquare: FieldOperation;
  fpSubtract: FieldOperation;
  fpSumOfProducts: FieldOperation;
  scalarFromWide(out: number, wide: number, count: number): void;
  scalarMultiplyAdd(out: number, a: number, b: number, c: number, count: number): void;
  scalarPowers(out: number, base: number, first: number, count: number): void;
}

/** A fresh instance. Throws NOT_BUILT when the binary is missing. */
export function instantiateBls446(): Bls446Exports {
  return new WebAssembly.Instance(compiledModule('bls446')).exports as unknown as Bls446Exports;
}

/** The exports of one group under common names: g1Multiply -> multiply, and so on. */
export function groupExports(exports: Bls446Exports, group: 'g1' | 'g2'): GroupExports {
  const all = exports as unknown as Record<string, unknown>;
  const pick = (name: string) => all[group + name];
  return {
    multiply: pick('Multiply'),
    multiplyByPowers: pick('MultiplyByPowers'),
    multiplyBytes: pick('MultiplyBytes'),
    unpack: pick('Unpack'),
    multiScalar: pick('MultiScalar'),
    subsetSums: pick('SubsetSums'),
    collectBytes: pick('CollectBytes'),
    bucketBytes: pick('BucketBytes'),
    firstOffCurve: pick('FirstOffCurve'),
    firstOutsideSubgroup: pick('FirstOutsideSubgroup'),
    firstSumOutside: pick('FirstSumOutside'),
    add: pick('Add'),
    addBytes: pick('AddBytes'),
    negate: pick('Negate'),
  } as GroupExports;
}
