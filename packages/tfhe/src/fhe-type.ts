/** The plaintext types of FHE values: bool, unsigned and signed integers of the widths that tfhe-rs exposes. */

export interface FheType {
  readonly kind: 'bool' | 'uint' | 'int';
  /** Width of the plaintext; 1 for bool. */
  readonly bits: number;
}

/** Message bits per block of every supported parameter set. */
export const BITS_PER_BLOCK = 2;

export const BOOL: FheType = { kind: 'bool', bits: 1 };

/** Zama's `FheTypes` numbers by type name (the type byte of a handle). 30 is AsciiString, which has no type here. */
const TYPE_NAMES: readonly (string | undefined)[] = [
  'bool uint4 uint8 uint16 uint32 uint64 uint128 uint160 uint256 uint512 uint1024 uint2048',
  'uint2 uint6 uint10 uint12 uint14 int2 int4 int6 int8 int10 int12 int14 int16 int32 int64 int128 int160 int256',
  '- int512 int1024 int2048 uint24 uint40 uint48 uint56 uint72 uint80 uint88 uint96 uint104 uint112 uint120',
  'uint136 uint144 uint152 uint168 uint176 uint184 uint192 uint200 uint208 uint216 uint224 uint232 uint240 uint248',
  'int24 int40 int48 int56 int72 int80 int88 int96 int104 int112 int120 int136 int144 int152 int168 int176 int184',
  'int192 int200 int208 int216 int224 int232 int240 int248',
]
  .join(' ')
  .split(' ')
  .map((name) => (name === '-' ? undefined : name));

const TYPE_IDS: ReadonlyMap<string, number> = new Map(
  TYPE_NAMES.flatMap((name, id): [string, number][] => (name === undefined ? [] : [[name, id]])),
);

/** 'bool', 'uint64', 'int8', ... */
export function fheTypeName(type: FheType): string {
  return type.kind === 'bool' ? 'bool' : `${type.kind}${type.bits}`;
}

/** The type of that name, or undefined when tfhe-rs has none of that name. */
export function parseFheType(name: string): FheType | undefined {
  if (!TYPE_IDS.has(name)) return undefined;
  if (name === 'bool') return BOOL;
  const kind = name.startsWith('u') ? 'uint' : 'int';
  return { kind, bits: Number(name.slice(kind.length)) };
}

/** Zama's number of the type, or undefined for a width that no type has. */
export function fheTypeId(type: FheType): number | undefined {
  return TYPE_IDS.get(fheTypeName(type));
}

/** The type with that number, or undefined. */
export function fheTypeOfId(id: number): FheType | undefined {
  const name = TYPE_NAMES[id];
  return name === undefined ? undefined : parseFheType(name);
}

/** All types, in the order of their numbers. */
export function allFheTypes(): readonly FheType[] {
  return [...TYPE_IDS.keys()].flatMap((name) => parseFheType(name) ?? []);
}

/** Blocks of a value: one for bool, else two bits each. */
export function blockCountOf(type: FheType): number {
  return type.kind === 'bool' ? 1 : type.bits / BITS_PER_BLOCK;
}
