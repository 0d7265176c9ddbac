/**
 * EIP-712 digests (https://eips.ethereum.org/EIPS/eip-712), keccak256(0x1901 || domain separator || hash of a struct),
 * of the structs of this package. What depends on types and domain alone is computed once, and bytes are taken as they
 * are: a third of the processor time of a general encoder of hex text, viem's, which is the oracle of the tests.
 */
import { keccak_256 } from '@noble/hashes/sha3.js';
import { concatBytes, hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import { numberToBytes, pad } from 'viem';
import type { SigningDomain } from './eip712.ts';

export interface Field {
  readonly name: string;
  /** `bytes`, `string`, `bytes32`, `address`, `uintN`, the name of a struct, or one of them with `[]` behind it. */
  readonly type: string;
}

/** Structs by name: the one that is signed, and those that it refers to. */
export type StructTypes = { readonly [name: string]: readonly Field[] };

/** Of a field: bytes (or their hex), text of strings, numbers, arrays, structs by field name. */
export type FieldValue = Uint8Array | string | bigint | number | readonly FieldValue[] | StructValue;
export type StructValue = { readonly [field: string]: FieldValue };

const WORD_BYTES = 32;
const ADDRESS_BYTES = 20;
const PREFIX = Uint8Array.of(0x19, 0x01);
const DOMAIN_TYPES: StructTypes = {
  EIP712Domain: [
    { name: 'name', type: 'string' },
    { name: 'version', type: 'string' },
    { name: 'chainId', type: 'uint256' },
    { name: 'verifyingContract', type: 'address' },
  ],
};

/** Type hashes, by the constants that hold the types. */
const typeHashes = new WeakMap<readonly Field[], Uint8Array>();
/** By domain object: those of nodes and committees live as long as they do. */
const separators = new WeakMap<SigningDomain, Uint8Array>();

export interface TypedData {
  readonly types: StructTypes;
  readonly primaryType: string;
  readonly message: StructValue;
}

/**
 * What is signed for a struct, 32 bytes.
 * @throws when a value is not of the type of its field: what comes from outside is checked before
 */
export function typedDataDigest(domain: SigningDomain, { types, primaryType, message }: TypedData): Uint8Array {
  return keccak_256(concatBytes(PREFIX, separatorOf(domain), structHash(types, primaryType, message)));
}

/** All fields of the domain, as viem and wallets take it. */
export function fullDomain({ name = 'Decryption', chainId, verifyingContract }: SigningDomain) {
  return { name, version: '1', chainId: BigInt(chainId), verifyingContract };
}

function separatorOf(domain: SigningDomain): Uint8Array {
  const separator = separators.get(domain) ?? structHash(DOMAIN_TYPES, 'EIP712Domain', fullDomain(domain));
  separators.set(domain, separator);
  return separator;
}

function structHash(types: StructTypes, name: string, value: StructValue): Uint8Array {
  const fields = types[name]!;
  const typeHash = typeHashes.get(fields) ?? keccak_256(utf8ToBytes(typeText(types, name)));
  typeHashes.set(fields, typeHash);
  return keccak_256(concatBytes(typeHash, ...fields.map((field) => wordOf(types, field, value[field.name]))));
}

/** encodeType of the standard: the struct itself, then by name those that it refers to. */
function typeText(types: StructTypes, name: string): string {
  const text = (each: string) => `${each}(${types[each]!.map(({ type, name }) => `${type} ${name}`).join(',')})`;
  const others = referredTo(types, name, new Set([name])).filter((other) => other !== name);
  return [name, ...others.sort()].map(text).join('');
}

/** Names of the structs in a struct, at any depth; `seen` grows. */
function referredTo(types: StructTypes, name: string, seen: Set<string>): string[] {
  for (const { type } of types[name]!) {
    const inner = type.replace('[]', '');
    if (types[inner] !== undefined && !seen.has(inner)) referredTo(types, inner, seen.add(inner));
  }
  return [...seen];
}

/** encodeData of the standard, for one field. */
function wordOf(types: StructTypes, { name, type }: Field, value: FieldValue | undefined): Uint8Array {
  if (type.endsWith('[]') && Array.isArray(value)) {
    const element = { name, type: type.slice(0, -2) };
    return keccak_256(concatBytes(...value.map((each: FieldValue) => wordOf(types, element, each))));
  }
  if (type.startsWith('uint') && (typeof value === 'bigint' || typeof value === 'number')) {
    if (BigInt(value) >> BigInt(type.slice('uint'.length)) !== 0n) throw new RangeError(`${name}: no ${type}`);
    return numberToBytes(value, { size: WORD_BYTES });
  }
  if (type === 'string' && typeof value === 'string') return keccak_256(utf8ToBytes(value));
  const bytes = typeof value === 'string' ? hexToBytes(value.replace(/^0x/, '')) : value;
  if (bytes instanceof Uint8Array) {
    if (type === 'bytes') return keccak_256(bytes);
    if (type === 'bytes32' && bytes.length === WORD_BYTES) return bytes;
    if (type === 'address' && bytes.length === ADDRESS_BYTES) return pad(bytes);
  } else if (types[type] !== undefined && bytes !== undefined) return structHash(types, type, bytes as StructValue);
  throw new RangeError(`${name}: no ${type}`);
}
