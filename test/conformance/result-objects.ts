/** Objects of tfhe-rs 1.7 that only results come in, as bytes: lists of compressed values, and values without noise. */
import { type Codec, type Decoded, size, unit } from '@keyquorum/codec/codec';
import { option, variants, vector, words } from '@keyquorum/codec/composites';
import { listItem } from '@keyquorum/tfhe/schema/ciphertexts';
import {
  ciphertextModulus,
  dimension,
  log,
  lweCiphertext,
  smallNumber,
  tag,
  type WordBytes,
} from '@keyquorum/tfhe/schema/core';
import { atomicPattern } from '@keyquorum/tfhe/schema/parameters';
import { versioned, versionedStruct } from '@keyquorum/tfhe/schema/versioned';

const MAX_WORDS = 2 ** 20;
const MAX_ITEMS = 4096;

/** Words of `logModulus` bits, one after the other from the lowest bit on: mask polynomials, then the bodies in use. */
const packedGlwe = (wordBytes: WordBytes) =>
  versionedStruct(0, {
    words: versionedStruct(0, { packed: words(wordBytes, MAX_WORDS), logModulus: log, count: size(MAX_WORDS) }),
    dimension,
    polynomialSize: dimension,
    bodyCount: dimension,
    uncompressedModulus: ciphertextModulus,
  });
export type PackedGlwe = Decoded<ReturnType<typeof packedGlwe>>;

const packedList = <M>(version: number, wordBytes: WordBytes, about: Codec<M>) =>
  versionedStruct(0, {
    blocks: versionedStruct(version, { glwes: vector(packedGlwe(wordBytes), MAX_ITEMS), about: option(about) }),
    items: vector(listItem, MAX_ITEMS),
  });

export const compressedCiphertextList = versionedStruct(3, {
  list: packedList(
    2,
    8,
    versionedStruct(0, {
      ciphertextModulus,
      messageModulus: smallNumber,
      carryModulus: smallNumber,
      atomicPattern,
      ciphertextsPerGlwe: dimension,
    }),
  ),
  tag,
  reRandomizationMetadata: vector(versionedStruct(0, { data: words(1, MAX_WORDS) }), MAX_ITEMS),
});

export const compressedSquashedNoiseCiphertextList = versionedStruct(0, {
  list: packedList(
    0,
    16,
    versionedStruct(0, { messageModulus: smallNumber, carryModulus: smallNumber, ciphertextsPerGlwe: dimension }),
  ),
  tag,
});

/** Two blocks of the value it was made from, in one 128-bit block. */
const squashedBlock = versionedStruct(0, {
  lwe: lweCiphertext(16),
  degree: smallNumber,
  messageModulus: smallNumber,
  carryModulus: smallNumber,
});

/** Says under which key the blocks are. */
const state = versioned(0, variants({ Normal: unit, PostDecompression: unit }));

export const squashedNoiseFheUint = versionedStruct(1, {
  value: versioned(
    0,
    versionedStruct(0, { blocks: vector(squashedBlock, MAX_ITEMS), originalBlockCount: size(MAX_ITEMS) }),
  ),
  state,
  tag,
});

export const squashedNoiseFheBool = versionedStruct(1, {
  value: versioned(0, versionedStruct(0, { block: squashedBlock })),
  state,
  tag,
});

export const RESULT_TYPE_NAME = {
  compressedCiphertextList: 'high_level_api::CompressedCiphertextList',
  compressedSquashedNoiseCiphertextList: 'high_level_api::CompressedSquashedNoiseCiphertextList',
  squashedNoiseFheUint: 'high_level_api::SquashedNoiseFheUint',
  squashedNoiseFheBool: 'high_level_api::SquashedNoiseFheBool',
} as const;
