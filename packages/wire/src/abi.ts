/**
 * decryptedResult of a public decryption: the values as Solidity would pass them, one 32-byte big-endian word each, in
 * request order, without offsets or lengths. bool is 0 or 1, addresses are 160-bit integers, signed integers are sign
 * extended. Types wider than a word have no place in this encoding.
 */
const WORD_BITS = 256;
const WORD_BYTES = WORD_BITS / 8;

export interface AbiValue {
  readonly type: { readonly kind: 'bool' | 'uint' | 'int'; readonly bits: number };
  /** Within the range of the type; negative only for signed types. */
  readonly value: bigint;
}

/** One word per value, or undefined when some value's type is wider than 256 bits: such an answer is not for contracts. */
export function decryptedResult(values: readonly AbiValue[]): Uint8Array | undefined {
  if (values.some(({ type }) => type.bits > WORD_BITS)) return undefined;
  const words = new Uint8Array(values.length * WORD_BYTES);
  for (const [index, { type, value }] of values.entries()) {
    const inRange = type.kind === 'int' ? BigInt.asIntN(type.bits, value) : BigInt.asUintN(type.bits, value);
    if (inRange !== value) throw new RangeError(`value ${index} is outside the range of ${type.kind}${type.bits}`);
    const digits = BigInt.asUintN(WORD_BITS, value)
      .toString(16)
      .padStart(2 * WORD_BYTES, '0');
    for (let byte = 0; byte < WORD_BYTES; byte++) {
      words[index * WORD_BYTES + byte] = Number.parseInt(digits.slice(2 * byte, 2 * byte + 2), 16);
    }
  }
  return words;
}
