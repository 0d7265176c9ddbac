/**
 * A key set from a dealer who knows every secret key. Components are dealt when their place in the file is written, so
 * memory holds one of them at a time: at most 0.27 GB, where the whole default set is 0.51 GB.
 */
import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { compactPublicKeyBytes } from '@keyquorum/tfhe/compact-public-key';
import { createMaskStream, type KeyStreamComponent, keyStreamSeedData } from '@keyquorum/tfhe/csprng';
import { compressedXofKeySetLayout } from '@keyquorum/tfhe/key-set';
import { type KeySetComponent, keySetComponents, type OptionalPart } from '@keyquorum/tfhe/key-set-components';
import type { ParameterSet } from '@keyquorum/tfhe/parameters';
import { dealBodies, type SecretBits } from '../../packages/tfhe/test/support/dealer.ts';
import { fixedSecretBits } from '../../packages/tfhe/test/support/secret-bits.ts';
import type { KeySetUnderTest } from './key-set-under-test.ts';
import { openResult } from './open-result.ts';
import { pseudoRandomValue } from './pseudo-random.ts';

/** Joint seed of the mask stream. */
const SEED = Uint8Array.from({ length: 16 }, (_, i) => 11 * i + 5);
/** Like the id of a key; results carry it. */
const TAG = new Uint8Array(32).fill(7);

export function dealtKeySet(parameters: ParameterSet, parts: readonly OptionalPart[]): KeySetUnderTest {
  const secrets = busySecretBits(parameters);
  const components = keySetComponents(parameters, parts);
  const bodiesOf = (name: KeyStreamComponent): Uint8Array => {
    const component = components.find((c) => c.component === name)!;
    return dealBodies([component], { seed: SEED, secrets, noiseKey: noiseKeyOf(component) }).get(name)!;
  };
  const mask = createMaskStream(keyStreamSeedData(SEED)).read(8 * parameters.pke.dimension);
  return {
    parameters,
    parts,
    publicKey: compactPublicKeyBytes({ parameters, mask, body: bodiesOf('compact-public-key') }),
    async writeKeySet(path) {
      const { segments } = compressedXofKeySetLayout({ parameters, parts, seed: SEED, tag: TAG });
      await using file = await open(path, 'w');
      for (const segment of segments) {
        await file.appendFile(segment.kind === 'bytes' ? segment.bytes : bodiesOf(segment.component));
      }
    },
    decrypt: async (format, bytes) => openResult(format, bytes, { parameters, secrets }),
    random: (seed, type) => pseudoRandomValue(seed, type, { parameters, key: secrets.oprf }),
  };
}

/** Keys of a single bit (Test set) have it set: with 0 there would be nothing to bootstrap. */
function busySecretBits(parameters: ParameterSet): SecretBits {
  const secrets = fixedSecretBits(parameters);
  const one = Uint8Array.of(1);
  return {
    ...secrets,
    small: secrets.small.length === 1 ? one : secrets.small,
    oprf: secrets.oprf.length === 1 ? one : secrets.oprf,
  };
}

/** Different noise in every component. */
function noiseKeyOf({ component }: KeySetComponent): Uint8Array {
  return new Uint8Array(createHash('sha256').update(component).digest().subarray(0, 16));
}
