/** Encrypts with node-tfhe under a network's public key: the client that the product must serve, not our own code. */
import { randomBytes, randomInt } from 'node:crypto';
import tfhe, { type CompactCiphertextListBuilder } from 'node-tfhe';

const SERIALIZED_MAX = 1n << 30n;

export type SampleType =
  | 'bool'
  | 'uint8'
  | 'uint16'
  | 'uint32'
  | 'uint64'
  | 'uint128'
  | 'address'
  | 'uint256'
  | 'int64';

export interface Sample {
  readonly type: SampleType;
  /** Negative only for signed types; bool is 0 or 1. */
  readonly value: bigint;
}

export interface EncryptedValue {
  readonly handle: string;
  readonly format: 'compact-list';
  /** base64 of the whole list */
  readonly bytes: string;
  readonly slot: number;
}

const PUSH: Record<SampleType, (builder: CompactCiphertextListBuilder, value: bigint) => void> = {
  bool: (builder, value) => builder.push_boolean(value === 1n),
  uint8: (builder, value) => builder.push_u8(Number(value)),
  uint16: (builder, value) => builder.push_u16(Number(value)),
  uint32: (builder, value) => builder.push_u32(Number(value)),
  uint64: (builder, value) => builder.push_u64(value),
  uint128: (builder, value) => builder.push_u128(value),
  address: (builder, value) => builder.push_u160(value),
  uint256: (builder, value) => builder.push_u256(value),
  int64: (builder, value) => builder.push_i64(value),
};

const BITS: Record<SampleType, number> = {
  bool: 1,
  uint8: 8,
  uint16: 16,
  uint32: 32,
  uint64: 64,
  uint128: 128,
  address: 160,
  uint256: 256,
  int64: 64,
};

/** Name of the type in the nodes' answers: an address is an integer of 160 bits. */
export function fheTypeOf(type: SampleType): string {
  return type === 'address' ? 'uint160' : type;
}

/** A value of the type, drawn from its whole range. */
export function randomSample(type: SampleType): Sample {
  const bits = BITS[type];
  const bytes = BigInt(`0x${randomBytes(32).toString('hex')}`);
  if (type === 'bool') return { type, value: BigInt(randomInt(2)) };
  return { type, value: type.startsWith('int') ? BigInt.asIntN(bits, bytes) : BigInt.asUintN(bits, bytes) };
}

export interface Encryptor {
  /** All samples in one compact list; one list value per sample, in order. */
  encrypt(samples: readonly Sample[], packing: 'packed' | 'plain'): EncryptedValue[];
}

/** Loads a serialised CompactPublicKey. Throws what node-tfhe throws when it is none. */
export function createEncryptor(publicKey: Uint8Array): Encryptor {
  const key = tfhe.TfheCompactPublicKey.safe_deserialize(publicKey, SERIALIZED_MAX);
  return {
    encrypt(samples, packing) {
      const builder = tfhe.CompactCiphertextList.builder(key);
      for (const { type, value } of samples) PUSH[type](builder, value);
      const list = packing === 'packed' ? builder.build_packed() : builder.build();
      const bytes = Buffer.from(list.safe_serialize(SERIALIZED_MAX)).toString('base64');
      list.free();
      builder.free();
      return samples.map((_, slot) => ({
        handle: randomBytes(32).toString('hex'),
        format: 'compact-list',
        bytes,
        slot,
      }));
    },
  };
}
