/**
 * Preprocessed material in memory. A bundle is everything one LWE ciphertext needs: shares of a uniform 64-bit mask r,
 * of its bits over GF(16) and modulo 2^8, and of shared-operand triples. All vectors are wire-major: element (w, i) of
 * wire w and bundle i stands at w*B + i, so that a range of bundles is one slice per wire. Secret; erased as it is
 * taken.
 */
import type { Gf16, Gr64 } from '@keyquorum/kernel/batch';
import type { SharedPairs } from '@keyquorum/mpc/sharing/triples';

/** Bits of a mask: the ciphertext modulus is 2^64. */
export const MASK_BITS = 64;
const GR64_BYTES = 32;
/** One byte per coefficient. */
export const LIFT_BYTES = 4;

export interface Material {
  readonly bundles: number;
  /** Shares of r modulo 2^64, one element per bundle. */
  readonly mask: Gr64;
  /** Shares of r's bits, MASK_BITS wires. */
  readonly bits: Gf16;
  /** The same bits modulo 2^8, LIFT_BYTES per element: the low bytes of its coefficients. */
  readonly lifts: Uint8Array;
  /** Shared-operand triples, as many wires as the circuit has pairs. */
  readonly pairs: SharedPairs;
}

/** Copies bundles [low, low+count) out and erases them in place: a bundle can be taken once. */
export function takeBundles(material: Material, low: number, count: number): Material {
  const { bundles, mask, bits, lifts, pairs } = material;
  const cut = <V extends Uint8Array>(vector: V, bytesPerElement = 1): V => {
    const wires = vector.length / (bundles * bytesPerElement);
    const out = new Uint8Array(wires * count * bytesPerElement);
    for (let wire = 0; wire < wires; wire++) {
      const at = (wire * bundles + low) * bytesPerElement;
      const slice = vector.subarray(at, at + count * bytesPerElement);
      out.set(slice, wire * count * bytesPerElement);
      slice.fill(0);
    }
    return out as Uint8Array as V; // same kind of vector, fewer elements
  };
  return {
    bundles: count,
    mask: cut(mask, GR64_BYTES),
    bits: cut(bits),
    lifts: cut(lifts, LIFT_BYTES),
    pairs: mapPairs(pairs, cut),
  };
}

export function eraseMaterial({ mask, bits, lifts, pairs }: Material): void {
  for (const vector of [mask, bits, lifts]) vector.fill(0);
  for (const vector of Object.values(pairs)) vector.fill(0);
}

function mapPairs(pairs: SharedPairs, map: (vector: Gf16) => Gf16): SharedPairs {
  const entries = Object.entries(pairs).map(([name, vector]) => [name, map(vector)]);
  return Object.fromEntries(entries) as SharedPairs; // the same names
}
