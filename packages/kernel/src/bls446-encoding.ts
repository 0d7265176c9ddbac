/**
 * BLS12-446 in bytes, exactly as tfhe-rs stores it: a coordinate a is the 56-byte little-endian integer
 * a * 2^448 mod p (Montgomery form), a G1 point is x | y, a G2 point is x.c0 | x.c1 | y.c0 | y.c1 over Fp[u]/(u^2+1),
 * infinity is all zero. A scalar is a 40-byte little-endian integer below r, NOT in Montgomery form.
 * Source of the constants: tfhe-zk-pok, curve_446. The BigInt code here is for single public values.
 */
import { wholeItems } from './context.ts';
import { KernelError } from './errors.ts';

// Exists for the type checker only: no value ever has this property.
declare const group: unique symbol;

/** Whole points of y^2 = x^3 + 1 over Fp, coordinates reduced, 112 bytes each. Unchecked: curve, subgroup. */
export type G1Points = Uint8Array & { readonly [group]: 'G1' };
/** Whole points of y^2 = x^3 + 1 + u over Fp2, coordinates reduced, 224 bytes each. Unchecked: the same. */
export type G2Points = Uint8Array & { readonly [group]: 'G2' };
/** Whole integers below r, 40 bytes each. */
export type Scalars = Uint8Array & { readonly [group]: 'Fr' };

export const COORDINATE_BYTES = 56;
export const G1_BYTES = 2 * COORDINATE_BYTES;
export const G2_BYTES = 4 * COORDINATE_BYTES;
export const SCALAR_BYTES = 40;
/** Input of `ScalarField.fromWideBytes`, per scalar. */
export const WIDE_BYTES = 56;

/** The curve's parameter: everything else follows from it. */
export const X = -0x6008204000000020001n;
/** Order of the groups, 299 bits. */
export const R = X ** 4n - X ** 2n + 1n;
/** Characteristic of the base field, 446 bits, 3 mod 4. */
export const P = ((X - 1n) ** 2n * R) / 3n + X;
const MONTGOMERY_BITS = 448;
const MONTGOMERY = (1n << BigInt(MONTGOMERY_BITS)) % P;
const MONTGOMERY_INVERSE = halved(1n, MONTGOMERY_BITS);

/** x and y of the generator of G1. */
const BASE_1 = [
  0x326ed6bd777fc6a311b73d3d76ae98512ce8c34265bf38416b20d782901a6f6211c1e56b3e4bc80b8bc02b7cbe6a9e8d3bf9166c8236f4fan,
  0x1a7caf4a4d3887a6d6d62d244e413636f843c947aa57f57139d7f424b6660204b9093f32002756da22db0ce6034a9db9fe6f792612016b30n,
];
/** x.c0, x.c1, y.c0 and y.c1 of the generator of G2. */
const BASE_2 = [
  0x21f8d4a76f74541aa57c0038441f7d1518dad8ed784dd225062b61439640e885043c6bf16312d638d6ebaf149094f1cc0e529ee4dce9991dn,
  0x1e0f563c601bb8dca1b4e791d1b86560debaf4a2c553452771449cdeca4f00072879dd439b019b8b7cef6acb145b6413caf5185423a7d23an,
  0x115ea2305a78f6460cc61570301497a7ddff621b5db3f8970177bfd6654e681e00346cebad16a03682039e4221ff3507274315837455b919n,
  0x25ed2192b203c1fe76a2ffcb7d47679d0b0bcc3fb6f2161c7532834528cd5a648a8e6755f9d82fd1d8ab17c84b9f03cd392236e9cf2976c2n,
];
export const G1_GENERATOR: G1Points = asG1Points(coordinatesToBytes(BASE_1));
export const G2_GENERATOR: G2Points = asG2Points(coordinatesToBytes(BASE_2));

/** The same bytes, not a copy. Throws BATCH_LENGTH unless whole points, NOT_AN_ELEMENT unless reduced. */
export function asG1Points(bytes: Uint8Array): G1Points {
  return canonical('G1 points', bytes, { itemBytes: G1_BYTES, wordBytes: COORDINATE_BYTES, bound: P }) as G1Points;
}

