/**
 * Runs a plan on shares, for many ciphertexts at once (docs/protocols/decryption.md, steps D3 and D4): each level opens its
 * masked operands in one message and finishes its products locally (Beaver 1991, characteristic 2). All openings are of
 * degree t and uniformly random, so they can be corrected and tell nothing.
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
  /** One shared pair per gate and ciphertext, pair-major. */
  readonly pairs: SharedPairs;
  /** Opens shares of degree t; `level` counts from 1. */
  open(level: number, shares: Gf16): Promise<Gf16>;
}

/** Shares of the four message bits, wire-major: 4*B elements. */
export async function evaluatePlan(kernel: Kernel, plan: Plan, input: CircuitInput): Promise<Gf16> {
  const blocks = input.publicWords.length / 8;
  const wires = new Map<Wire, Uint8Array>();
  enterInputs(wires, input, blocks);
  for (const [index, level] of plan.levels.entries()) {
    for (const { out, terms } of level.sums) {
      wires.set(out, kernel.gf16.add(asGf16(wires.get(terms[0])!), asGf16(wires.get(terms[1])!)));
    }
    await runLevel(kernel, wires, { level, input, blocks, number: index + 1 });
  }
  return asGf16(join(plan.outputs.map((wire) => wires.get(wire)!)));
}

/** g_i = (1 - c_i) r_i and p_i = 1 - (c_i xor r_i): local, since c is public. */
function enterInputs(wires: Map<Wire, Uint8Array>, { publicWords, bits }: CircuitInput, blocks: number): void {
  for (let bit = 0; bit < MODULUS_BITS; bit++) {
    const generate = new Uint8Array(blocks);
    const propagate = new Uint8Array(blocks);
    for (let block = 0; block < blocks; block++) {
      const c = (publicWords[8 * block + (bit >> 3)]! >> (bit & 7)) & 1;
      const r = bits[bit * blocks + block]!;
      generate[block] = r & (c - 1); // r where c is 0, without a branch
      propagate[block] = r ^ c ^ 1;
    }
    if (bit < MODULUS_BITS - 1) wires.set(generateWire(bit), generate);
    wires.set(propagateWire(bit), propagate);
  }
}

interface LevelRun {
  readonly level: Level;
  readonly input: CircuitInput;
  readonly blocks: number;
  readonly number: number;
}

async function runLevel(kernel: Kernel, wires: Map<Wire, Uint8Array>, run: LevelRun): Promise<void> {
  const { gf16 } = kernel;
  const { level, input, blocks, number } = run;
  const { gates, firstPair } = level;
  const withSecond = gates.filter((gate) => gate.second !== undefined);
  const take = (vector: Gf16, chosen = gates): Gf16 =>
    asGf16(join(chosen.map((gate) => cut(vector, (firstPair + gates.indexOf(gate)) * blocks, blocks))));
  const wire = (list: readonly Wire[]): Gf16 => asGf16(join(list.map((each) => wires.get(each)!)));

  const left = wire(gates.map((gate) => gate.left));
  const right = wire(gates.map((gate) => gate.right));
  const right2 = wire(withSecond.map((gate) => gate.second!.right));
  const masked = join([
    gf16.add(left, take(input.pairs.left)),
    gf16.add(right, take(input.pairs.right)),
    gf16.add(right2, take(input.pairs.right2, withSecond)),
  ]);
  const opened = await input.open(number, asGf16(masked));
  const openedLeft = asGf16(cut(opened, 0, left.length));
  const openedRight = asGf16(cut(opened, left.length, right.length));
  const openedRight2 = asGf16(cut(opened, left.length + right.length, right2.length));
  const openedLeft2 = asGf16(join(withSecond.map((gate) => cut(openedLeft, gates.indexOf(gate) * blocks, blocks))));

  /** left * right = opened_left * right + opened_right * x + xy. */
  const product = (leftOpened: Gf16, operand: Gf16, rightOpened: Gf16, x: Gf16, xy: Gf16): Gf16 =>
    gf16.add(gf16.add(gf16.mul(leftOpened, operand), gf16.mul(rightOpened, x)), xy);
  const products = product(openedLeft, right, openedRight, take(input.pairs.left), take(input.pairs.product));
  const lefts2 = take(input.pairs.left, withSecond);
  const products2 = product(openedLeft2, right2, openedRight2, lefts2, take(input.pairs.product2, withSecond));

  const store = (out: Wire, sum: Wire | undefined, value: Uint8Array): void => {
    wires.set(out, sum === undefined ? value : gf16.add(asGf16(value), asGf16(wires.get(sum)!)));
  };
  gates.forEach((gate, index) => store(gate.out, gate.sum, cut(products, index * blocks, blocks)));
  withSecond.forEach((gate, index) => {
    const { out, sum } = gate.second!;
    store(out, sum, cut(products2, index * blocks, blocks));
  });
}

function cut(vector: Uint8Array, at: number, count: number): Uint8Array {
  return vector.slice(at, at + count);
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
