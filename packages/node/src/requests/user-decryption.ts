/**
 * Re-encryption to a user's key: each node answers with its own share, which only the user can read. The user's
 * signature is checked by every node itself.
 */
import type { Services } from '@keyquorum/protocols/services';
import type { CiphertextValue } from '@keyquorum/tfhe/ciphertext';
import type { SigningDomain } from '@keyquorum/wire/eip712';
import { decodeEncryptionKey } from '@keyquorum/wire/encryption-key';
import { WireError } from '@keyquorum/wire/error';
import { requireSigner } from '@keyquorum/wire/signer';
import { checkUserRequestTerms, type UserRequest, userRequestDigest } from '@keyquorum/wire/user-request';
import { type AccessList, type ContractPolicy, requireAllowed, type Use } from '../chains/access-list.ts';
import type { ChainView } from '../chains/host-chain.ts';
import { askWallet } from '../chains/wallet.ts';
import { ApiError } from '../errors/api-error.ts';
import type { UserDecryptionBody } from './body.ts';
import { type HexAddress, type UserAuthorization, type UserContent, userContentOf } from './content.ts';
import type { DecryptionKind } from './decryptions.ts';
import type { Check } from './judge.ts';
import { type ShareSigner, userAnswer, userTypeOf } from './user-answer.ts';

/** By what a node judges what users sign. */
export interface UserRules {
  /** Of the gateway: its contract is the one that users sign for. */
  readonly domain: SigningDomain;
  /** How far users' clocks may be off. */
  readonly toleranceSeconds: number;
  readonly contracts: ContractPolicy;
  now(): number;
}

export function userDecryption(
  services: Services,
  signing: ShareSigner,
  rules: UserRules,
): DecryptionKind<UserDecryptionBody, UserContent> {
  return {
    name: 'user-decryption',
    output: 'user',
    contentOf: userContentOf,
    checks: (content, values) => userChecks(content, values, rules),
    async answer(content, values, first) {
      const { requestId, keyId, hash: contentHash } = content;
      const shares = await services.userShares({ requestId, keyId, contentHash, values, first });
      return userAnswer(content, { values, shares }, signing);
    },
  };
}

/** `values` are read by the checks before these. */
export function userChecks(
  content: UserContent,
  values: readonly CiphertextValue[],
  { domain: gatewayDomain, toleranceSeconds, contracts: policy, now }: UserRules,
): readonly Check[] {
  const { user, app } = content;
  const { hostChainId, userAddress, encryptionKey, contracts } = user;
  const domain = { ...gatewayDomain, chainId: hostChainId };
  const view = policy.chains.view(hostChainId);
  const list = policy.lists.get(app);
  return [
    { name: 'encryptionKey', run: () => void decodeEncryptionKey(encryptionKey) },
    {
      name: 'userRequest',
      needs: 'ciphertexts',
      run: () =>
        checkUserRequestTerms({
          ...{ domain, request: requestOf(content), userAddress, toleranceSeconds },
          values: values.map((value, index) => ({ fheType: userTypeOf(value), contractAddress: contracts[index]! })),
          nowSeconds: now() / 1000,
        }),
    },
    { name: 'userSignature', needs: 'userRequest', run: () => requireUserSignature(content, domain, view) },
    ...(list ? [{ name: 'acl', needs: 'userSignature', run: () => requireUses(content, list, view) }] : []),
  ];
}

/** The user's key, or the contract that is the user (ERC-1271), signed. */
async function requireUserSignature(
  content: UserContent,
  domain: SigningDomain,
  view: ChainView | undefined,
): Promise<void> {
  const { userAddress, signature } = content.user;
  const digest = userRequestDigest(domain, requestOf(content));
  try {
    requireSigner(digest, signature, userAddress);
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    if (!view) throw unaskedWallet(error, domain);
    if ((await askWallet(view, { wallet: userAddress, digest, signature })) === 'no-contract') throw error;
  }
}

function unaskedWallet({ code, message }: WireError, { chainId }: SigningDomain): WireError {
  const remedy = `this node asks contract wallets of chain ${chainId} only when [[chains]] in node.toml has it`;
  return new WireError(code, `${message}; ${remedy}`);
}

/** The list lets the user, or who delegated to it, have every value. */
async function requireUses(content: UserContent, list: AccessList, view: ChainView | undefined): Promise<void> {
  const { user, app, ciphertexts } = content;
  if (!view || view.chainId !== list.chain) {
    const problem = `values of application "${app}" are of chain ${list.chain}, not ${user.hostChainId}`;
    throw new ApiError('ACL_REFUSED', `request.hostChainId: ${problem}`);
  }
  const uses = ciphertexts.map(({ handle }, index) => useOf(user, `0x${handle}`, user.contracts[index]!));
  await requireAllowed(view, list, uses);
}

function useOf({ userAddress, delegatorAddress }: UserAuthorization, handle: HexAddress, contract: HexAddress): Use {
  if (delegatorAddress === undefined) return { kind: 'user', handle, user: userAddress, contract };
  return { kind: 'delegate', handle, user: delegatorAddress, delegate: userAddress, contract };
}

/** What the user signed. */
function requestOf({ user, extraData }: UserContent): UserRequest {
  const { encryptionKey: publicKey, contractAddresses, startTimestamp, durationDays, delegatorAddress } = user;
  const fields = { publicKey, contractAddresses, startTimestamp, durationDays, extraData };
  if (delegatorAddress === undefined) return { kind: 'direct', ...fields };
  return { kind: 'delegated', ...fields, delegatorAddress };
}
