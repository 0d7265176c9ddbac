/** Exact products of polynomials over the integers through one big multiplication: the oracle of the transforms. */

/** a * b mod X^N+1 and 2^bits, coefficients in [0, 2^bits). */
export function negacyclic(a: readonly bigint[], b: readonly bigint[], bits: number): bigint[] {
  const degree = a.length;
  const slot = Math.ceil((2 * bits + Math.log2(degree) + 1) / 4); // hex digits of a coefficient of the product
  const product = substituted(a, slot) * substituted(b, slot);
  const digits = product.toString(16).padStart(2 * degree * slot, '0');
  const coefficient = (i: number) =>
    BigInt(`0x${digits.slice(digits.length - (i + 1) * slot, digits.length - i * slot)}`);
  return a.map((_, i) => BigInt.asUintN(bits, coefficient(i) - coefficient(i + degree)));
}

function substituted(polynomial: readonly bigint[], slot: number): bigint {
  return BigInt(
    `0x${polynomial
      .map((c) => c.toString(16).padStart(slot, '0'))
      .reverse()
      .join('')}`,
  );
}

/** Little-endian words of `bits` bits. */
export function wordsOf(bytes: Uint8Array, bits: 64 | 128): bigint[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const half = (i: number) => view.getBigUint64(8 * i, true);
  if (bits === 64) return Array.from({ length: bytes.length / 8 }, (_, i) => half(i));
  return Array.from({ length: bytes.length / 16 }, (_, i) => half(2 * i) | (half(2 * i + 1) << 64n));
}
