/** From opened messages to the answer that this node signs (docs/rest.md, public decryptions). */
import type { DecryptionOutcome } from '@keyquorum/protocols/decryption/job';
import { type CiphertextValue, fheTypeName, recompose } from '@keyquorum/tfhe/ciphertext';
import { signedWords } from '@keyquorum/wire/abi';
import { publicDecryptionDigest, type SigningDomain } from '@keyquorum/wire/eip712';
import { signedExtraData } from '@keyquorum/wire/extra-data';
import type { Signer } from '@keyquorum/wire/signer';
import type { PublicContent } from './content.ts';
import type { PublicAnswer } from './record.ts';

export interface AnswerSigner {
  readonly signer: Signer;
  readonly domain: SigningDomain;
}

export function publicAnswer(
  content: PublicContent,
  { values, outcome }: { values: readonly CiphertextValue[]; outcome: DecryptionOutcome },
  { signer, domain }: AnswerSigner,
): PublicAnswer {
  const plain = values.map((value, index) => {
    return { type: value.type, value: recompose(value, outcome.messages[index] ?? new Uint8Array()) };
  });
  const result = signedWords(plain);
  const digest = publicDecryptionDigest(domain, {
    handles: content.ciphertexts.map(({ handle }) => new Uint8Array(Buffer.from(handle, 'hex'))),
    decryptedResult: result,
    extraData: signedExtraData(content.extraData),
  });
  return {
    values: plain.map(({ type, value }, index) => {
      const handle = content.ciphertexts[index]?.handle ?? '';
      return { handle, fheType: fheTypeName(type), value: value.toString() };
    }),
    abiEncoded: Buffer.from(result).toString('hex'),
    signature: Buffer.from(signer.sign(digest)).toString('hex'),
    faults: distinctFaults(outcome),
  };
}

/** Each fault once, by party. */
export function distinctFaults({ faults }: Pick<DecryptionOutcome, 'faults'>): PublicAnswer['faults'] {
  const seen = new Map(faults.map(({ party, kind }) => [`${party} ${kind}`, { party, kind }]));
  return [...seen.values()].sort((one, other) => one.party - other.party);
}
