// Entry of the WASM kernel. Every export works on (address, count) in linear memory; there is no heap, no runtime and
// no import. Addresses and lengths are checked by the TypeScript facade (src/), never here.
export * from "./gr64";
export * from "./gr128";
export * from "./root";
export * from "./layout";
export * from "./prss";
export * from "./gf16";
export * from "./lwe";
export { multiplyTransforms, transform, twiddleNodes, twiddleTable } from "./fft";
export * from "./glwe";
export * from "./karatsuba";
export * from "./bootstrap";
import { wipeColumns } from "./gr128";
import { wipeRootScratch } from "./root";

/** First address the facade may use. */
export function heapBase(): usize {
  return __heap_base;
}

/** Zeroes what the last call left in static scratch. */
export function wipe(): void {
  wipeColumns();
  wipeRootScratch();
}
