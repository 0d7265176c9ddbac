/** A thread of pool.ts: verifies one list after the other, with the reference string that it was given last. */
import { randomFillSync } from 'node:crypto';
import { parentPort } from 'node:worker_threads';
import { EncryptionProofError, type EncryptionProofErrorCode } from '@keyquorum/crs/crs-error';
import { type CrsFile, decodeCrsFile } from '@keyquorum/crs/crs-file';
import { verifyEncryption } from '@keyquorum/crs/encryption/verify';
import { createBls446 } from '@keyquorum/kernel/bls446';
import { CiphertextError, type CiphertextErrorCode } from '@keyquorum/tfhe/ciphertext';
import type { ListParameters } from '@keyquorum/tfhe/compact-list';
import type { CompactPublicKeyParts } from '@keyquorum/tfhe/compact-public-key';
import { readProvenParts } from '@keyquorum/tfhe/proven-list';

export interface ProofQuestion {
  readonly list: Uint8Array;
  readonly metadata: Uint8Array;
  readonly parameters: ListParameters;
  readonly publicKey: CompactPublicKeyParts;
  /** Another reference string than before. */
  readonly crsFile: Uint8Array | undefined;
}

/** The code of a refusal, or that the list is well encrypted. */
export type ProofAnswer =
  | { readonly refused: false }
  | {
      readonly refused: true;
      readonly code: EncryptionProofErrorCode | CiphertextErrorCode;
      readonly message: string;
    };

const curve = createBls446();
const random = (bytes: number) => randomFillSync(new Uint8Array(bytes));
let crs: CrsFile | undefined;

parentPort?.on('message', (question: ProofQuestion) => parentPort?.postMessage(answer(question)));

/** Throws, and so ends the thread, for what is no refusal: a bug of ours, or a file that is none. */
function answer({ list, metadata, parameters, publicKey, crsFile }: ProofQuestion): ProofAnswer {
  crs = crsFile ? decodeCrsFile(crsFile) : crs;
  if (crs === undefined) throw new Error('no reference string was given');
  try {
    verifyEncryption(curve, random, { crs, publicKey, metadata }, readProvenParts(list, parameters));
    return { refused: false };
  } catch (error) {
    if (!(error instanceof EncryptionProofError || error instanceof CiphertextError)) throw error;
    return { refused: true, code: error.code, message: error.message };
  }
}
