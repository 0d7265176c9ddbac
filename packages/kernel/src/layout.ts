/** Moves between elements, base-ring words, packed elements and the wire: the layout part of `Ring` (ring.ts). */
import type { Gf16, Gr64, Gr128 } from './batch.ts';
import { convert, elementCount, elements, type RingContext, wholeItems, zeros } from './context.ts';
import { requireRange } from './errors.ts';

type Element = Gr64 | Gr128;
type Output<E> = { readonly bytes: E; readonly step: number };

export function embed<E extends Element>(context: RingContext, words: Uint8Array): E {
  const { name, wordBytes, wasm, memory } = context;
  const out = fresh<E>(context, wholeItems(name, words, wordBytes));
  return convert(memory, { bytes: words, step: wordBytes }, out, (to, from, count) =>
    wasm.embedWords(to, from, wordBytes, count),
  );
}

export function coordinate(context: RingContext, batch: Element, k: 0 | 1 | 2 | 3): Uint8Array {
  const { wordBytes, bytesPerElement, wasm, memory } = context;
  requireRange('coordinate', k, 0, 3);
  const out = { bytes: new Uint8Array(elementCount(context, batch) * wordBytes), step: wordBytes };
  return convert(memory, elements(context, batch), out, (to, from, count) =>
    wasm.copyWords(to, wordBytes, from + k * wordBytes, bytesPerElement, wordBytes, count),
  );
}

export function isBaseRing(context: RingContext, batch: Element): boolean {
  const { wordBytes, wasm, memory } = context;
  let high = 0;
  const plan = { count: elementCount(context, batch), inputs: [elements(context, batch)], outputs: [] };
  memory.stream(plan, ({ inputs }, count) => {
    high |= wasm.highCoordinates(inputs[0]!, wordBytes, count);
  });
  return high === 0;
}

export function pack4<E extends Element>(context: RingContext, batch: E): E {
  const step = 4 * context.bytesPerElement;
  const out = fresh<E>(context, wholeItems(`${context.name} pack4`, batch, step));
  return convert(context.memory, { bytes: batch, step }, out, context.ring.pack4);
}

export function residue(context: RingContext, batch: Element): Gf16 {
  const { wordBytes, wasm, memory } = context;
  const out = { bytes: new Uint8Array(elementCount(context, batch)) as unknown as Gf16, step: 1 };
  return convert(memory, elements(context, batch), out, (to, from, count) => wasm.residues(to, from, wordBytes, count));
}

export function toWire(context: RingContext, batch: Element, coefficientBytes: number): Uint8Array {
  const { wordBytes, wasm, memory } = context;
  requireRange('coefficient bytes', coefficientBytes, 1, wordBytes);
  const step = 4 * coefficientBytes;
  const out = { bytes: new Uint8Array(step * elementCount(context, batch)), step };
  return convert(memory, elements(context, batch), out, (to, from, count) =>
    wasm.truncateWords(to, from, wordBytes, coefficientBytes, 4 * count),
  );
}

export function fromWire<E extends Element>(context: RingContext, bytes: Uint8Array, coefficientBytes: number): E {
  const { name, wordBytes, wasm, memory } = context;
  requireRange('coefficient bytes', coefficientBytes, 1, wordBytes);
  const step = 4 * coefficientBytes;
  const out = fresh<E>(context, wholeItems(`${name} from the wire`, bytes, step));
  return convert(memory, { bytes, step }, out, (to, from, count) =>
    wasm.widenWords(to, from, wordBytes, coefficientBytes, 4 * count),
  );
}

export function lowBits<E extends Element>(context: RingContext, batch: E, coefficientBytes: number): E {
  const { wordBytes, wasm, memory } = context;
  requireRange('coefficient bytes', coefficientBytes, 1, wordBytes);
  const shift = 8 * (wordBytes - coefficientBytes);
  return convert(memory, elements(context, batch), fresh<E>(context, elementCount(context, batch)), (to, from, count) =>
    wasm.shiftWords(to, from, wordBytes, shift, 4 * count),
  );
}

function fresh<E extends Element>(context: RingContext, count: number): Output<E> {
  return { bytes: zeros<E>(context, count), step: context.bytesPerElement };
}
