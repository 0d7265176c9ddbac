/** node-tfhe is CommonJS with one class per width; here it is typed, and values of every type can be encrypted. */
import { createRequire } from 'node:module';
import type * as Tfhe from 'node-tfhe';
import type { FheType } from '../../src/fhe-type.ts';

export type NodeTfhe = typeof Tfhe;

const require = createRequire(import.meta.url);

/** Versions that applications use, oldest first; the last is the one the product is written for. */
export const NODE_TFHE_PACKAGES = ['node-tfhe-1.3.3', 'node-tfhe-1.5.3', 'node-tfhe-1.6.1', 'node-tfhe'] as const;

/** 1.4.2 reads and writes what its neighbours do; its proofs are of a kind of their own. */
type NodeTfhePackage = (typeof NODE_TFHE_PACKAGES)[number] | 'node-tfhe-1.4.2';

export function loadNodeTfhe(name: NodeTfhePackage = 'node-tfhe'): NodeTfhe {
  return require(name) as NodeTfhe;
}

export const SIZE_LIMIT = 1n << 32n;

export interface Serializable {
  safe_serialize(limit: bigint): Uint8Array;
}

interface Decryptable extends Serializable {
  decrypt(key: Tfhe.TfheClientKey): bigint | number | boolean;
}

interface ValueClass {
  encrypt_with_client_key(value: unknown, key: Tfhe.TfheClientKey): Decryptable;
  safe_deserialize(bytes: Uint8Array, limit: bigint): Decryptable;
}

export function serialize(object: Serializable): Uint8Array {
  return object.safe_serialize(SIZE_LIMIT);
}

function classOf(tfhe: NodeTfhe, type: FheType, prefix = ''): ValueClass {
  const suffix = { bool: 'Bool', uint: `Uint${type.bits}`, int: `Int${type.bits}` }[type.kind];
  return (tfhe as unknown as Record<string, ValueClass>)[`${prefix}Fhe${suffix}`]!;
}

/** What node-tfhe wants as the value of that type: number up to 32 bits, bigint above, boolean for bool. */
function plaintextOf(type: FheType, value: bigint): boolean | number | bigint {
  if (type.kind === 'bool') return value === 1n;
  return type.bits <= 32 ? Number(value) : value;
}

export function encryptFhe(tfhe: NodeTfhe, key: Tfhe.TfheClientKey, type: FheType, value: bigint): Uint8Array {
  return serialize(classOf(tfhe, type).encrypt_with_client_key(plaintextOf(type, value), key));
}

export function encryptCompressed(tfhe: NodeTfhe, key: Tfhe.TfheClientKey, type: FheType, value: bigint): Uint8Array {
  return serialize(classOf(tfhe, type, 'Compressed').encrypt_with_client_key(plaintextOf(type, value), key));
}

/** node-tfhe's own decryption. */
export function decryptFhe(tfhe: NodeTfhe, key: Tfhe.TfheClientKey, type: FheType, bytes: Uint8Array): bigint {
  return BigInt(classOf(tfhe, type).safe_deserialize(bytes, SIZE_LIMIT).decrypt(key));
}

export interface Item {
  readonly type: FheType;
  readonly value: bigint;
}

type Push = (value: unknown) => void;

/** A builder with all items pushed. */
export function listBuilder(tfhe: NodeTfhe, publicKey: Tfhe.TfheCompactPublicKey, items: readonly Item[]) {
  const builder = tfhe.CompactCiphertextList.builder(publicKey);
  for (const { type, value } of items) {
    const method = { bool: 'push_boolean', uint: `push_u${type.bits}`, int: `push_i${type.bits}` }[type.kind];
    (builder as unknown as Record<string, Push>)[method]!(plaintextOf(type, value));
  }
  return builder;
}

/** The default parameter set, without the parts node-tfhe's builder cannot ask for. */
export function defaultConfig(tfhe: NodeTfhe): Tfhe.TfheConfig {
  const blocks = new tfhe.ShortintParameters(tfhe.ShortintParametersName.PARAM_MESSAGE_2_CARRY_2_KS_PBS_TUNIFORM_2M128);
  const pke = new tfhe.ShortintCompactPublicKeyEncryptionParameters(
    tfhe.ShortintCompactPublicKeyEncryptionParametersName.PARAM_PKE_MESSAGE_2_CARRY_2_KS_PBS_TUNIFORM_2M128,
  );
  const builder = tfhe.TfheConfigBuilder.with_custom_parameters(blocks);
  return builder.use_dedicated_compact_public_key_parameters(pke).build();
}

export function defaultClientKey(tfhe: NodeTfhe): Tfhe.TfheClientKey {
  return tfhe.TfheClientKey.generate(defaultConfig(tfhe));
}
