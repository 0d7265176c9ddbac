/**
 * The handle that contracts of the ecosystem know an encrypted input by. It follows from the bytes of the proven list,
 * so nobody can name another input so, and from the chain and its access control list. Layout as in the relayer SDK of
 * Zama's protocol:
 *
 *   blob   = keccak256("ZK-w_rct" | list)
 *   handle = keccak256("ZK-w_hdl" | blob | index u8 | access control list 20 | chain id 32)[0..21)
 *            | index u8 | chain id u64 | type u8 | version 0, numbers big endian
 */
import { keccak_256 } from '@noble/hashes/sha3.js';
import { concatBytes, hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import { numberToBytes } from 'viem';
import type { InputMetadata } from './input-metadata.ts';

const INDEX_AT = 21;
const INDEX_MAX = 254;
const VERSION = 0;

export interface InputValue extends Pick<InputMetadata, 'aclAddress' | 'chainId'> {
  /** The proven list, as it was sent. */
  readonly list: Uint8Array;
  /** Of the value in the list. */
  readonly index: number;
  /** Zama's number of its type. */
  readonly fheType: number;
}

/** 32 bytes; undefined for an index that no handle has room for. */
export function inputHandle({ list, index, fheType, aclAddress, chainId }: InputValue): Uint8Array | undefined {
  if (index > INDEX_MAX) return undefined;
  const blob = keccak_256(concatBytes(utf8ToBytes('ZK-w_rct'), list));
  const place = concatBytes(
    Uint8Array.of(index),
    hexToBytes(aclAddress.slice(2)),
    numberToBytes(chainId, { size: 32 }),
  );
  const handle = keccak_256(concatBytes(utf8ToBytes('ZK-w_hdl'), blob, place));
  handle.set([index, ...numberToBytes(chainId, { size: 8 }), fheType, VERSION], INDEX_AT);
  return handle;
}
