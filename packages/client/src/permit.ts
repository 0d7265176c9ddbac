/**
 * A permit: the user's signature that values of some contracts may be re-encrypted to a key made for it, for some days.
 * The wallet is asked once per permit, not per value. Whoever makes a permit owns its private key: `dispose` erases it.
 */
import type { SigningDomain } from '@keyquorum/wire/eip712';
import { createUserKeyPair, type UserKeyPair } from '@keyquorum/wire/encryption-key';
import { WireError } from '@keyquorum/wire/error';
import { requireSigner } from '@keyquorum/wire/signer';
import {
  checkUserRequestTerms,
  USER_SIGNATURE_BYTES_MAX,
  type UserRequest,
  userRequestDigest,
  userRequestTypedData,
} from '@keyquorum/wire/user-request';
import { hexToBytes } from '@noble/hashes/utils.js';
import type { TypedDataDefinition } from 'viem';
import { ClientError } from './errors.ts';

type Address = `0x${string}`;
/** What wallets take: `signTypedData` of viem, as it is. */
export type TypedData = TypedDataDefinition;

const KEY_SEED_BYTES = 64;
const SECOND_MS = 1_000;
/** The permit starts that long ago, so that a node whose clock is behind the user's takes it at once. */
const CLOCK_TOLERANCE_SECONDS = 120;
const RECOVERY_BASE = 27;

export interface PermitOptions {
  /** Who signs: the user, or the delegate when `delegatorAddress` is given. */
  readonly userAddress: Address;
  /** 1 to 10 contracts whose values are to be read. */
  readonly contractAddresses: readonly Address[];
  /** Chain of those contracts. */
  readonly hostChainId: bigint | number;
  /** 1 to 365. */
  readonly durationDays: number;
  /** Who allowed the delegate to read. */
  readonly delegatorAddress?: Address;
  /** Context of the network; one zero byte, the current one, when absent. */
  readonly extraData?: Uint8Array;
  /**
   * Whether userAddress is a contract that says whose signatures are its own (ERC-1271). Only nodes that are told of
   * its chain take them, and only they ask it: what the wallet returns is believed here. Default false.
   */
  readonly contractWallet?: boolean;
  /** Signs EIP-712: `(typed) => account.signTypedData(typed)` with viem. Hex comes back, of 65 bytes with a key. */
  readonly sign: (typed: TypedData) => Promise<string>;
}

export interface Permit {
  readonly userAddress: Address;
  readonly hostChainId: bigint;
  readonly request: Extract<UserRequest, { kind: 'direct' | 'delegated' }>;
  /** 65 bytes of a key, or what a contract wallet takes. */
  readonly signature: Uint8Array;
  readonly contractWallet: boolean;
  /** @throws ClientError PERMIT_ERASED */
  keys(): UserKeyPair;
  /** Erases the private key; nothing can be read with this permit afterwards. */
  dispose(): void;
}

export interface PermitModules {
  /** Of the gateway, part of what is signed. */
  readonly decryptionContract: Address;
  /** That many secure random bytes. */
  readonly random: (count: number) => Uint8Array;
  /** Milliseconds since 1970. */
  readonly nowMs: () => number;
}

/**
 * Makes a key pair and has the user sign for it. What nodes would refuse is refused here, before anything is sent.
 * @throws WireError with the code of the rule that is broken, or what the wallet throws
 */
export async function createPermit(options: PermitOptions, modules: PermitModules): Promise<Permit> {
  const seed = modules.random(KEY_SEED_BYTES);
  const pair = createUserKeyPair(seed);
  seed.fill(0);
  let erased = false;
  const dispose = () => {
    erased = true;
    pair.decapsulationKey.fill(0);
  };
  const nowSeconds = Math.floor(modules.nowMs() / SECOND_MS);
  const request = requestOf(options, pair.encryptionKey, nowSeconds);
  const { userAddress, contractWallet = false } = options;
  const hostChainId = BigInt(options.hostChainId);
  if (hostChainId > BigInt(Number.MAX_SAFE_INTEGER)) throw new RangeError(`chain id ${hostChainId} does not fit JSON`);
  const domain = { chainId: hostChainId, verifyingContract: modules.decryptionContract };
  try {
    checkUserRequestTerms({ domain, request, userAddress, values: [], nowSeconds, toleranceSeconds: 0 });
    const signed = hexToBytes((await options.sign(userRequestTypedData(domain, request))).replace(/^0x/, ''));
    const signature = contractWallet ? signed : withRecovery(signed);
    requireSignature(domain, { userAddress, request, signature, contractWallet });
    const keys = () => {
      if (erased)
        throw new ClientError('PERMIT_ERASED', 'the private key of this permit was erased: make a new permit');
      return pair;
    };
    return { userAddress, hostChainId, request, signature, contractWallet, keys, dispose };
  } catch (error) {
    dispose();
    throw error;
  }
}

function requestOf(options: PermitOptions, publicKey: Uint8Array, nowSeconds: number): Permit['request'] {
  const { contractAddresses, delegatorAddress, extraData = new Uint8Array(1) } = options;
  const fields = {
    publicKey,
    contractAddresses,
    startTimestamp: BigInt(nowSeconds - CLOCK_TOLERANCE_SECONDS),
    durationDays: BigInt(options.durationDays),
    extraData,
  };
  return delegatorAddress === undefined
    ? { kind: 'direct', ...fields }
    : { kind: 'delegated', ...fields, delegatorAddress };
}

/**
 * Refuses a signature that no node would take. Of a contract wallet's only the length can be judged.
 * @throws WireError with the code of what is wrong with it
 */
export function requireSignature(
  domain: SigningDomain,
  { userAddress, request, signature, contractWallet }: Omit<Permit, 'hostChainId' | 'keys' | 'dispose'>,
): void {
  if (!contractWallet) requireSigner(userRequestDigest(domain, request), signature, userAddress);
  if (signature.length > USER_SIGNATURE_BYTES_MAX) {
    const problem = `signature of ${signature.length} bytes, want at most ${USER_SIGNATURE_BYTES_MAX}`;
    throw new WireError('SIGNATURE_LENGTH', problem);
  }
}

/** Some hardware wallets end a signature with 0 or 1 instead of 27 or 28. */
function withRecovery(signed: Uint8Array): Uint8Array {
  const signature = signed.slice();
  const last = signature.length - 1;
  if (signature[last] === 0 || signature[last] === 1) signature[last] += RECOVERY_BASE;
  return signature;
}
