/** Client and public keys of tfhe-rs as bytes. */
import type { Decoded } from '@keyquorum/codec/codec';
import { option, struct, unsupported, variants } from '@keyquorum/codec/composites';
import { glweCiphertext, glweSecretKey, lweSecretKey, seededGlweCiphertext, tag } from './core.ts';
import {
  compressionParameters,
  keySwitchingParameters,
  noiseSquashingCompressionParameters,
  noiseSquashingParameters,
  pbsParameters,
  pkeParameters,
  reRandomizationParameters,
} from './parameters.ts';
import { versioned, versionedStruct } from './versioned.ts';

export const KEY_SWITCH_32 = 'the 32-bit key switch atomic pattern';

/** Two nested wrappers of one struct, each behind tag 0: integer key around shortint key. */
const wrapped = <F extends Parameters<typeof versionedStruct>[1]>(fields: F) =>
  versionedStruct(0, { key: versionedStruct(0, fields) });

const standardClientKey = versionedStruct(0, {
  glweSecretKey: glweSecretKey(8),
  lweSecretKey: lweSecretKey(8),
  parameters: pbsParameters,
  wopbsParameters: option(unsupported('WoPBS parameters')),
});

const integerClientKey = versionedStruct(8, {
  key: versionedStruct(0, {
    key: versionedStruct(1, {
      atomicPattern: versioned(0, variants({ Standard: standardClientKey, KeySwitch32: unsupported(KEY_SWITCH_32) })),
    }),
  }),
  compactPrivateKey: option(
    struct({ key: wrapped({ key: lweSecretKey(8), parameters: pkeParameters }), casting: keySwitchingParameters }),
  ),
  compressionKey: option(wrapped({ key: glweSecretKey(8), parameters: compressionParameters })),
  noiseSquashingKey: option(wrapped({ key: glweSecretKey(16), parameters: noiseSquashingParameters })),
  noiseSquashingCompressionKey: option(
    wrapped({ key: glweSecretKey(16), parameters: noiseSquashingCompressionParameters }),
  ),
  reRandomizationParameters: option(reRandomizationParameters),
  oprfKey: option(
    versioned(
      0,
      versioned(0, versioned(0, variants({ Standard: lweSecretKey(8), KeySwitch32: unsupported(KEY_SWITCH_32) }))),
    ),
  ),
});

/** All secrets of a key set. Only tests and backups of development keys read it: a network never holds one. */
export const clientKey = versionedStruct(1, { key: integerClientKey, tag });
export type ClientKey = Decoded<typeof clientKey>;

/** A(X), then B(X) = A(X) * rev(S)(X) + e(X). */
export const integerCompactPublicKey = versionedStruct(0, {
  key: versionedStruct(1, { key: versionedStruct(0, { glwe: glweCiphertext }), parameters: pkeParameters }),
});
export const compactPublicKey = versionedStruct(1, { key: versionedStruct(0, { key: integerCompactPublicKey }), tag });

/** B(X) only; A(X) is drawn from the seed. */
export const integerCompressedCompactPublicKey = versionedStruct(0, {
  key: versionedStruct(1, {
    key: versionedStruct(0, { seededGlwe: seededGlweCiphertext }),
    parameters: pkeParameters,
  }),
});
export const compressedCompactPublicKey = versionedStruct(1, {
  key: versionedStruct(0, { key: integerCompressedCompactPublicKey }),
  tag,
});
