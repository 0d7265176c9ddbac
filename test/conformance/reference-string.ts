/**
 * A common reference string with the right parameters and no points in it. The relayer SDK does not start without one,
 * and needs it only to prove encryptions, for which this one is no good. Layout: tfhe-rs CompactPkeCrs, little-endian.
 */
import { Writer } from '@keyquorum/codec/writer';

/** Of the default parameters for compact encryption, and proofs over 2048 bits. */
const PARAMETERS = {
  witnessBits: 4_096,
  size: 7_936,
  dimension: 2_048,
  blocks: 512,
  boundSquared: 225_369_684_739_368_960n,
  noiseBound: 131_072,
  plaintextModulus: 32,
  paddingBits: 1,
};
/** Of the hashes in proofs; any eight bytes each. */
const LABELS = 11;
const LABEL = 'ZKHASH__';
/** CompactPkeCrs, its form for proofs of version 2, and that form's fields up to the points. */
const VERSION_TAGS = [1, 1, 1, 0];

export function referenceStringWithoutPoints(): Uint8Array {
  const writer = new Writer();
  const text = (characters: string) => {
    writer.size(characters.length);
    writer.raw(new TextEncoder().encode(characters));
  };
  text('0.5');
  writer.u32(0);
  text('0.1');
  text('zk::CompactPkeCrs');
  for (const tag of VERSION_TAGS) writer.u32(tag);
  for (const points of [0, 0]) writer.size(points);
  const { witnessBits, size, dimension, blocks, boundSquared, noiseBound, plaintextModulus, paddingBits } = PARAMETERS;
  for (const count of [witnessBits, size, dimension, blocks]) writer.size(count);
  writer.u128(boundSquared);
  writer.size(noiseBound);
  writer.size(0); // the ciphertext modulus 2^64
  writer.size(plaintextModulus);
  writer.size(paddingBits);
  for (const tag of [0, 1]) writer.u32(tag); // the bound of Cauchy and Schwarz
  writer.u8(0); // no number of a ceremony
  writer.u32(1);
  for (let label = 0; label < LABELS; label++) text(LABEL);
  return writer.finish();
}
