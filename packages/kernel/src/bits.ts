/** Shared random bits from opened squares (SPEC R9), and numbers from bits: the bit part of `Ring` (ring.ts). */
import { elementwise } from './arithmetic.ts';
import type { Gr64, Gr128 } from './batch.ts';
import { convert, type RingContext, wholeItems, zeros } from './context.ts';
import { KernelError, requireRange } from './errors.ts';
import { requireSameLength } from './shape.ts';

export function bitShares<E extends Gr64 | Gr128>(
  context: RingContext,
  a: E,
  opened: E,
  coefficientBytes: number = context.wordBytes,
): E {
  const { name, ring, wordBytes, bytesPerElement } = context;
  requireRange('coefficient bytes', coefficientBytes, 1, wordBytes);
  requireSameLength(name, [a, opened]);
  requireRoots(opened, bytesPerElement);
  const steps = Math.ceil(Math.log2(8 * coefficientBytes)); // every Newton step doubles the precision
  return elementwise(context, (out, own, v, count) => ring.bitShares(out, own, v, steps, count), a, opened);
}

export function combineBits<E extends Gr64 | Gr128>(context: RingContext, bits: E, width: number): E {
  const { name, ring, wordBytes, bytesPerElement, memory } = context;
  requireRange('bits per element', width, 1, 8 * wordBytes);
  const step = width * bytesPerElement;
  const out = { bytes: zeros<E>(context, wholeItems(`${name} combineBits`, bits, step)), step: bytesPerElement };
  return convert(memory, { bytes: bits, step }, out, (to, from, count) => ring.combineBits(to, from, width, count));
}

/** r^2 + r = v is solvable iff the trace of v mod 2 vanishes: in GF(16) that is coordinate 3. `opened` is public. */
function requireRoots(opened: Uint8Array, bytesPerElement: number): void {
  for (let i = (bytesPerElement / 4) * 3; i < opened.length; i += bytesPerElement) {
    if ((opened[i]! & 1) === 1) {
      const element = Math.floor(i / bytesPerElement);
      const message = `element ${element}: no root of r^2 + r = v; the opening was wrong, stop the session`;
      throw new KernelError('ROOT_MISSING', message);
    }
  }
}
