/**
 * Compact lists, plain and proven: many LWE ciphertexts under the compact public key's secret share one mask polynomial
 * per chunk of N. Ciphertext i of a chunk has the mask polynomial times X^i in Z[X]/(X^N + 1) as its mask.
 * A packed list puts two consecutive blocks b0 + 4*b1 into one ciphertext; pairs run over the concatenation of all
 * items, so a boolean may share a ciphertext with the first block of the integer behind it.
 */
import { CiphertextError } from './ciphertext-error.ts';
import type { Piece, Value64 } from './ciphertext-value.ts';
import { BITS_PER_BLOCK } from './fhe-type.ts';
import { blocksOf, type Place, placeOf } from './list-items.ts';
import { requireDegree, requireNativeModulus, requireParameter, wrongObject } from './parameter-checks.ts';
import { DELTA_LOG2, type ParameterSet } from './parameters.ts';
import { type Envelope, TYPE_NAME } from './safe-serialize.ts';
import {
  compactCiphertextList,
  type ListBlocks,
  type ListItem,
  provenCompactCiphertextList,
} from './schema/ciphertexts.ts';

const WORD_BYTES = 8;

interface List {
  /** One part in a plain list, one per proof in a proven one. Items run over their concatenation. */
  readonly parts: readonly ListBlocks[];
  readonly items: readonly ListItem[];
}

/** Reads value `slot` of a CompactCiphertextList behind its header. */
export function readListValue(envelope: Envelope, parameters: ParameterSet, slot: number): Value64 {
  if (envelope.typeName !== TYPE_NAME.compactCiphertextList) {
    throw wrongObject(envelope.typeName, 'CompactCiphertextList');
  }
  const { blocks, items } = envelope.open(compactCiphertextList).inner;
  return sliceOf({ parts: [blocks], items }, parameters, slot);
}

/** Reads value `slot` of a ProvenCompactCiphertextList behind its header. The proofs are parsed, not verified. */
export function readProvenListValue(envelope: Envelope, parameters: ParameterSet, slot: number): Value64 {
  if (envelope.typeName !== TYPE_NAME.provenCompactCiphertextList) {
    throw wrongObject(envelope.typeName, 'ProvenCompactCiphertextList');
  }
  const { proved, items } = envelope.open(provenCompactCiphertextList).inner;
  return sliceOf({ parts: proved.lists.map(({ blocks }) => blocks), items }, parameters, slot);
}

function sliceOf(list: List, parameters: ParameterSet, slot: number): Value64 {
  const blocksPerCiphertext = requireListParameters(list, parameters);
  const ciphertexts = list.parts.reduce((sum, part) => sum + part.lwe.count, 0);
  const blocks = blocksOf(list.items);
  if (Math.ceil(blocks / blocksPerCiphertext) !== ciphertexts) {
    const problem = `items: got ${blocks} blocks in ${ciphertexts} ciphertexts of ${blocksPerCiphertext} blocks each`;
    throw new CiphertextError('CIPHERTEXT_MALFORMED', problem, { field: 'inner.items' });
  }
  return cutOut(list, { ...placeOf(list.items, slot), total: blocks, blocksPerCiphertext }, parameters.pke.dimension);
}

/** The part of a parameter set that lists depend on. */
export type ListParameters = Pick<ParameterSet, 'messageModulus' | 'carryModulus'> & {
  readonly pke: Pick<ParameterSet['pke'], 'dimension'>;
};

/** Checks every part against the key's set; returns how many blocks one ciphertext holds. */
export function requireListParameters({ parts }: Pick<List, 'parts'>, parameters: ListParameters): 1 | 2 {
  let degree: number | undefined;
  for (const [index, part] of parts.entries()) {
    const field = `parts[${index}]`;
    const { dimension } = parameters.pke;
    requireNativeModulus(field, part.lwe.ciphertextModulus);
    requireParameter(`${field}.lwe.dimension`, part.lwe.lweSize - 1, dimension);
    requireParameter(`${field}.messageModulus`, part.messageModulus, parameters.messageModulus);
    requireParameter(`${field}.carryModulus`, part.carryModulus, parameters.carryModulus);
    requireParameter(`${field}.expansionKind`, part.expansionKind.value.kind, 'RequiresCasting');
    requireDegree(field, part.degree);
    // Packing is told by the degree, so parts of one list must agree on it.
    requireParameter(`${field}.degree`, part.degree, degree ?? part.degree);
    degree = part.degree;
    const words = Math.ceil(part.lwe.count / dimension) * dimension + part.lwe.count;
    if (part.lwe.data.length !== words * WORD_BYTES) {
      const problem = `${field}.lwe.data: got ${part.lwe.data.length / WORD_BYTES} words, want ${words}`;
      throw new CiphertextError('CIPHERTEXT_MALFORMED', problem, { field: `${field}.lwe.data` });
    }
  }
  return degree !== undefined && degree > parameters.messageModulus - 1 ? 2 : 1;
}

