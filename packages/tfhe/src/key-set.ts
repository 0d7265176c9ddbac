/**
 * A whole public key set in one file, as the KMS core publishes it: CompressedXofKeySet, the compact public key and the
 * server key, all masks drawn from one stream. tfhe-rs 1.7 expands it in stream order, so parts that are absent must
 * take no place in the stream.
 */
import { compressedCompactPublicKeyValue } from './compact-public-key.ts';
import { keyStreamSeedData } from './csprng.ts';
import { keySetComponents } from './key-set-components.ts';
import { bodyPlaceholders, type FileLayout, fileLayout } from './key-set-layout.ts';
import { TYPE_NAME, writeSafeSerialized } from './safe-serialize.ts';
import { compressedXofKeySet } from './schema/server-key.ts';
import { type KeySetDescription, serverKeyValue } from './server-key.ts';

/** The file that `CompressedXofKeySet` of tfhe-rs safe-deserialises: the public key, then the server key. */
export function compressedXofKeySetLayout(description: KeySetDescription): FileLayout {
  const { parameters, parts, seed } = description;
  const components = keySetComponents(parameters, parts);
  const placeholders = bodyPlaceholders(components);
  const publicKey = compressedCompactPublicKeyValue({
    parameters,
    seed,
    streamIndex: components.find(({ component }) => component === 'compact-public-key')!.position,
    body: placeholders.get('compact-public-key')!,
    ...(description.tag && { tag: description.tag }),
  });
  const value = {
    start: { kind: 'FirstByte' as const, value: { data: keyStreamSeedData(seed) } },
    publicKey,
    serverKey: serverKeyValue(description, components, placeholders),
  };
  return fileLayout(components, placeholders, (writer) =>
    writeSafeSerialized(writer, TYPE_NAME.compressedXofKeySet, compressedXofKeySet, value),
  );
}
