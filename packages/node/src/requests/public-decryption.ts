/** Public decryptions: the values are opened to every node, and each node signs them. */
import type { Services } from '@keyquorum/protocols/services';
import { type ContractPolicy, requireAllowed } from '../chains/access-list.ts';
import type { PublicDecryptionBody } from './body.ts';
import { type PublicContent, publicContentOf } from './content.ts';
import type { DecryptionKind } from './decryptions.ts';
import { type AnswerSigner, publicAnswer } from './public-answer.ts';

export function publicDecryption(
  services: Services,
  signing: AnswerSigner,
  { chains, lists }: ContractPolicy,
): DecryptionKind<PublicDecryptionBody, PublicContent> {
  return {
    name: 'public-decryption',
    output: 'public',
    contentOf: publicContentOf,
    checks({ app, ciphertexts }) {
      const list = lists.get(app);
      const view = list && chains.view(list.chain);
      if (!view) return [];
      const uses = ciphertexts.map(({ handle }) => ({ kind: 'public' as const, handle: `0x${handle}` as const }));
      return [{ name: 'acl', needs: 'ciphertexts', run: () => requireAllowed(view, list, uses) }];
    },
    async answer(content, values, first) {
      const { requestId, keyId, hash: contentHash } = content;
      const outcome = await services.decrypt({ requestId, keyId, contentHash, values, first });
      return publicAnswer(content, { values, outcome }, signing);
    },
  };
}
