/**
 * GF(16) = GF(2)[x]/(x^4+x+1) by tables, for PUBLIC values only: looking up a secret would leak it through the cache.
 * Elements are numbers 0..15, bit k the coefficient of x^k. Addition is XOR.
 */
import { KernelError } from './errors.ts';

const POWERS = [1, 2, 4, 8, 3, 6, 12, 11, 5, 10, 7, 14, 15, 13, 9]; // x^k, k = 0..14
const LOGARITHMS = POWERS.reduce<number[]>((logs, power, k) => {
  logs[power] = k;
  return logs;
}, []);

export function field16Mul(a: number, b: number): number {
  requireElement(a);
  requireElement(b);
  return a === 0 || b === 0 ? 0 : POWERS[(LOGARITHMS[a]! + LOGARITHMS[b]!) % 15]!;
}

/** Throws NOT_AN_ELEMENT for 0. */
export function field16Inverse(a: number): number {
  requireElement(a);
  if (a === 0) throw new KernelError('NOT_AN_ELEMENT', 'GF(16): 0 has no inverse');
  return POWERS[(15 - LOGARITHMS[a]!) % 15]!;
}

/** The products of `constant` with 0..15. */
export function field16Products(constant: number): Uint8Array {
  return Uint8Array.from({ length: 16 }, (_, x) => field16Mul(constant, x));
}

function requireElement(a: number): void {
  if (!Number.isInteger(a) || a < 0 || a > 15) throw new KernelError('NOT_AN_ELEMENT', `GF(16): ${a} is not in 0..15`);
}
