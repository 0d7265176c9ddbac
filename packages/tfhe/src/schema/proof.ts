/**
 * Proofs of correct compact encryption (version 2 scheme) and BLS12-446 points, as bytes. Parsed, not verified
 * here.
 */
import { bool, type Codec, type Decoded, unit } from '@keyquorum/codec/codec';
import { option, struct, unsupported, variants, words } from '@keyquorum/codec/composites';
import { versioned, versionedStruct, versions } from './versioned.ts';

/** A 446-bit coordinate is seven 64-bit limbs, least significant first. */
const LIMBS = 7;

const fp = versionedStruct(0, { limbs: words(8, LIMBS) });
const fp2 = versionedStruct(0, { c0: fp, c1: fp });
const affine = <T>(coordinate: Codec<T>) =>
  versioned(
    0,
    variants({
      Infinity: unit,
      Compressed: struct({ x: coordinate, takeLargestY: bool }),
      Uncompressed: struct({ x: coordinate, y: coordinate }),
    }),
  );
export const g1 = affine(fp);
export const g2 = affine(fp2);

const points = {
  ...{ cHatE: g2, cE: g1, cRTilde: g1, cR: g1, cHatBin: g2, cY: g1, cH1: g1, cH2: g1, cHatT: g2, pi: g1, piKzg: g1 },
  computeLoad: option(versionedStruct(0, { cHatH3: g2, cHatW: g2 })),
};
/** How a proof was hashed: tfhe-rs 1.5 and later say so by a release of tfhe-zk-pok, those before by a mode. */
const proofV2 = versions({
  2: struct({ ...points, hashing: versioned(0, variants({ BackwardCompat: unit, Classical: unit, Compact: unit })) }),
  3: struct({ ...points, hashing: versioned(0, variants({ V0_4_0: unit, V0_7_0: unit, V0_8_0: unit })) }),
});

export const compactPkeProof = versioned(
  2,
  variants({ PkeV1: unsupported('proofs of the version 1 scheme'), PkeV2: proofV2 }),
);
export type CompactPkeProof = Decoded<typeof compactPkeProof>;
