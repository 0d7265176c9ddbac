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

/**
 * One word per value, or undefined when some value's type is wider than 256 bits: such an answer is not for
 * contracts.
 */
export function decryptedResult(values: readonly AbiValue[]): Uint8Array | undefined {
  if (values.some(({ type }) => type.bits > WORD_BITS)) return undefined;
  return signedWords(values);
}

/**
 * What nodes sign about values of any type: `decryptedResult` where that exists; a type wider than a word takes as many
 * big-endian words as it needs, sign extended, so that such answers are signed too.
 */
export function signedWords(values: readonly AbiValue[]): Uint8Array {
  const wordCounts = values.map(({ type }) => Math.ceil(type.bits / WORD_BITS));
  const words = new Uint8Array(wordCounts.reduce((sum, count) => sum + count, 0) * WORD_BYTES);
  let at = 0;
  for (const [index, { type, value }] of values.entries()) {
    const inRange = type.kind === 'int' ? BigInt.asIntN(type.bits, value) : BigInt.asUintN(type.bits, value);
    if (inRange !== value) throw new RangeError(`value ${index} is outside the range of ${type.kind}${type.bits}`);
    const bytes = wordCounts[index]! * WORD_BYTES;
    const digits = BigInt.asUintN(8 * bytes, value)
      .toString(16)
      .padStart(2 * bytes, '0');
    for (let byte = 0; byte < bytes; byte++) {
      words[at + byte] = Number.parseInt(digits.slice(2 * byte, 2 * byte + 2), 16);
    }
    at += bytes;
  }
  return words;
}
