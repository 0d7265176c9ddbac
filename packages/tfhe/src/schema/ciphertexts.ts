/**
 * Ciphertext objects of tfhe-rs as bytes. Versions are those of 1.7; where an older release writes another tag for the
 * same bytes it is accepted too. Every count is bounded for the widest type, 2048 bits = 1024 blocks of 2 bits.
 */
import { type Decoded, size, unit } from '@keyquorum/codec/codec';
import { bytes, option, struct, unsupported, variants, vector } from '@keyquorum/codec/composites';
import {
  ciphertextModulus,
  dimension,
  lweCiphertext,
  lweCompactCiphertextList,
  modulusSwitchedGlwe,
  seededLweCiphertext,
  smallNumber,
  tag,
} from './core.ts';
import { atomicPattern, expansionKind, stringShape } from './parameters.ts';
import { compactPkeProof } from './proof.ts';
import { versioned, versionedStruct, versions } from './versioned.ts';

export const MAX_BLOCKS = 1024;
/** Items of one list: far above what a transaction carries. */
export const MAX_LIST_ITEMS = 4096;
/** Proofs of one list: each covers up to the CRS's capacity. */
export const MAX_PROVED_LISTS = 64;
/** GLWE ciphertexts of one compressed list: more than its largest size holds. */
const MAX_GLWES = 2048;
/** Metadata is a domain separator and an application's bytes; tfhe-rs writes none by itself. */
const MAX_METADATA_BYTES = 4096;

const reRandomizationMetadata = versionedStruct(0, { data: bytes(MAX_METADATA_BYTES) });

/** One block: an LWE ciphertext and what its maker says about it. */
export const block = versionedStruct(1, {
  lwe: lweCiphertext(8),
  degree: smallNumber,
  noiseLevel: smallNumber,
  messageModulus: smallNumber,
  carryModulus: smallNumber,
  atomicPattern,
});
export type Block = Decoded<typeof block>;

const integerCiphertext = versioned(0, versionedStruct(0, { blocks: vector(block, MAX_BLOCKS) }));
/** FheUint and FheInt: 2 bits per block, least significant first. The type's own identifier takes no bytes. */
export const fheInteger = versions({
  1: struct({ ciphertext: integerCiphertext, tag }), // tfhe-rs before 1.4
  2: struct({ ciphertext: integerCiphertext, tag, reRandomizationMetadata }),
});

const boolCiphertext = versioned(0, versionedStruct(0, { block }));
export const fheBool = versions({
  1: struct({ ciphertext: boolCiphertext, tag }),
  2: struct({ ciphertext: boolCiphertext, tag, reRandomizationMetadata }),
});

/** One block whose mask is drawn from its own seed. */
export const seededBlock = versionedStruct(1, {
  lwe: seededLweCiphertext,
  degree: smallNumber,
  messageModulus: smallNumber,
  carryModulus: smallNumber,
  atomicPattern,
  noiseLevel: smallNumber,
});
export type SeededBlock = Decoded<typeof seededBlock>;

const MODULUS_SWITCHED = 'modulus-switched ciphertexts; decompress them before asking';
export const compressedFheInteger = versionedStruct(1, {
  ciphertext: versioned(
    1,
    variants({
      Seeded: versionedStruct(0, { blocks: vector(seededBlock, MAX_BLOCKS) }),
      ModulusSwitched: unsupported(MODULUS_SWITCHED),
    }),
  ),
  tag,
});
export const compressedFheBool = versionedStruct(1, {
  ciphertext: versioned(0, variants({ Seeded: seededBlock, ModulusSwitched: unsupported(MODULUS_SWITCHED) })),
  tag,
});

const itemKind = variants({
  Unsigned: size(MAX_BLOCKS),
  Signed: size(MAX_BLOCKS),
  Boolean: unit,
  String: stringShape,
});
/** What each item of a list is; integers say their number of blocks. tfhe-rs 1.3 writes tag 0. */
export const listItem = versions({ 0: itemKind, 1: itemKind });
export type ListItem = Decoded<typeof listItem>;
const listItems = vector(listItem, MAX_LIST_ITEMS);

