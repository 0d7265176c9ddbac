/** What the parties of a CRS ceremony agree on before they begin, as bytes, and what follows from it. */
import { createHash } from 'node:crypto';
import { decode, encode, u8, u32 } from '@keyquorum/codec/codec';
import { struct } from '@keyquorum/codec/composites';
import { encodeCrsFile, KMS_PROOF_LABELS } from '@keyquorum/crs/crs-file';
import { crsParameters } from '@keyquorum/crs/parameters';
import type { CrsPoints, CrsSubject } from '@keyquorum/crs/state';
import { fromHex } from '@keyquorum/mpc/bytes';
import { type KeySetName, keySetChoice } from '@keyquorum/tfhe/key-sets';

export interface CrsContent {
  /** The key set whose compact public key proofs will be made for. */
  readonly parameters: KeySetName;
  /** Most bits in one proof: a power of two up to 2048. */
  readonly maxBits: number;
}

const PARAMETERS: readonly KeySetName[] = ['default', 'test', 'base'];
const NUMBER_BYTES = 16;

const contentCodec = struct({ parameters: u8, maxBits: u32 });

export function encodeCrsContent({ parameters, maxBits }: CrsContent): Uint8Array {
  return encode(contentCodec, { parameters: PARAMETERS.indexOf(parameters), maxBits });
}

/** @throws CodecError or RangeError when the bytes are no known choice */
export function decodeCrsContent(content: Uint8Array): CrsContent {
  const { parameters: index, maxBits } = decode(contentCodec, content);
  const parameters = PARAMETERS[index];
  if (parameters === undefined) throw new RangeError(`unknown parameters ${index}`);
  return { parameters, maxBits };
}

/** What is made for a request, and as which file. */
export interface CrsFormat {
  /** @throws CrsParametersError when there are no proofs of that size */
  subject(requestId: string, content: CrsContent): CrsSubject;
  encode(subject: CrsSubject, points: CrsPoints): Uint8Array;
}

/** Reference strings of tfhe-rs. */
export const TFHE_FORMAT: CrsFormat = {
  subject: (requestId, { parameters, maxBits }) => ({
    parameters: crsParameters(keySetChoice(parameters).parameters, maxBits),
    number: numberOf(requestId),
  }),
  encode({ parameters, number }, points) {
    const { dimension, blocks, noiseBound, plaintextModulus } = parameters;
    const shape = { dimension, blocks, noiseBound, plaintextModulus };
    return encodeCrsFile({ shape, number, labels: KMS_PROOF_LABELS, ...points });
  },
};

/** The number of the ceremony in file and challenges, as the KMS core derives it from a request id. */
function numberOf(requestId: string): bigint {
  const [one, zero] = [1n, 0n].map((value) => new Uint8Array(BigUint64Array.of(value).buffer));
  const hash = createHash('shake256', { outputLength: NUMBER_BYTES }).update('HASH_LSTSESSN_ID');
  const digest = hash.update(one!).update(fromHex(requestId)).update(zero!).digest();
  return BigInt(`0x${digest.reverse().toString('hex')}`);
}
