/**
 * Signatures of contract wallets (ERC-1271): the contract at the user's address says whether it has signed. What it
 * says may change with time, so only the answer to a request is kept, never the verdict on a signature.
 */
import { bytesToHex, encodeFunctionData, type Hex, parseAbi } from 'viem';
import { ApiError } from '../errors/api-error.ts';
import type { ChainView } from './host-chain.ts';

const ERC1271 = parseAbi(['function isValidSignature(bytes32 hash, bytes signature) view returns (bytes4)']);
/** The one answer that means yes: the selector of the function, as a word. */
const SIGNED: Hex = `0x1626ba7e${'0'.repeat(56)}`;

export interface WalletSignature {
  readonly wallet: Hex;
  /** 32 bytes. */
  readonly digest: Uint8Array;
  readonly signature: Uint8Array;
}

/**
 * Whether there is a contract that has signed; `no-contract` when there is none at the address.
 * Throws ApiError WALLET_REFUSED, and what the view throws.
 */
export async function askWallet(
  view: ChainView,
  { wallet, digest, signature }: WalletSignature,
): Promise<'signed' | 'no-contract'> {
  const data = encodeFunctionData({ abi: ERC1271, args: [bytesToHex(digest), bytesToHex(signature)] });
  const [answer] = await view.read([{ to: wallet, data }]);
  if (answer === SIGNED) return 'signed';
  if (answer === '0x') return 'no-contract';
  const problem = answer === undefined ? 'fails when it is asked' : 'says that it has not signed this request';
  throw new ApiError('WALLET_REFUSED', `contract ${wallet} on chain ${view.chainId} ${problem}`);
}