/** The same bytes, not a copy. Throws BATCH_LENGTH unless whole points, NOT_AN_ELEMENT unless reduced. */
export function asG2Points(bytes: Uint8Array): G2Points {
  return canonical('G2 points', bytes, { itemBytes: G2_BYTES, wordBytes: COORDINATE_BYTES, bound: P }) as G2Points;
}

/** The same bytes, not a copy. Throws BATCH_LENGTH unless whole scalars, NOT_AN_ELEMENT unless they are below r. */
export function asScalars(bytes: Uint8Array): Scalars {
  return canonical('scalars', bytes, { itemBytes: SCALAR_BYTES, wordBytes: SCALAR_BYTES, bound: R }) as Scalars;
}

/** Whether one point is infinity. */
export function isInfinity(point: Uint8Array): boolean {
  return point.every((byte) => byte === 0);
}

/** The integers 0..p-1 that coordinates stand for, for arithmetic elsewhere. Public values only. */
export function coordinatesFromBytes(bytes: Uint8Array): bigint[] {
  return integersFromBytes(bytes, COORDINATE_BYTES).map((stored) => (stored * MONTGOMERY_INVERSE) % P);
}

/** Inverse of `coordinatesFromBytes`. */
export function coordinatesToBytes(coordinates: readonly bigint[]): Uint8Array {
  return integersToBytes(
    coordinates.map((coordinate) => (coordinate * MONTGOMERY) % P),
    COORDINATE_BYTES,
  );
}

/** Scalars as integers. Public values only. */
export function scalarsFromBytes(scalars: Scalars): bigint[] {
  return integersFromBytes(scalars, SCALAR_BYTES);
}

/** Inverse of `scalarsFromBytes`. Throws NOT_AN_ELEMENT unless they are below r. Public values only. */
export function scalarsToBytes(integers: readonly bigint[]): Scalars {
  return asScalars(integersToBytes(integers, SCALAR_BYTES));
}

interface Words {
  readonly itemBytes: number;
  readonly wordBytes: number;
  /** Words are below it. */
  readonly bound: bigint;
}

function canonical(what: string, bytes: Uint8Array, { itemBytes, wordBytes, bound }: Words): Uint8Array {
  const items = wholeItems(what, bytes, itemBytes);
  const limit = integersToBytes([bound], wordBytes);
  for (let at = 0; at < items * itemBytes; at += wordBytes) {
    if (!isBelow(bytes, at, limit)) {
      throw new KernelError('NOT_AN_ELEMENT', `${what}: item ${Math.floor(at / itemBytes)} is not reduced`);
    }
  }
  return bytes;
}

/** Subtracts all bytes, so that the time says nothing about a secret scalar. */
function isBelow(bytes: Uint8Array, at: number, limit: Uint8Array): boolean {
  let borrow = 0;
  for (let i = 0; i < limit.length; i++) borrow = (bytes[at + i]! - limit[i]! + borrow) >> 8;
  return borrow < 0;
}

/** value * 2^-bits mod p */
function halved(value: bigint, bits: number): bigint {
  let result = value;
  for (let i = 0; i < bits; i++) result = (result % 2n === 0n ? result : result + P) / 2n;
  return result;
}

function integersFromBytes(bytes: Uint8Array, wordBytes: number): bigint[] {
  return Array.from({ length: wholeItems('integers', bytes, wordBytes) }, (_, i) => {
    const digits = bytes.slice(i * wordBytes, (i + 1) * wordBytes).reverse();
    return BigInt(`0x${Buffer.from(digits).toString('hex')}`);
  });
}

function integersToBytes(integers: readonly bigint[], wordBytes: number): Uint8Array {
  const bytes = new Uint8Array(integers.length * wordBytes);
  integers.forEach((integer, i) => {
    const hex = integer.toString(16).padStart(2 * wordBytes, '0');
    bytes.set(Buffer.from(hex, 'hex').reverse(), i * wordBytes);
  });
  return bytes;
}
