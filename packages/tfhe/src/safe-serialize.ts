/**
 * The envelope of tfhe-rs safe_serialize: a header that names the type, then the versioned object. tfhe-rs ignores
 * bytes after the object; we refuse them, so that one object has one encoding and one digest.
 */
import type { Codec } from '@keyquorum/codec/codec';
import { mapped, struct, text, unsupported, variants } from '@keyquorum/codec/composites';
import { CodecError } from '@keyquorum/codec/error';
import { Reader } from '@keyquorum/codec/reader';
import { Writer } from '@keyquorum/codec/writer';

const MAX_VERSION_BYTES = 16;
const MAX_NAME_BYTES = 128;
/** Two version strings and the mode before it are of fixed size. */
const TYPE_NAME_OFFSET = 26;

const exactly = (want: string) =>
  mapped(text(MAX_VERSION_BYTES), {
    to: (got) => (got === want ? got : undefined),
    from: (value: string) => value,
    want: `"${want}"`,
  });

const header = struct({
  headerVersion: exactly('0.5'),
  mode: variants({
    Versioned: struct({ scheme: exactly('0.1') }),
    Unversioned: unsupported('objects without version tags'),
  }),
  typeName: text(MAX_NAME_BYTES),
});

/** Type names as they stand in the header. All widths of FheUint share one name. */
export const TYPE_NAME = {
  clientKey: 'high_level_api::ClientKey',
  compactPublicKey: 'high_level_api::CompactPublicKey',
  compressedCompactPublicKey: 'high_level_api::CompressedCompactPublicKey',
  compressedServerKey: 'high_level_api::CompressedServerKey',
  compressedXofKeySet: 'high_level_api::CompressedXofKeySet',
  fheUint: 'high_level_api::FheUint',
  fheInt: 'high_level_api::FheInt',
  fheBool: 'high_level_api::FheBool',
  compressedFheUint: 'high_level_api::CompressedFheUint',
  compressedFheInt: 'high_level_api::CompressedFheInt',
  compressedFheBool: 'high_level_api::CompressedFheBool',
  compactCiphertextList: 'high_level_api::CompactCiphertextList',
  provenCompactCiphertextList: 'high_level_api::ProvenCompactCiphertextList',
  compressedCiphertextList: 'high_level_api::CompressedCiphertextList',
  squashedUint: 'high_level_api::SquashedNoiseFheUint',
  squashedInt: 'high_level_api::SquashedNoiseFheInt',
  squashedBool: 'high_level_api::SquashedNoiseFheBool',
  compressedSquashedNoiseCiphertextList: 'high_level_api::CompressedSquashedNoiseCiphertextList',
  compactPkeCrs: 'zk::CompactPkeCrs',
} as const;

/** A serialised object behind its header. */
export interface Envelope {
  readonly typeName: string;
  /**
   * Reads the object, which must end where the bytes end. Byte fields are views into the input.
   * @throws CodecError
   */
  open<T>(codec: Codec<T>): T;
}

/**
 * Reads the header only: the caller picks the codec by the name.
 * @throws CodecError
 */
export function readEnvelope(bytes: Uint8Array): Envelope {
  const reader = new Reader(bytes);
  const { typeName } = reader.within('header', () => header.read(reader));
  return {
    typeName,
    open(codec) {
      const value = codec.read(reader);
      reader.end();
      return value;
    },
  };
}

/**
 * Reads one object of the type `typeName`.
 * @throws CodecError
 */
export function safeDeserialize<T>(typeName: string, codec: Codec<T>, bytes: Uint8Array): T {
  const envelope = readEnvelope(bytes);
  if (envelope.typeName !== typeName) {
    const problem = `got ${JSON.stringify(envelope.typeName)}, want "${typeName}"`;
    throw new CodecError('CODEC_VALUE', { offset: TYPE_NAME_OFFSET, path: 'header.typeName' }, problem);
  }
  return envelope.open(codec);
}

/** The bytes tfhe-rs would write. */
export function safeSerialize<T>(typeName: string, codec: Codec<T>, value: T): Uint8Array<ArrayBuffer> {
  const writer = new Writer(1024);
  writeSafeSerialized(writer, typeName, codec, value);
  return writer.finish();
}

/** Appends the bytes tfhe-rs would write. */
export function writeSafeSerialized<T>(writer: Writer, typeName: string, codec: Codec<T>, value: T): void {
  const mode = { kind: 'Versioned' as const, value: { scheme: '0.1' } };
  header.write(writer, { headerVersion: '0.5', mode, typeName });
  codec.write(writer, value);
}
