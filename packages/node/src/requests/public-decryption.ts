/** Public decryptions: the values are opened to every node, and each node signs them. */
import type { Services } from '@keyquorum/protocols/services';
import type { PublicDecryptionBody } from './body.ts';
import { type PublicContent, publicContentOf } from './content.ts';
import type { DecryptionKind } from './decryptions.ts';
import { type AnswerSigner, publicAnswer } from './public-answer.ts';

export function publicDecryption(
  services: Services,
  signing: AnswerSigner,
): DecryptionKind<PublicDecryptionBody, PublicContent> {
  return {
    name: 'public-decryption',
    output: 'public',
    contentOf: publicContentOf,
    checks: () => [],
    async answer(content, values, first) {
      const { requestId, keyId, hash: contentHash } = content;
      const outcome = await services.decrypt({ requestId, keyId, contentHash, values, first });
      return publicAnswer(content, { values, outcome }, signing);
    },
  };
}
