/**
 * The comparison and selection circuit of decryption, as data (docs/protocols/decryption.md, steps D3 and D4).
 *
 * c is public, r shared in bits; v = c - r mod 2^64. With g_i = (1-c_i) r_i and p_i = 1 - (c_i xor r_i), a borrow
 * leaves bit i when g_i, or when p_i and a borrow enters: (g,p) pairs compose associatively, (g,p) o (g',p') = (g + p
 * g', p p'). The borrows into bits 59..63 are found in a tree of six levels over bits 0..62; a seventh multiplies the
 * message bits 59..62 of v by the negated padding bit 63, so that an out-of-range message opens as 0. Every gate
 * multiplies one or two wires by a shared left operand and takes one shared pair.
 */

/** Index of a wire: the vectors g_0..g_62, p_0..p_63, then the outputs of gates and sums in order. */
export type Wire = number;

/** out = sum + left * right, and out2 = sum2 + left * right2 where given. */
export interface Gate {
  readonly left: Wire;
  readonly right: Wire;
  readonly sum: Wire | undefined;
  readonly out: Wire;
  readonly second: { readonly right: Wire; readonly sum: Wire | undefined; readonly out: Wire } | undefined;
}

/** out = first + second, local. */
export interface Sum {
  readonly out: Wire;
  readonly terms: readonly [Wire, Wire];
}

export interface Level {
  /** Computed before the gates, from earlier levels. */
  readonly sums: readonly Sum[];
  /** Those with two products first. */
  readonly gates: readonly Gate[];
  /** Number of gates with two products. */
  readonly doubles: number;
  /** First shared pair of the level; its gates take consecutive ones. */
  readonly firstPair: number;
}

export interface Plan {
  readonly levels: readonly Level[];
  readonly pairs: number;
  readonly wires: number;
  /** The four message bits, lowest first. */
  readonly outputs: readonly [Wire, Wire, Wire, Wire];
}

export const MODULUS_BITS = 64;
/** Bits 59..62 are the message, bit 63 is the padding. */
export const MESSAGE_LOW_BIT = 59;
const PADDING_BIT = 63;

export function generateWire(bit: number): Wire {
  return bit;
}
export function propagateWire(bit: number): Wire {
  return PADDING_BIT + bit;
}

/** Composite of a run of bits: wires and the level at which they are known. */
interface Span {
  readonly g: Wire;
  /** Undefined for runs that start at bit 0: no borrow enters there. */
  readonly p: Wire | undefined;
  readonly level: number;
}

class Builder {
  #wires = PADDING_BIT + MODULUS_BITS;
  readonly #levels: { sums: Sum[]; gates: Gate[] }[] = [];

  leaf(bit: number): Span {
    return { g: generateWire(bit), p: bit === 0 ? undefined : propagateWire(bit), level: 0 };
  }

  /** The run `low` followed by the run `high`. */
  join(high: Span, low: Span): Span {
    const level = Math.max(high.level, low.level) + 1;
    const out = this.wire();
    const second = low.p === undefined ? undefined : { right: low.p, sum: undefined, out: this.wire() };
    this.gate(level, { left: high.p!, right: low.g, sum: high.g, out, second });
    return { g: out, p: second?.out, level };
  }

  /** The run of bits [from, to], as a balanced tree. */
  tree(from: number, to: number): Span {
    if (from === to) return this.leaf(from);
    const middle = from + Math.floor((to - from) / 2);
    return this.join(this.tree(middle + 1, to), this.tree(from, middle));
  }

  wire(): Wire {
    return this.#wires++;
  }

  sum(level: number, terms: readonly [Wire, Wire]): Wire {
    const out = this.wire();
    this.#level(level).sums.push({ out, terms });
    return out;
  }

  gate(level: number, gate: Gate): void {
    this.#level(level).gates.push(gate);
  }

  #level(level: number): { sums: Sum[]; gates: Gate[] } {
    while (this.#levels.length < level) this.#levels.push({ sums: [], gates: [] });
    return this.#levels[level - 1]!;
  }

  finish(outputs: Plan['outputs']): Plan {
    let pairs = 0;
    const levels = this.#levels.map(({ sums, gates }) => {
      const [doubles, singles] = [gates.filter(({ second }) => second), gates.filter(({ second }) => !second)];
      const level = { sums, gates: [...doubles, ...singles], doubles: doubles.length, firstPair: pairs };
      pairs += gates.length;
      return level;
    });
    return { levels, pairs, wires: this.#wires, outputs };
  }
}

function build(): Plan {
  const builder = new Builder();
  const borrows = borrowsFromBit59(builder);
  const selectLevel = 7;
  const [q0, q1, q2, q3, keep] = borrows.map((borrow, index) =>
    builder.sum(selectLevel, [propagateWire(MESSAGE_LOW_BIT + index), borrow]),
  ) as [Wire, Wire, Wire, Wire, Wire];
  // q_i is the complement of message bit i and `keep` that of the padding bit: keep * (1 - q_i) = keep + keep * q_i.
  const select = (first: Wire, next: Wire): [Wire, Wire] => {
    const [out, out2] = [builder.wire(), builder.wire()];
    builder.gate(selectLevel, {
      left: keep,
      right: first,
      sum: keep,
      out,
      second: { right: next, sum: keep, out: out2 },
    });
    return [out, out2];
  };
  return builder.finish([...select(q0, q1), ...select(q2, q3)]);
}

/** Borrows into bits 59..63, known after level 6. Runs above bit 31 are ready at level 5, like the run [0, 31]. */
function borrowsFromBit59(builder: Builder): Wire[] {
  const low = builder.tree(0, 31);
  const high = runsAbove31(builder);
  const borrows: Wire[] = [];
  for (let index = 0; index < high.length; index += 2) {
    const [first, next] = [high[index]!, high[index + 1]];
    const out = builder.wire();
    const second = next === undefined ? undefined : { right: next.p!, sum: next.g, out: builder.wire() };
    builder.gate(6, { left: low.g, right: first.p!, sum: first.g, out, second });
    borrows.push(out, ...(second === undefined ? [] : [second.out]));
  }
  return borrows;
}

/** The runs [32, k] for k = 58..62, with their short ends shared. */
function runsAbove31(builder: Builder): Span[] {
  const from32 = builder.tree(32, 47);
  const from48 = builder.tree(48, 55);
  const to57 = builder.tree(56, 57);
  const at60 = builder.tree(60, 61);
  const to59 = builder.join(builder.tree(58, 59), to57);
  const ends = [
    builder.join(builder.leaf(58), to57),
    to59,
    builder.join(builder.leaf(60), to59),
    builder.join(at60, to59),
    builder.join(builder.join(builder.leaf(62), at60), to59),
  ];
  return ends.map((end) => builder.join(builder.join(end, from48), from32));
}

/** 7 levels; `pairs` shared pairs per ciphertext. */
export const COMPARISON: Plan = build();
