/**
 * The twiddle table of assembly/fft.ts, breadth first from the root angle pi/2 (the fold is mod Y^M - i). Angles are
 * exact fractions of pi, reduced to [0, pi/4] before the one rounding: both parts are within 2^-53 of the truth, on
 * which the exactness bound of assembly/glwe.ts rests.
 */
import type { KernelExports } from './wasm.ts';

/** Fills the static table; once per instance. */
export function writeTwiddles(wasm: KernelExports): void {
  const table = new Float64Array(wasm.memory.buffer, wasm.twiddleTable(), 6 * wasm.twiddleNodes());
  const turns = [1 / 4]; // angles as fractions of a full turn, dyadic and therefore exact
  for (let node = 0; node < wasm.twiddleNodes(); node++) {
    const quarter = turns[node]! / 4;
    for (let k = 1; k <= 3; k++) table.set(unitRoot(k * quarter), 6 * node + 2 * (k - 1));
    turns.push(quarter, quarter + 1 / 2, quarter + 1 / 4, quarter + 3 / 4);
  }
}

/** Cosine and sine of an angle given as a fraction of a turn in [0, 1). */
function unitRoot(turn: number): [number, number] {
  if (turn >= 1 / 2) {
    const [cos, sin] = unitRoot(turn - 1 / 2);
    return [-cos, -sin];
  }
  if (turn >= 1 / 4) {
    const [cos, sin] = unitRoot(turn - 1 / 4);
    return [-sin, cos];
  }
  if (turn <= 1 / 8) return [Math.cos(2 * Math.PI * turn), Math.sin(2 * Math.PI * turn)];
  const rest = 2 * Math.PI * (1 / 4 - turn);
  return [Math.sin(rest), Math.cos(rest)];
}
