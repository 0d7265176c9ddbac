/**
 * A common reference string as tfhe-rs writes it: `CompactPkeCrs`, proofs of version 2, uncompressed points. Names,
 * versions and order are those of tfhe-rs 1.7; what node-tfhe wrote is written back byte for byte. Compressed points
 * are refused: they need a square root each, and nobody publishes them.
 */
import { createHash } from 'node:crypto';
import { type Decoded, size, u64, u128, unit } from '@keyquorum/codec/codec';
import { bytes, option, unsupported, variants, vector } from '@keyquorum/codec/composites';
import { CodecError } from '@keyquorum/codec/error';
import { KernelError } from '@keyquorum/kernel/errors';
import { safeDeserialize, safeSerialize, TYPE_NAME } from '@keyquorum/tfhe/safe-serialize';
import { g1 as g1Codec, g2 as g2Codec } from '@keyquorum/tfhe/schema/proof';
import { versioned, versionedStruct } from '@keyquorum/tfhe/schema/versioned';
import { DIGEST_BYTES, DIGEST_LABEL } from '@keyquorum/wire/digest';
import { CrsFileError } from './crs-error.ts';
import { g1FromFile, g1ToFile, g2FromFile, g2ToFile } from './file-points.ts';
import { CrsParametersError, type CrsShape, crsSizes, PADDING_BITS } from './parameters.ts';
import { type CrsPoints, sizeOf } from './state.ts';

/** Above n of every parameter set with proofs. */
const SIZE_MAX = 2 ** 14;
/** n more: two points of G1 and one of G2, each coordinate with its version and length. */
const BYTES_PER_SIZE = 576;
/** Header, parameters and labels, less what the empty place saves. */
const OTHER_BYTES = 232;
const LABEL_BYTES = 8;

/** Labels of the hashes inside proofs: those that the KMS core uses, in the order of the file. */
const PROOF_LABELS = {
  hash: 'ZKHASH__',
  r: 'ZKHASH_R',
  t: 'ZKHASH_T',
  w: 'ZKHASH_W',
  agg: 'ZK_AGGRE',
  lmap: 'ZKLINMAP',
  phi: 'ZKHA_PHI',
  xi: 'ZKHAS_XI',
  z: 'ZKHASH_Z',
  chi: 'ZKHA_CHI',
  gamma: 'VCProve2',
} as const;
type LabelName = keyof typeof PROOF_LABELS;
export type ProofLabels = Readonly<Record<LabelName, Uint8Array>>;

const label = bytes(LABEL_BYTES);
const labelsCodec = versionedStruct(1, {
  ...{ hash: label, r: label, t: label, w: label, agg: label, lmap: label },
  ...{ phi: label, xi: label, z: label, chi: label, gamma: label },
});

const crsCodec = versioned(
  1,
  variants({
    PkeV1: unsupported('a CRS for proofs of version 1'),
    PkeV2: versionedStruct(1, {
      points: versionedStruct(0, { g1: vector(g1Codec, 2 * SIZE_MAX), g2: vector(g2Codec, SIZE_MAX) }),
      witnessBits: size(SIZE_MAX),
      size: size(SIZE_MAX),
      dimension: size(SIZE_MAX),
      blocks: size(SIZE_MAX),
      boundSquared: u128,
      noiseBound: u64,
      /** 0 is 2^64. */
      ciphertextModulus: u64,
      plaintextModulus: size(SIZE_MAX),
      paddingBits: size(PADDING_BITS),
      bound: versioned(0, variants({ GHL: unsupported('the bound GHL'), CS: unit })),
      number: option(u128),
      labels: labelsCodec,
    }),
  }),
);

export interface CrsFile extends CrsPoints {
  readonly shape: CrsShape;
  /** Number of the ceremony it comes from, if it says. */
  readonly number: bigint | null;
  readonly labels: ProofLabels;
}

export const KMS_PROOF_LABELS: ProofLabels = labelsOf((name) => new TextEncoder().encode(PROOF_LABELS[name]));

