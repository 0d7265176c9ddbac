/**
 * Encrypts values under a public key of the network with the TFHE module that the caller hands in: `tfhe` in browsers
 * (after its `init()`), `node-tfhe` in Node. Nothing is imported here, so that pages that only decrypt load no TFHE.
 */
import { ClientError } from './errors.ts';

/** What is used of `tfhe` and `node-tfhe`, version 1.3 and newer. */
export interface TfheModule {
  readonly TfheCompactPublicKey: { safe_deserialize(bytes: Uint8Array, sizeMax: bigint): TfheObject };
  readonly CompactCiphertextList: { builder(key: never): TfheListBuilder };
}

interface TfheObject {
  free(): void;
}

interface TfheListBuilder extends TfheObject {
  push_boolean(value: boolean): void;
  push_u8(value: number): void;
  push_u16(value: number): void;
  push_u32(value: number): void;
  push_u64(value: bigint): void;
  push_u128(value: bigint): void;
  push_u160(value: bigint): void;
  push_u256(value: bigint): void;
  build_packed(): TfheObject & { safe_serialize(sizeMax: bigint): Uint8Array };
}

export interface PlainInput {
  /** 'bool', 'uint8', 'uint16', 'uint32', 'uint64', 'uint128', 'uint160' (address) or 'uint256'. */
  readonly fheType: string;
  /** bool is 0 or 1. */
  readonly value: bigint;
}

/** One value of an encrypted list, as requests name it. */
export interface EncryptedInput {
  readonly format: 'compact-list';
  /** Base64 of the list. */
  readonly bytes: string;
  readonly slot: number;
  readonly fheType: string;
}

/** Of a key or list; only guards against absurd input. */
const OBJECT_BYTES_MAX = 1n << 30n;

const PUSH: Readonly<Record<string, { readonly bits: number; push(builder: TfheListBuilder, value: bigint): void }>> = {
  bool: { bits: 1, push: (builder, value) => builder.push_boolean(value === 1n) },
  uint8: { bits: 8, push: (builder, value) => builder.push_u8(Number(value)) },
  uint16: { bits: 16, push: (builder, value) => builder.push_u16(Number(value)) },
  uint32: { bits: 32, push: (builder, value) => builder.push_u32(Number(value)) },
  uint64: { bits: 64, push: (builder, value) => builder.push_u64(value) },
  uint128: { bits: 128, push: (builder, value) => builder.push_u128(value) },
  uint160: { bits: 160, push: (builder, value) => builder.push_u160(value) },
  uint256: { bits: 256, push: (builder, value) => builder.push_u256(value) },
};

/**
 * One list with all values.
 * @param publicKey bytes of a CompactPublicKey
 * @throws ClientError VALUE_UNSUPPORTED, or what the TFHE module throws for a bad key
 */
export function encrypt(tfhe: TfheModule, publicKey: Uint8Array, inputs: readonly PlainInput[]): EncryptedInput[] {
  const pushes = inputs.map(({ fheType, value }, index) => {
    const kind = PUSH[fheType];
    if (kind === undefined || value < 0n || value >> BigInt(kind.bits) !== 0n) {
      const what = kind
        ? `is outside of ${fheType}`
        : `has the type ${fheType}, want one of ${Object.keys(PUSH).join(', ')}`;
      throw new ClientError('VALUE_UNSUPPORTED', `value ${index} ${what}`);
    }
    return (builder: TfheListBuilder) => kind.push(builder, value);
  });
  const key = tfhe.TfheCompactPublicKey.safe_deserialize(publicKey, OBJECT_BYTES_MAX);
  const builder = tfhe.CompactCiphertextList.builder(key as never);
  try {
    for (const push of pushes) push(builder);
    const list = builder.build_packed();
    const bytes = base64(list.safe_serialize(OBJECT_BYTES_MAX));
    list.free();
    return inputs.map(({ fheType }, slot) => ({ format: 'compact-list', bytes, slot, fheType }));
  } finally {
    builder.free();
    key.free();
  }
}

/** Arguments of one call of `String.fromCharCode`. */
const CHUNK_BYTES = 8_192;

export function base64(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += CHUNK_BYTES) {
    text += String.fromCharCode(...bytes.subarray(at, at + CHUNK_BYTES));
  }
  return btoa(text);
}
