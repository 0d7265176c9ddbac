/**
 * Whether a contract lets somebody have a value: the ACL of Zama's host contracts, as an application names it. The list
 * is about handles. That the ciphertext of a request is the one behind its handle, it cannot say: that is what
 * provenance shows (SPEC R13).
 */
import { encodeFunctionData, type Hex, parseAbi } from 'viem';
import type { Application } from '../config/schema.ts';
import { ApiError } from '../errors/api-error.ts';
import type { ChainView, HostChains } from './host-chain.ts';

/** As `isHandleDelegatedForUserDecryption` takes them. */
const DELEGATION = 'address delegator, address delegate, address contractAddress, bytes32 handle';
const ACL = parseAbi([
  'function isAllowedForDecryption(bytes32 handle) view returns (bool)',
  'function persistAllowed(bytes32 handle, address account) view returns (bool)',
  `function isHandleDelegatedForUserDecryption(${DELEGATION}) view returns (bool)`,
]);
/** Anything else is a no: another word, no contract, a call that failed. */
const TRUE: Hex = `0x${'1'.padStart(64, '0')}`;

/** What must be allowed for one value. */
export type Use =
  | { readonly kind: 'public'; readonly handle: Hex }
  /** The user and the contract whose value it is must both have it. */
  | { readonly kind: 'user'; readonly handle: Hex; readonly user: Hex; readonly contract: Hex }
  /** Both must have it, and the user must have made somebody else its delegate for this contract. */
  | {
      readonly kind: 'delegate';
      readonly handle: Hex;
      readonly user: Hex;
      readonly delegate: Hex;
      readonly contract: Hex;
    };

/** Where the list of an application is. */
export interface AccessList {
  readonly chain: bigint;
  readonly contract: Hex;
}

/** Whose contracts decide about requests, by the configuration of this node. */
export interface ContractPolicy {
  readonly chains: HostChains;
  /** By application; nothing decides about the values of those that are not in it. */
  readonly lists: ReadonlyMap<string, AccessList>;
}

type ApplicationList = Pick<Application, 'name' | 'acl'>;

export function contractPolicy(chains: HostChains, applications: readonly ApplicationList[]): ContractPolicy {
  const lists = applications.flatMap(({ name, acl }) => {
    if (acl === undefined) return [];
    const contract = acl.contract.toLowerCase() as Hex; // by its schema
    return [[name, { chain: BigInt(acl.chain), contract }] as const];
  });
  return { chains, lists: new Map(lists) };
}

interface Question {
  readonly data: Hex;
  /** What a no means. */
  readonly missing: string;
}

/** Asks about all values of a request at once. Throws ApiError ACL_REFUSED, and what the view throws. */
export async function requireAllowed(
  view: ChainView,
  { contract: to }: AccessList,
  uses: readonly Use[],
): Promise<void> {
  const questions = uses.flatMap((use, index) => questionsAbout(use).map((question) => ({ ...question, index })));
  const answers = await view.read(questions.map(({ data }) => ({ to, data })));
  const refused = questions.find((_, at) => answers[at] !== TRUE);
  if (!refused) return;
  const { index, missing } = refused;
  throw new ApiError('ACL_REFUSED', `ciphertexts.${index}: ${missing}, says ACL ${to} on chain ${view.chainId}`);
}

function questionsAbout(use: Use): readonly Question[] {
  const { handle } = use;
  switch (use.kind) {
    case 'public': {
      const data = encodeFunctionData({ abi: ACL, functionName: 'isAllowedForDecryption', args: [handle] });
      return [{ data, missing: `handle ${handle} may not be decrypted for everybody` }];
    }
    case 'user':
      return [use.user, use.contract].map((account) => {
        const data = encodeFunctionData({ abi: ACL, functionName: 'persistAllowed', args: [handle, account] });
        return { data, missing: `${account} may not have handle ${handle}` };
      });
    case 'delegate': {
      const { user, delegate, contract } = use;
      const args = [user, delegate, contract, handle] as const;
      const data = encodeFunctionData({ abi: ACL, functionName: 'isHandleDelegatedForUserDecryption', args });
      const missing = `${delegate} is no delegate of ${user} for ${contract}, or one of these may not have ${handle}`;
      return [{ data, missing }];
    }
  }
}
