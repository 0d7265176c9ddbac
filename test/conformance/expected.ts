/** What the coprocessor makes, by name, and what its computations give on plain values. */
import { type FheType, fheTypeName, parseFheType } from '@keyquorum/tfhe/fhe-type';
import type { OptionalPart } from '@keyquorum/tfhe/key-set-components';
import type { Item } from '../../packages/tfhe/test/support/node-tfhe.ts';

/** @throws RangeError for a name that is none of a type */
export function typeNamed(name: string): FheType {
  const type = parseFheType(name);
  if (type === undefined) throw new RangeError(`no type ${name}`);
  return type;
}

/** In the order in which the coprocessor takes them: pairs of one type. */
export const INPUTS: readonly Item[] = [
  { type: typeNamed('bool'), value: 1n },
  { type: typeNamed('bool'), value: 0n },
  { type: typeNamed('uint8'), value: 0xc5n },
  { type: typeNamed('uint8'), value: 0x9bn },
  { type: typeNamed('uint64'), value: 0x0123_4567_89ab_cdefn },
  { type: typeNamed('uint64'), value: 0xfedc_ba98_7654_3212n },
];
const TYPES = ['bool', 'uint8', 'uint64'];

type Operation = (a: bigint, b: bigint) => bigint | boolean;

/** Integers are taken modulo 2^bits afterwards. */
const OPERATIONS: Readonly<Record<string, Operation>> = {
  first: (a) => a,
  second: (_, b) => b,
  and: (a, b) => a & b,
  not: (a) => a === 0n,
  sum: (a, b) => a + b,
  product: (a, b) => a * b,
  less: (a, b) => a < b,
  equal: (a, b) => a === b,
  unequal: (a, b) => a !== b,
  select: (a, b) => {
    const less = a < b;
    return less ? a : b;
  },
};

/** The value of an operation on the inputs of type `operands`. */
export function expectedValue(operation: string, operands: string, type: string): bigint {
  const [a, b] = INPUTS.filter((input) => fheTypeName(input.type) === operands).map(({ value }) => value);
  const compute = OPERATIONS[operation];
  if (compute === undefined || a === undefined || b === undefined)
    throw new RangeError(`no ${operation} of ${operands}`);
  return BigInt.asUintN(typeNamed(type).bits, BigInt(compute(a, b)));
}

/** Names of all results under a key set of these parts, in order. */
export function expectedFiles(parts: readonly OptionalPart[]): readonly string[] {
  const of = (operations: readonly string[], types: readonly string[]) =>
    types.flatMap((type) => operations.map((operation) => `${operation}-${type}`));
  const computed = [
    ...of(['and', 'not'], ['bool']),
    ...of(['sum', 'product', 'select', 'less', 'equal', 'unequal'], ['uint8', 'uint64']),
  ];
  const again = (prefix: string) => computed.map((name) => prefix + name);
  const byPart: readonly [OptionalPart, readonly string[]][] = [
    ['rerandomization', of(['rerandomized-first'], TYPES)],
    ['oprf', of(['random'], TYPES)],
    ['compression', ['list', ...again('decompressed-')]],
    ['noise-squashing', again('squashed-')],
    ['noise-squashing-compression', ['squashed-list', ...again('unpacked-')]],
  ];
  const names = [...of(['first', 'second'], TYPES), ...computed, 'unfinished-sum-uint8'];
  for (const [part, more] of byPart) if (parts.includes(part)) names.push(...more);
  return names.map((name) => `${name}.bin`);
}
