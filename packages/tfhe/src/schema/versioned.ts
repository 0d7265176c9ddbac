/**
 * tfhe-versionable: every type writes a u32 version tag before its content. A reader of tfhe-rs accepts any older tag;
 * we accept exactly the tags listed here and keep them, so that what was read is written back byte for byte.
 */
import { type Codec, type Decoded, size } from '@keyquorum/codec/codec';
import { struct } from '@keyquorum/codec/composites';

/** `content` behind exactly this version tag. */
export function versioned<T>(version: number, content: Codec<T>): Codec<T> {
  return {
    minBytes: 4 + content.minBytes,
    read(reader) {
      const at = reader.offset;
      const got = reader.u32();
      if (got !== version) throw reader.error('CODEC_VARIANT', `got version tag ${got}, want ${version}`, at);
      return content.read(reader);
    },
    write(writer, value) {
      writer.u32(version);
      content.write(writer, value);
    },
  };
}

type Versions = Readonly<Record<number, Codec<unknown>>>;

/** A value with the version tag it was read under. */
export type VersionOf<V extends Versions> = {
  [K in keyof V & number]: { readonly version: K; readonly value: Decoded<V[K]> };
}[keyof V & number];

/** One of several accepted version tags; the value says which. */
export function versions<V extends Versions>(contents: V): Codec<VersionOf<V>> {
  return {
    minBytes: 4 + Math.min(...Object.values(contents).map((content) => content.minBytes)),
    read(reader) {
      const at = reader.offset;
      const version = reader.u32();
      const content = contents[version];
      if (content === undefined) {
        const want = Object.keys(contents).join(' or ');
        throw reader.error('CODEC_VARIANT', `got version tag ${version}, want ${want}`, at);
      }
      return { version, value: content.read(reader) } as VersionOf<V>; // both come from the same entry
    },
    write(writer, { version, value }) {
      const content = contents[version];
      if (content === undefined) throw new RangeError(`got version tag ${version}`);
      writer.u32(version);
      content.write(writer, value);
    },
  };
}

/** A struct behind version tag `version`. */
export function versionedStruct<F extends Readonly<Record<string, Codec<unknown>>>>(version: number, fields: F) {
  return versioned(version, struct(fields));
}

/** A usize or u64 behind version tag 0: dimensions, counts, moduli. */
export function versionedSize(max: number): Codec<number> {
  return versioned(0, size(max));
}
