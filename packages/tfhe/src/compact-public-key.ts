/**
 * The compact public key: A(X) and B(X) = A(X)*rev(S)(X) + e(X) in Z_{2^64}[X]/(X^N + 1), under which applications
 * encrypt lists. Written with ExpansionKind tag 0, the one spelling that node-tfhe 1.3 to 1.7 all load.
 * The compressed form replaces A by its place in the key set's public stream; it needs node-tfhe 1.6 or newer.
 */
import type { Decoded } from '@keyquorum/codec/codec';
import { CodecError } from '@keyquorum/codec/error';
import { createSeededStream, keyStreamCompressionSeed } from './csprng.ts';
import type { ParameterSet } from './parameters.ts';
import { safeDeserialize, safeSerialize, TYPE_NAME } from './safe-serialize.ts';
import { type CiphertextModulus, NATIVE_64 } from './schema/core.ts';
import { compactPublicKey, compressedCompactPublicKey } from './schema/keys.ts';
import type { PkeParameters } from './schema/parameters.ts';

export type PublicKeyErrorCode =
  | 'PUBLIC_KEY_MALFORMED' //   not one canonical key object
  | 'PUBLIC_KEY_PARAMETERS'; // well formed, but of another parameter set

export class PublicKeyError extends Error {
  override readonly name = 'PublicKeyError';
  readonly code: PublicKeyErrorCode;

  constructor(code: PublicKeyErrorCode, message: string, options: { readonly cause?: unknown } = {}) {
    super(message, options);
    this.code = code;
  }
}

/** Coefficients of A and B: N u64 each, little endian. */
export interface CompactPublicKeyParts {
  readonly mask: Uint8Array;
  readonly body: Uint8Array;
}

/** The file node-tfhe's `TfheCompactPublicKey.safe_deserialize` reads, with an empty tag. */
export function compactPublicKeyBytes(
  parts: CompactPublicKeyParts & { readonly parameters: ParameterSet },
): Uint8Array<ArrayBuffer> {
  const { parameters, mask, body } = parts;
  requireCoefficients('mask', mask, parameters);
  requireCoefficients('body', body, parameters);
  const data = new Uint8Array(mask.length + body.length);
  data.set(mask);
  data.set(body, mask.length);
  const glwe = { data, polynomialSize: parameters.pke.dimension, ciphertextModulus: NATIVE_64 };
  const key = { key: { key: { glwe }, parameters: pkeParametersOf(parameters, 0) } };
  return safeSerialize(TYPE_NAME.compactPublicKey, compactPublicKey, { key: { key }, tag: NO_TAG });
}

/**
 * The file `TfheCompressedCompactPublicKey.safe_deserialize` reads, with an empty tag.
 * @param parts.seed 16 bytes, the key set's joint seed as little-endian u128
 * @param parts.streamIndex byte position of A in the stream "TFHE_GEN" || seed
 */
export function compressedCompactPublicKeyBytes(parts: {
  readonly parameters: ParameterSet;
  readonly seed: Uint8Array;
  readonly streamIndex: bigint | number;
  readonly body: Uint8Array;
}): Uint8Array<ArrayBuffer> {
  requireCoefficients('body', parts.body, parts.parameters);
  const value = compressedCompactPublicKeyValue(parts);
  return safeSerialize(TYPE_NAME.compressedCompactPublicKey, compressedCompactPublicKey, value);
}

/** The object behind the envelope, for files that contain it. The body is taken as it is. */
export function compressedCompactPublicKeyValue(parts: {
  readonly parameters: ParameterSet;
  readonly seed: Uint8Array;
  readonly streamIndex: bigint | number;
  readonly body: Uint8Array;
  readonly tag?: Uint8Array;
}): Decoded<typeof compressedCompactPublicKey> {
  const compressionSeed = keyStreamCompressionSeed(parts.seed, parts.streamIndex);
  const seededGlwe = { data: parts.body, glweSize: 2, compressionSeed, ciphertextModulus: NATIVE_64 };
  const key = { key: { key: { seededGlwe }, parameters: pkeParametersOf(parts.parameters, 1) } };
  return { key: { key }, tag: parts.tag ? { data: parts.tag } : NO_TAG };
}