interface Span extends Place {
  /** Blocks of the whole list. */
  readonly total: number;
  readonly blocksPerCiphertext: 1 | 2;
}

/** Copies the ciphertexts that hold blocks `first` to `first + count - 1` of the list. */
function cutOut(list: List, span: Span, dimension: number): Value64 {
  const { type, first, count, total, blocksPerCiphertext } = span;
  const start = Math.floor(first / blocksPerCiphertext);
  const length = Math.ceil((first + count) / blocksPerCiphertext) - start;
  const value: Value64 = {
    type,
    key: 'pke',
    deltaLog2: DELTA_LOG2,
    dimension,
    masks: new Uint8Array(length * dimension * WORD_BYTES),
    bodies: new Uint8Array(length * WORD_BYTES),
    blockBits: Array.from({ length }, (_, block) => {
      const blocksLeft = total - (start + block) * blocksPerCiphertext; // the last one of a list may be half full
      return BITS_PER_BLOCK * Math.min(blocksPerCiphertext, blocksLeft);
    }),
    pieces: Array.from({ length: count }, (_, index): Piece => {
      const position = first + index;
      const isUpperHalf = blocksPerCiphertext === 2 && position % 2 === 1;
      return { block: Math.floor(position / blocksPerCiphertext) - start, shift: isUpperHalf ? 2 : 0, bits: 2 };
    }),
  };
  copyCiphertexts(list.parts, start, value);
  return value;
}

/** Copies consecutive ciphertexts from `start` on, across the parts of the list. */
function copyCiphertexts(parts: readonly ListBlocks[], start: number, into: Value64): void {
  const length = into.blockBits.length;
  let partStart = 0;
  for (const { lwe } of parts) {
    const rotations = new Map<number, Rotations>();
    const bodiesAt = lwe.data.length - lwe.count * WORD_BYTES;
    for (let index = 0; index < length; index++) {
      const within = start + index - partStart;
      if (within < 0 || within >= lwe.count) continue;
      const chunk = Math.floor(within / into.dimension);
      const rotate = rotations.get(chunk) ?? rotationsOf(lwe.data, chunk, into.dimension);
      rotations.set(chunk, rotate);
      rotate(within % into.dimension, into.masks, index * into.dimension * WORD_BYTES);
      const bodyAt = bodiesAt + within * WORD_BYTES;
      into.bodies.set(lwe.data.subarray(bodyAt, bodyAt + WORD_BYTES), index * WORD_BYTES);
    }
    partStart += lwe.count;
  }
}

/** Writes the mask polynomial times X^power to byte `at` of `output`. */
type Rotations = (power: number, output: Uint8Array, at: number) => void;

/** Multiplying by X^power moves coefficients up; those that pass X^N come back at the bottom with the other sign. */
function rotationsOf(data: Uint8Array, chunk: number, dimension: number): Rotations {
  const maskBytes = dimension * WORD_BYTES;
  const mask = new Uint8Array(maskBytes);
  mask.set(data.subarray(chunk * maskBytes, (chunk + 1) * maskBytes));
  const negated = negatedWords(mask);
  return (power, output, at) => {
    const wrapped = power * WORD_BYTES;
    output.set(negated.subarray(maskBytes - wrapped), at);
    output.set(mask.subarray(0, maskBytes - wrapped), at + wrapped);
  };
}

/**
 * -x mod 2^64 of every word, in 32-bit halves. `bytes` is aligned and little endian, like every machine Node runs
 * on.
 */
function negatedWords(bytes: Uint8Array<ArrayBuffer>): Uint8Array {
  const words = new Uint32Array(bytes.buffer);
  const negated = new Uint32Array(words.length);
  for (let low = 0; low < words.length; low += 2) {
    const lowWord = words[low] ?? 0;
    const highWord = words[low + 1] ?? 0;
    negated[low] = -lowWord;
    negated[low + 1] = lowWord === 0 ? -highWord : ~highWord;
  }
  return new Uint8Array(negated.buffer);
}
