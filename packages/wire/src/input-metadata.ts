/**
 * What applications of the ecosystem bind the proof of an encrypted input to: contract, user, access control list and
 * chain, so that nobody can take an input from one of them to another. Layout as in the relayer SDK of Zama's protocol.
 */
import { hexToBytes } from '@noble/hashes/utils.js';

export interface InputMetadata {
  /** The contract that the input is for, and the account that encrypted it: 0x and 40 hex digits. */
  readonly contractAddress: string;
  readonly userAddress: string;
  /** The contract that keeps the access control list of the chain. */
  readonly aclAddress: string;
  readonly chainId: bigint;
}

const CHAIN_ID_BYTES = 32;
const ADDRESS = /^0x[0-9a-f]{40}$/i;

/** contract 20 | user 20 | access control list 20 | chain id 32, big endian. Throws RangeError for what is none. */
export function inputMetadata({ contractAddress, userAddress, aclAddress, chainId }: InputMetadata): Uint8Array {
  const addresses = [contractAddress, userAddress, aclAddress].map((address) => {
    if (!ADDRESS.test(address)) throw new RangeError('input metadata: want addresses of 0x and 40 hex digits');
    return address.slice(2);
  });
  const chain = chainId.toString(16).padStart(2 * CHAIN_ID_BYTES, '0');
  if (chainId < 0n || chain.length > 2 * CHAIN_ID_BYTES)
    throw new RangeError('input metadata: want a chain id of 256 bits');
  return hexToBytes(`${addresses.join('')}${chain}`);
}
