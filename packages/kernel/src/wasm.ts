/**
 * The compiled modules, and the types of the kernel's exports. Compiled once per process; every kernel gets an own
 * instance with own memory. Only the facade of this package uses these types: numbers are addresses or counts.
 */
import { readFileSync } from 'node:fs';
import { KernelError } from './errors.ts';
import { writeTwiddles } from './twiddles.ts';

type Elementwise = (out: number, a: number, b: number, count: number) => void;
type Row = (out: number, constants: number, inputs: number, stride: number, columns: number, count: number) => void;

/** The exports that exist once per ring; see assembly/gr64.ts for the contracts. */
export interface RingExports {
  add: Elementwise;
  sub: Elementwise;
  mul: Elementwise;
  row: Row;
  horner(out: number, c: number, a: number, point: number, count: number): void;
  pack4(out: number, a: number, count: number): void;
  combineBits(out: number, bits: number, width: number, count: number): void;
  bitShares(out: number, a: number, v: number, steps: number, count: number): void;
  fold(out: number, acc: number, count: number): void;
}

/** What every module of this package exports. */
export interface WasmModule {
  readonly memory: WebAssembly.Memory;
  /** First address that is free. */
  heapBase(): number;
  /** Zeroes the static working memory below it. */
  wipe(): void;
}

export interface KernelExports extends WasmModule {
  copyWords(out: number, outStep: number, a: number, aStep: number, wordBytes: number, count: number): void;
  embedWords(out: number, a: number, wordBytes: number, count: number): void;
  highCoordinates(a: number, wordBytes: number, count: number): number;
  residues(out: number, a: number, wordBytes: number, count: number): void;
  truncateWords(out: number, a: number, wordBytes: number, keep: number, count: number): void;
  widenWords(out: number, a: number, wordBytes: number, keep: number, count: number): void;
  shiftWords(out: number, a: number, wordBytes: number, shift: number, count: number): void;
  firstDifference(a: number, b: number, bytes: number): number;
  prssAccumulate(acc: number, first: number, second: number, weights: number, vectors: number): void;
  noiseWords(out: number, keystream: number, step: number, width: number, wordBytes: number, count: number): void;
  floodWords(out: number, keystream: number, width: number, count: number): void;
  gf16Add: Elementwise;
  gf16Mul: Elementwise;
  gf16Row: Row;
  gf16AccumulatePacked(acc: number, keystream: number, table: number, bytes: number): void;
  gf16Unpack(out: number, packed: number, bytes: number): void;
  gf16Pack(out: number, a: number, bytes: number): void;
  innerProducts(out: number, masks: number, key: number, dimension: number, rows: number): void;
  gr128InnerProducts(out: number, masks: number, key: number, dimension: number, rows: number): void;
  rotations(out: number, polynomial: number, degree: number, first: number, rows: number): void;
  karatsuba(out: number, a: number, b: number, degree: number, scratch: number): void;
  twiddleTable(): number;
  twiddleNodes(): number;
  transform(out: number, polynomial: number, step: number, degree: number, planes: number): void;
  spreadKey(table: number, stride: number, transformed: number, points: number, planes: number): void;
  glweScratchBytes(polynomials: number, degree: number, planes: number): number;
  glweRow(
    out: number,
    masks: number,
    key: number,
    polynomials: number,
    degree: number,
    planes: number,
    scratch: number,
  ): void;
  multiplyTransforms(out: number, step: number, a: number, b: number, degree: number, scratch: number): void;
  ggswTransform(out: number, masks: number, bodies: number, degree: number): void;
  cmux(acc: number, ggsw: number, rotation: number, degree: number, baseLog: number, scratch: number): void;
  startAccumulator(acc: number, lookup: number, rotation: number, degree: number): void;
  extractSample(out: number, acc: number, degree: number): void;
  switchModulus(out: number, lwe: number, dimension: number, bits: number, centred: boolean): void;
  keySwitchWord(
    out: number,
    word: number,
    masks: number,
    bodies: number,
    dimension: number,
    baseLog: number,
    levels: number,
  ): void;
}

const compiled = new Map<string, WebAssembly.Module>();

/** A fresh instance. Throws NOT_BUILT when the binary is missing. */
export function instantiate(): KernelExports {
  const exports = new WebAssembly.Instance(compiledModule('kernel')).exports as unknown as KernelExports;
  writeTwiddles(exports);
  return exports;
}

/** A module of build/, compiled once per process. Throws NOT_BUILT when the binary is missing. */
export function compiledModule(name: 'kernel' | 'bls446'): WebAssembly.Module {
  const module = compiled.get(name) ?? new WebAssembly.Module(readBinary(name));
  compiled.set(name, module);
  return module;
}

function readBinary(name: string): Uint8Array<ArrayBuffer> {
  try {
    return new Uint8Array(readFileSync(new URL(`../build/${name}.wasm`, import.meta.url)));
  } catch (cause) {
    throw new KernelError('NOT_BUILT', `${name}.wasm cannot be read; run \`node packages/kernel/build.mjs\` first`, {
      cause,
    });
  }
}

/** The exports of one ring under common names: gr64Add -> add, and so on. */
export function ringExports(exports: KernelExports, ring: 'gr64' | 'gr128'): RingExports {
  const all = exports as unknown as Record<string, unknown>;
  const pick = (name: string) => all[ring + name];
  return {
    add: pick('Add'),
    sub: pick('Sub'),
    mul: pick('Mul'),
    row: pick('Row'),
    horner: pick('Horner'),
    pack4: pick('Pack4'),
    combineBits: pick('CombineBits'),
    bitShares: pick('BitShares'),
    fold: pick('Fold'),
  } as RingExports;
}