export function crsFileBytes(n: number): number {
  return BYTES_PER_SIZE * n + OTHER_BYTES;
}

/** The file that node-tfhe's `CompactPkeCrs.safe_deserialize` reads. */
export function encodeCrsFile({ shape, number, labels, ...points }: CrsFile): Uint8Array<ArrayBuffer> {
  const { boundSquared, witnessBits, size: n } = crsSizes(shape);
  if (sizeOf(points) !== n) throw new RangeError(`CRS: lists of size ${sizeOf(points)}, want ${n}`);
  const value = {
    points: { g1: g1ToFile(points.g1), g2: g2ToFile(points.g2) },
    ...{ witnessBits, size: n, ...shape, boundSquared, ciphertextModulus: 0n, paddingBits: PADDING_BITS },
    bound: { kind: 'CS' as const, value: null },
    ...{ number, labels },
  };
  return safeSerialize(TYPE_NAME.compactPkeCrs, crsCodec, { kind: 'PkeV2', value });
}

/**
 * Reads a file of ours or of node-tfhe. Coordinates are below p and the sizes fit each other; that the points are what
 * they should be is for `verification.ts`.
 * @throws CrsFileError
 */
export function decodeCrsFile(file: Uint8Array): CrsFile {
  try {
    return crsOf(safeDeserialize(TYPE_NAME.compactPkeCrs, crsCodec, file).value);
  } catch (error) {
    if (error instanceof CrsParametersError) {
      throw new CrsFileError('CRS_FILE_PARAMETERS', error.message, { cause: error });
    }
    if (!(error instanceof CodecError || error instanceof KernelError)) throw error;
    throw new CrsFileError('CRS_FILE_MALFORMED', error.message, { cause: error });
  }
}

function crsOf(value: Decoded<typeof crsCodec>['value']): CrsFile {
  const { dimension, blocks, noiseBound, plaintextModulus, number, labels } = value;
  const shape = { dimension, blocks, noiseBound, plaintextModulus };
  if (!Number.isInteger(Math.log2(plaintextModulus)) || plaintextModulus < 2) {
    throw new CrsFileError('CRS_FILE_PARAMETERS', `plaintext modulus: got ${plaintextModulus}, want a power of two`);
  }
  const want = crsSizes(shape);
  requireEqual('D', value.witnessBits, want.witnessBits);
  requireEqual('n', value.size, want.size);
  requireEqual('B^2', value.boundSquared, want.boundSquared);
  requireEqual('q', value.ciphertextModulus, 0n);
  requireEqual('msbs', value.paddingBits, PADDING_BITS);
  requireEqual('powers in G1', value.points.g1.length, 2 * want.size);
  requireEqual('powers in G2', value.points.g2.length, want.size);
  for (const [name, bytesOfLabel] of Object.entries(labels)) {
    requireEqual(`bytes of label ${name}`, bytesOfLabel.length, LABEL_BYTES);
  }
  const [g1, g2] = [g1FromFile(value.points.g1), g2FromFile(value.points.g2)];
  return { shape, number, labels: labelsOf((name) => Uint8Array.from(labels[name])), g1, g2 };
}

/** SHAKE-256 over the label of reference strings and the file: the name by which the ecosystem knows it. */
export function crsDigest(file: Uint8Array): Uint8Array {
  const hash = createHash('shake256', { outputLength: DIGEST_BYTES }).update(DIGEST_LABEL.crs);
  return new Uint8Array(hash.update(file).digest());
}

function labelsOf(of: (name: LabelName) => Uint8Array): ProofLabels {
  const names = Object.keys(PROOF_LABELS) as LabelName[];
  return Object.fromEntries(names.map((name) => [name, of(name)])) as Record<LabelName, Uint8Array>;
}

function requireEqual(field: string, got: number | bigint, want: number | bigint): void {
  if (got !== want) throw new CrsFileError('CRS_FILE_PARAMETERS', `${field}: got ${got}, want ${want}`);
}
