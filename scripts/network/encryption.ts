/** Encrypts with node-tfhe under a network's public key: the client that the product must serve, not our own code. */
import { randomBytes, randomInt } from 'node:crypto';
import type { CiphertextFormat } from '@keyquorum/tfhe/ciphertext';
import tfhe, {
  type CompactCiphertextList,
  type CompactCiphertextListBuilder,
  type ProvenCompactCiphertextList,
} from 'node-tfhe';

const SERIALIZED_MAX = 1n << 30n;

/** A type of tfhe-rs by the nodes' name for it, or an address, which is an integer of 160 bits. */
export type SampleType = 'bool' | 'address' | `uint${number}` | `int${number}`;

export interface Sample {
  readonly type: SampleType;
  /** Negative only for signed types; bool is 0 or 1. */
  readonly value: bigint;
}

export interface EncryptedValue {
  readonly handle: string;
  readonly format: CiphertextFormat;
  /** base64 of the whole object */
  readonly bytes: string;
  readonly slot: number;
  /** What shows where it comes from. */
  readonly provenance?: { readonly proof: { crsId: string; contractAddress: string; userAddress: string } };
}

/** Name of the type in the nodes' answers. */
export function fheTypeOf(type: SampleType): string {
  return type === 'address' ? 'uint160' : type;
}

function shapeOf(type: SampleType): { signed: boolean; bits: number } {
  const [, kind, bits] = /^(u?int)(\d+)$/.exec(fheTypeOf(type)) ?? [];
  return { signed: kind === 'int', bits: Number(bits) };
}

/** Wider integers cross the border of node-tfhe as BigInt. */
const NUMBER_BITS_MAX = 32;

function push(builder: CompactCiphertextListBuilder, { type, value }: Sample): void {
  if (type === 'bool') {
    builder.push_boolean(value === 1n);
    return;
  }
  const { signed, bits } = shapeOf(type);
  const method = Reflect.get(builder, `push_${signed ? 'i' : 'u'}${bits}`);
  if (typeof method !== 'function') throw new RangeError(`node-tfhe cannot encrypt ${type}`);
  method.call(builder, bits <= NUMBER_BITS_MAX ? Number(value) : value);
}

/** A value of the type, drawn from its whole range. */
export function randomSample(type: SampleType): Sample {
  if (type === 'bool') return { type, value: BigInt(randomInt(2)) };
  const { signed, bits } = shapeOf(type);
  const drawn = BigInt(`0x${randomBytes(Math.ceil(bits / 8)).toString('hex')}`);
  return { type, value: signed ? BigInt.asIntN(bits, drawn) : BigInt.asUintN(bits, drawn) };
}

export interface Proving {
  /** A reference string, serialised. */
  readonly crs: Uint8Array;
  /** What the proof is bound to. */
  readonly metadata: Uint8Array;
}

export interface Encryptor {
  /** All samples in one compact list; one list value per sample, in order. */
  encrypt(samples: readonly Sample[], packing: 'packed' | 'plain'): EncryptedValue[];
  /** All samples in one proven list; fifteen seconds. */
  prove(samples: readonly Sample[], proving: Proving): EncryptedValue[];
}

type Build = (builder: CompactCiphertextListBuilder) => CompactCiphertextList | ProvenCompactCiphertextList;

/** Loads a serialised CompactPublicKey. Throws what node-tfhe throws when it is none. */
export function createEncryptor(publicKey: Uint8Array): Encryptor {
  const key = tfhe.TfheCompactPublicKey.safe_deserialize(publicKey, SERIALIZED_MAX);

  function listOf(samples: readonly Sample[], format: CiphertextFormat, build: Build): EncryptedValue[] {
    const builder = tfhe.CompactCiphertextList.builder(key);
    for (const sample of samples) push(builder, sample);
    const list = build(builder);
    const bytes = Buffer.from(list.safe_serialize(SERIALIZED_MAX)).toString('base64');
    list.free();
    builder.free();
    return samples.map((_, slot) => ({ handle: randomBytes(32).toString('hex'), format, bytes, slot }));
  }

  return {
    encrypt: (samples, packing) =>
      listOf(samples, 'compact-list', (builder) => (packing === 'packed' ? builder.build_packed() : builder.build())),
    prove(samples, { crs: file, metadata }) {
      const crs = tfhe.CompactPkeCrs.safe_deserialize(file, SERIALIZED_MAX);
      const load = tfhe.ZkComputeLoad.Proof; // more work for the prover, less for the nodes
      const lists = listOf(samples, 'proven-list', (builder) => builder.build_with_proof_packed(crs, metadata, load));
      crs.free();
      return lists;
    },
  };
}
