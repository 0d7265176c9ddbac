/** Comparisons of what a ciphertext declares with what the key's parameter set demands. */
import { CiphertextError } from './ciphertext-error.ts';
import { BITS_PER_BLOCK, BOOL, type FheType, fheTypeId, fheTypeName } from './fhe-type.ts';
import type { CiphertextModulus } from './schema/core.ts';
import type { AtomicPattern } from './schema/parameters.ts';

/** Refuses a field whose value is not the one the key's parameter set demands. */
export function requireParameter(field: string, got: string | number, want: string | number): void {
  if (got !== want) {
    const problem = `${field}: got ${got}, want ${want}; encrypt under this key's public key`;
    throw new CiphertextError('CIPHERTEXT_PARAMETERS', problem, { field });
  }
}

/** Ciphertexts live modulo 2^64, or 2^128 when squashed, in every set: written as modulus 0 of so many bits. */
export function requireNativeModulus(
  field: string,
  { modulus, scalarBits }: CiphertextModulus,
  bits: 64 | 128 = 64,
): void {
  requireParameter(`${field}.ciphertextModulus`, modulus === 0n ? `2^${scalarBits}` : `${modulus}`, `2^${bits}`);
}

/** Blocks of every parameter set are under the big key: key switching first, then bootstrapping. */
export function requireAtomicPattern(field: string, { kind, value }: AtomicPattern): void {
  requireParameter(`${field}.atomicPattern`, kind, 'Standard');
  requireParameter(`${field}.pbsOrder`, value?.kind ?? 'none', 'KeyswitchBootstrap');
}

/** A block's plaintext is at most 15, message and carry together: more would need the padding bit (SPEC R13). */
const MAX_DEGREE = 15;

export function requireDegree(field: string, degree: number): void {
  if (degree > MAX_DEGREE) requireParameter(`${field}.degree`, degree, `at most ${MAX_DEGREE}`);
}

/** Refuses a count that contradicts another field of the same object. */
export function requireCount(field: string, got: number, want: number): void {
  if (got !== want) throw new CiphertextError('CIPHERTEXT_MALFORMED', `${field}: got ${got}, want ${want}`, { field });
}

/** The type of a value of that many blocks. */
export function fheTypeOf(kind: FheType['kind'], blockCount: number): FheType {
  if (kind === 'bool') return BOOL;
  const type = { kind, bits: blockCount * BITS_PER_BLOCK };
  if (fheTypeId(type) === undefined) {
    const problem = `blocks: got ${blockCount} blocks, but there is no type ${fheTypeName(type)}`;
    throw new CiphertextError('CIPHERTEXT_TYPE', problem, { field: 'blocks' });
  }
  return type;
}

/** The object in the envelope is none that the stated format allows. */
export function wrongObject(got: string, want: string): CiphertextError {
  const field = 'header.typeName';
  return new CiphertextError('CIPHERTEXT_MALFORMED', `${field}: got ${JSON.stringify(got)}, want ${want}`, { field });
}