/** The ciphertexts of a list: degree 15 says that each holds two 2-bit blocks, degree 3 that each holds one. */
export const listBlocks = versionedStruct(2, {
  lwe: lweCompactCiphertextList,
  degree: smallNumber,
  messageModulus: smallNumber,
  carryModulus: smallNumber,
  expansionKind,
});
export type ListBlocks = Decoded<typeof listBlocks>;

export const compactCiphertextList = versionedStruct(1, {
  inner: versionedStruct(1, { blocks: listBlocks, items: listItems }),
  tag,
});

/** Each list of blocks comes with its proof of encryption; the items run over their concatenation. */
export const provenCompactCiphertextList = versionedStruct(0, {
  inner: versionedStruct(0, {
    proved: versionedStruct(0, {
      lists: vector(struct({ blocks: listBlocks, proof: compactPkeProof }), MAX_PROVED_LISTS),
    }),
    items: listItems,
  }),
  tag,
});

/** What blocks are taken out of a compressed list with; absent exactly when it holds none. */
const compressionMetadata = versionedStruct(0, {
  ciphertextModulus,
  messageModulus: smallNumber,
  carryModulus: smallNumber,
  atomicPattern,
  ciphertextsPerGlwe: dimension,
});
/** The blocks of all items in order, `ciphertextsPerGlwe` to a GLWE ciphertext; the last one may hold fewer. */
export const compressedBlocks = versionedStruct(2, {
  glwes: vector(modulusSwitchedGlwe(8), MAX_GLWES),
  metadata: option(compressionMetadata),
});
export type CompressedBlocks = Decoded<typeof compressedBlocks>;

/**
 * Only what tfhe-rs 1.4 and later write: earlier releases cannot load a server key that makes such lists under our
 * keys.
 */
export const compressedCiphertextList = versionedStruct(3, {
  inner: versionedStruct(0, { blocks: compressedBlocks, items: listItems }),
  tag,
  /** One per item. */
  reRandomizationMetadata: vector(reRandomizationMetadata, MAX_LIST_ITEMS),
});

/** One block of a squashed value, modulo 2^128: of an integer, two blocks of the value it was made from. */
const squashedBlock = versionedStruct(0, {
  lwe: lweCiphertext(16),
  degree: smallNumber,
  messageModulus: smallNumber,
  carryModulus: smallNumber,
});
export type SquashedBlock = Decoded<typeof squashedBlock>;

/** Which key the blocks are under: that of noise squashing, or that of squashed lists they were taken out of. */
const squashedState = versioned(0, variants({ Normal: unit, PostDecompression: unit }));
export type SquashedState = Decoded<typeof squashedState>;

/** SquashedNoiseFheUint and SquashedNoiseFheInt. */
export const squashedInteger = versionedStruct(1, {
  value: versioned(
    0,
    versionedStruct(0, { blocks: vector(squashedBlock, MAX_BLOCKS), originalBlockCount: size(MAX_BLOCKS) }),
  ),
  state: squashedState,
  tag,
});
export const squashedBool = versionedStruct(1, {
  value: versioned(0, versionedStruct(0, { block: squashedBlock })),
  state: squashedState,
  tag,
});

/** Absent exactly when the list holds no block. */
const squashedListMetadata = versionedStruct(0, {
  messageModulus: smallNumber,
  carryModulus: smallNumber,
  ciphertextsPerGlwe: dimension,
});
/** As in compressed lists; items say how many blocks a value had before it was squashed. */
export const compressedSquashedBlocks = versionedStruct(0, {
  glwes: vector(modulusSwitchedGlwe(16), MAX_GLWES),
  metadata: option(squashedListMetadata),
});
export type CompressedSquashedBlocks = Decoded<typeof compressedSquashedBlocks>;

export const compressedSquashedNoiseCiphertextList = versionedStruct(0, {
  inner: versionedStruct(0, { blocks: compressedSquashedBlocks, items: listItems }),
  tag,
});
