/** From opened messages to the answer that this node signs (docs/rest.md, public decryptions). */
import type { DecryptionOutcome } from '@keyquorum/protocols/decryption/job';
import { type CiphertextValue, fheTypeName, recompose } from '@keyquorum/tfhe/ciphertext';
import { type AbiValue, decryptedResult } from '@keyquorum/wire/abi';
import { publicDecryptionDigest, type SigningDomain } from '@keyquorum/wire/eip712';
import { signedExtraData } from '@keyquorum/wire/extra-data';
import type { Signer } from '@keyquorum/wire/signer';
import type { Content } from './content.ts';
import type { Answer } from './record.ts';

const WORD_BITS = 256;

export interface AnswerSigner {
  readonly signer: Signer;
  readonly domain: SigningDomain;
}

export function signedAnswer(
  content: Content,
  { values, outcome }: { values: readonly CiphertextValue[]; outcome: DecryptionOutcome },
  { signer, domain }: AnswerSigner,
): Answer {
  const plain = values.map((value, index) => {
    return { type: value.type, value: recompose(value, outcome.messages[index] ?? new Uint8Array()) };
  });
  const result = decryptedResult(plain) ?? wideResult(plain);
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

/**
 * Types wider than a word have no Solidity form; so that such answers are signed too, each value takes as many
 * big-endian words as its type needs, sign extended.
 */
function wideResult(values: readonly AbiValue[]): Uint8Array {
  const words = values.map(({ type, value }) => {
    const bits = Math.ceil(type.bits / WORD_BITS) * WORD_BITS;
    const digits = BigInt.asUintN(bits, value)
      .toString(16)
      .padStart(bits / 4, '0');
    return Buffer.from(digits, 'hex');
  });
  return new Uint8Array(Buffer.concat(words));
}

function distinctFaults({ faults }: DecryptionOutcome): Answer['faults'] {
  const seen = new Map(faults.map(({ party, kind }) => [`${party} ${kind}`, { party, kind }]));
  return [...seen.values()].sort((one, other) => one.party - other.party);
}
