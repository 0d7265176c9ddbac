/**
 * Runs a plan on shares, for many ciphertexts at once (docs/protocols/decryption.md, steps D3 and D4): each level opens
 * its masked operands in one message and finishes its products locally (Beaver 1991, characteristic 2). All openings
 * are of degree t and uniformly random, so they can be corrected and tell nothing. All wires lie in one array,
 * wire-major, so a level is a handful of kernel calls whatever the number of ciphertexts.
 */
import { asGf16, type Gf16 } from '@keyquorum/kernel/batch';
import type { Kernel } from '@keyquorum/kernel/kernel';
import type { SharedPairs } from '../sharing/triples.ts';
import { generateWire, type Level, MODULUS_BITS, type Plan, propagateWire, type Wire } from './plan.ts';

export interface CircuitInput {
  /** c: one u64 per ciphertext, little endian. Public. */
  readonly publicWords: Uint8Array;
  /** Shares of r's bits, wire-major: bit j of ciphertext i at j*B + i. */
  readonly bits: Gf16;
  /** One shared pair per gate and ciphertext, pair-major. Used up: a pair must never serve twice. */
  readonly pairs: SharedPairs;
  /** Opens shares of degree t; `level` counts from 1. */
  open(level: number, shares: Gf16): Promise<Gf16>;
}

/**
 * Shares of the four message bits, wire-major: 4*B elements.
 * @throws RangeError unless there are 64 bits and `plan.pairs` pairs per ciphertext; whatever `open` throws
 */
export async function evaluatePlan(kernel: Kernel, plan: Plan, input: CircuitInput): Promise<Gf16> {
  const blocks = input.publicWords.length / 8;
  requireShape(plan, input, blocks);
  const wires = createWires(plan.wires, blocks);
  try {
    enterInputs(wires, input, blocks);
    for (const [index, level] of plan.levels.entries()) {
      const terms = [0, 1].map((side) => wires.read(level.sums.map((sum) => sum.terms[side as 0 | 1])));
      wires.write(
        level.sums.map((sum) => sum.out),
        kernel.gf16.add(terms[0]!, terms[1]!),
      );
      await runLevel(kernel, wires, level, { input, blocks, number: index + 1 });
    }
    return wires.read(plan.outputs);
  } finally {
    wires.erase();
  }
}

/** The vectors of all wires, one after the other. */
interface Wires {
  /** The vectors of these wires in this order; of no wire: zeros. */
  read(list: readonly (Wire | undefined)[]): Gf16;
  write(list: readonly Wire[], vectors: Uint8Array): void;
  erase(): void;
}

function createWires(count: number, blocks: number): Wires {
  const all = new Uint8Array(count * blocks);
  return {
    read(list) {
      const vectors = new Uint8Array(list.length * blocks);
      list.forEach((wire, index) => {
        if (wire !== undefined) vectors.set(all.subarray(wire * blocks, (wire + 1) * blocks), index * blocks);
      });
      return asGf16(vectors);
    },
    write(list, vectors) {
      list.forEach((wire, index) => {
        all.set(vectors.subarray(index * blocks, (index + 1) * blocks), wire * blocks);
      });
    },
    erase: () => void all.fill(0),
  };
}

function requireShape(plan: Plan, { bits, pairs }: CircuitInput, blocks: number): void {
  const wanted = plan.pairs * blocks;
  if (!Number.isInteger(blocks) || bits.length !== MODULUS_BITS * blocks || pairs.left.length !== wanted) {
    throw new RangeError(
      `circuit: ${blocks} words, ${bits.length} bits and ${pairs.left.length} pairs; want 64 and ${plan.pairs} a word`,
    );
  }
}

/** g_i = (1 - c_i) r_i and p_i = 1 - (c_i xor r_i): local, since c is public. */
function enterInputs(wires: Wires, { publicWords, bits }: CircuitInput, blocks: number): void {
  for (let bit = 0; bit < MODULUS_BITS; bit++) {
    const generate = new Uint8Array(blocks);
    const propagate = new Uint8Array(blocks);
    for (let block = 0; block < blocks; block++) {
      const c = (publicWords[8 * block + (bit >> 3)]! >> (bit & 7)) & 1;
      const r = bits[bit * blocks + block]!;
      generate[block] = r & (c - 1); // r where c is 0, without a branch
      propagate[block] = r ^ c ^ 1;
    }
    if (bit < MODULUS_BITS - 1) wires.write([generateWire(bit)], generate);
    wires.write([propagateWire(bit)], propagate);
  }
}

interface LevelRun {
  readonly input: CircuitInput;
  readonly blocks: number;
  readonly number: number;
}

/** The gates with two products stand first, so their operands are prefixes of all operands. */
async function runLevel(kernel: Kernel, wires: Wires, level: Level, run: LevelRun): Promise<void> {
  const { gf16 } = kernel;
  const { input, blocks, number } = run;
  const { gates, doubles } = level;
  const seconds = gates.slice(0, doubles).map((gate) => gate.second!);
  const [single, double] = [gates.length * blocks, doubles * blocks];
  const pairs = pairsOf(input.pairs, { from: level.firstPair * blocks, single, double });

  const right = wires.read(gates.map((gate) => gate.right));
  const right2 = wires.read(seconds.map((second) => second.right));
  const masked = new Uint8Array(2 * single + double);
  masked.set(gf16.add(wires.read(gates.map((gate) => gate.left)), pairs.left));
  masked.set(gf16.add(right, pairs.right), single);
  masked.set(gf16.add(right2, pairs.right2), 2 * single);
  const opened = await input.open(number, asGf16(masked));

  /** left * right = e * right + f * x + xy with the opened e = left + x, f = right + y. */
  const product = (operand: Gf16, f: Uint8Array, x: Gf16, xy: Gf16): Gf16 => {
    const e = asGf16(opened.subarray(0, operand.length));
    return gf16.add(gf16.add(gf16.mul(e, operand), gf16.mul(asGf16(f), x)), xy);
  };
  const products = product(right, opened.subarray(single, 2 * single), pairs.left, pairs.product);
  const products2 = product(right2, opened.subarray(2 * single), pairs.left2, pairs.product2);
  wires.write(
    gates.map((gate) => gate.out),
    gf16.add(products, wires.read(gates.map((gate) => gate.sum))),
  );
  wires.write(
    seconds.map((second) => second.out),
    gf16.add(products2, wires.read(seconds.map((second) => second.sum))),
  );
}

/** The shared pairs of one level, as views. */
function pairsOf(pairs: SharedPairs, { from, single, double }: { from: number; single: number; double: number }) {
  const all = (vector: Gf16) => asGf16(vector.subarray(from, from + single));
  const first = (vector: Gf16) => asGf16(vector.subarray(from, from + double));
  return {
    left: all(pairs.left),
    left2: first(pairs.left),
    right: all(pairs.right),
    right2: first(pairs.right2),
    product: all(pairs.product),
    product2: first(pairs.product2),
  };
}