/**
 * Reads a compact public key of the set `parameters`, from us or from node-tfhe.
 * @throws PublicKeyError
 */
export function readCompactPublicKey(bytes: Uint8Array, parameters: ParameterSet): CompactPublicKeyParts {
  const { key, parameters: declared } = translated(() =>
    safeDeserialize(TYPE_NAME.compactPublicKey, compactPublicKey, bytes),
  ).key.key.key;
  requirePkeParameters(declared, key.glwe.ciphertextModulus, parameters);
  const { dimension } = parameters.pke;
  requireEqual('polynomialSize', key.glwe.polynomialSize, dimension);
  requireEqual('data words', key.glwe.data.length / 8, 2 * dimension);
  const half = 8 * dimension;
  return { mask: new Uint8Array(key.glwe.data.subarray(0, half)), body: new Uint8Array(key.glwe.data.subarray(half)) };
}

/**
 * Reads a compressed compact public key of the set `parameters` and derives its mask.
 * @throws PublicKeyError
 */
export function readCompressedCompactPublicKey(bytes: Uint8Array, parameters: ParameterSet): CompactPublicKeyParts {
  const { key, parameters: declared } = translated(() =>
    safeDeserialize(TYPE_NAME.compressedCompactPublicKey, compressedCompactPublicKey, bytes),
  ).key.key.key;
  requirePkeParameters(declared, key.seededGlwe.ciphertextModulus, parameters);
  const { dimension } = parameters.pke;
  requireEqual('glweSize', key.seededGlwe.glweSize, 2);
  requireEqual('data words', key.seededGlwe.data.length / 8, dimension);
  const mask = createSeededStream(key.seededGlwe.compressionSeed).read(8 * dimension);
  return { mask, body: new Uint8Array(key.seededGlwe.data) };
}

const NO_TAG = { data: new Uint8Array(0) };

function pkeParametersOf(parameters: ParameterSet, expansionTag: 0 | 1): PkeParameters {
  const { dimension, noiseBoundLog2, zkScheme } = parameters.pke;
  return {
    dimension,
    noise: { kind: 'TUniform', value: { boundLog2: noiseBoundLog2 } },
    messageModulus: parameters.messageModulus,
    carryModulus: parameters.carryModulus,
    ciphertextModulus: NATIVE_64,
    expansionKind: { version: expansionTag, value: { kind: 'RequiresCasting', value: null } },
    zkScheme: { kind: zkScheme, value: null },
  };
}

function requirePkeParameters(declared: PkeParameters, modulus: CiphertextModulus, parameters: ParameterSet): void {
  const { dimension, noiseBoundLog2, zkScheme } = parameters.pke;
  const noise = declared.noise.kind === 'TUniform' ? declared.noise.value.boundLog2 : declared.noise.kind;
  requireEqual('dimension', declared.dimension, dimension);
  requireEqual('noise bound', noise, noiseBoundLog2);
  requireEqual('messageModulus', declared.messageModulus, parameters.messageModulus);
  requireEqual('carryModulus', declared.carryModulus, parameters.carryModulus);
  requireEqual('expansionKind', declared.expansionKind.value.kind, 'RequiresCasting');
  requireEqual('zkScheme', declared.zkScheme.kind, zkScheme);
  for (const { modulus: value, scalarBits } of [modulus, declared.ciphertextModulus]) {
    requireEqual('ciphertextModulus', value === 0n ? `2^${scalarBits}` : `${value}`, '2^64');
  }
}

function requireCoefficients(field: string, bytes: Uint8Array, parameters: ParameterSet): void {
  const want = 8 * parameters.pke.dimension;
  if (bytes.length !== want)
    throw new RangeError(`compact public key ${field}: got ${bytes.length} bytes, want ${want}`);
}

function requireEqual(field: string, got: string | number, want: string | number): void {
  if (got !== want) throw new PublicKeyError('PUBLIC_KEY_PARAMETERS', `${field}: got ${got}, want ${want}`);
}

function translated<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
    throw new PublicKeyError('PUBLIC_KEY_MALFORMED', error.message, { cause: error });
  }
}
