/**
 * What a user signs to have values re-encrypted to a key of their own, and when such a request counts. Three structs
 * are in use; field names, order and types are those of the Decryption contract and of the dApp SDKs. Users sign under
 * the chain id of the contracts that hold the values (the host chain), nodes answer under that of the gateway.
 */
import { bytesToHex, isAddress } from 'viem';
import type { SigningDomain } from './eip712.ts';
import { WireError } from './error.ts';
import { parseExtraData } from './extra-data.ts';
import { requireSigner } from './signer.ts';
import { fullDomain, typedDataDigest } from './typed-data.ts';
import { requireBits } from './user-type.ts';

type Address = `0x${string}`;

interface RequestFields {
  /** 869 bytes, see encryption-key.ts. */
  readonly publicKey: Uint8Array;
  /** Contracts whose values may be decrypted; called allowedContracts in the unified struct. */
  readonly contractAddresses: readonly Address[];
  /** Seconds since 1970. */
  readonly startTimestamp: bigint;
  readonly extraData: Uint8Array;
}

export type UserRequest =
  /** Signed by the user. */
  | (RequestFields & { readonly kind: 'direct'; readonly durationDays: bigint })
  /** Signed by a delegate of the user: the delegate's is the user address everywhere else. */
  | (RequestFields & { readonly kind: 'delegated'; readonly durationDays: bigint; readonly delegatorAddress: Address })
  /** Signed by the user; extraData must be of version 2. */
  | (RequestFields & { readonly kind: 'unified'; readonly durationSeconds: bigint; readonly userAddress: Address });

/** The structs, as wallets and viem take them. */
export const USER_REQUEST_TYPES = {
  direct: {
    UserDecryptRequestVerification: [
      { name: 'publicKey', type: 'bytes' },
      { name: 'contractAddresses', type: 'address[]' },
      { name: 'startTimestamp', type: 'uint256' },
      { name: 'durationDays', type: 'uint256' },
      { name: 'extraData', type: 'bytes' },
    ],
  },
  delegated: {
    DelegatedUserDecryptRequestVerification: [
      { name: 'publicKey', type: 'bytes' },
      { name: 'contractAddresses', type: 'address[]' },
      { name: 'delegatorAddress', type: 'address' },
      { name: 'startTimestamp', type: 'uint256' },
      { name: 'durationDays', type: 'uint256' },
      { name: 'extraData', type: 'bytes' },
    ],
  },
  unified: {
    UserDecryptRequestVerification: [
      { name: 'userAddress', type: 'address' },
      { name: 'publicKey', type: 'bytes' },
      { name: 'allowedContracts', type: 'address[]' },
      { name: 'startTimestamp', type: 'uint256' },
      { name: 'durationSeconds', type: 'uint256' },
      { name: 'extraData', type: 'bytes' },
    ],
  },
} as const;

/** What `signTypedData` of viem signs. `domain.chainId` is that of the host chain. */
export function userRequestTypedData(domain: SigningDomain, request: UserRequest) {
  const fields = {
    publicKey: bytesToHex(request.publicKey),
    startTimestamp: request.startTimestamp,
    extraData: bytesToHex(request.extraData),
  };
  const contracts = [...request.contractAddresses];
  switch (request.kind) {
    case 'direct': {
      const { durationDays } = request;
      return {
        domain: fullDomain(domain),
        types: USER_REQUEST_TYPES.direct,
        primaryType: 'UserDecryptRequestVerification' as const,
        message: { ...fields, contractAddresses: contracts, durationDays },
      };
    }
    case 'delegated': {
      const { durationDays, delegatorAddress } = request;
      return {
        domain: fullDomain(domain),
        types: USER_REQUEST_TYPES.delegated,
        primaryType: 'DelegatedUserDecryptRequestVerification' as const,
        message: { ...fields, contractAddresses: contracts, delegatorAddress, durationDays },
      };
    }
    case 'unified': {
      const { durationSeconds, userAddress } = request;
      return {
        domain: fullDomain(domain),
        types: USER_REQUEST_TYPES.unified,
        primaryType: 'UserDecryptRequestVerification' as const,
        message: { ...fields, allowedContracts: contracts, durationSeconds, userAddress },
      };
    }
  }
}

/** What the user signs, 32 bytes. */
export function userRequestDigest(domain: SigningDomain, request: UserRequest): Uint8Array {
  return typedDataDigest(domain, userRequestTypedData(domain, request));
}

/** What contract wallets take has any length; 65 bytes of a key are the common case. */
export const USER_SIGNATURE_BYTES_MAX = 4096;
/** Contracts named in one request. */
export const CONTRACTS_MAX = 10;
const DAY_SECONDS = 86_400n;
const DURATION_SECONDS_MAX = 365n * DAY_SECONDS;

export interface UserRequestCheck {
  /** Of the host chain. */
  readonly domain: SigningDomain;
  readonly request: UserRequest;
  /** Who signed: the user, or the delegate in a delegated request. */
  readonly userAddress: Address;
  /** 65 bytes. */
  readonly signature: Uint8Array;
  /** `fheType` is absent where it is not known yet; whoever knows it must check again. */
  readonly values: readonly { readonly fheType?: number; readonly contractAddress: Address }[];
  /** Seconds since 1970. */
  readonly nowSeconds: number;
  /** How far the user's clock may be off, at both ends of the period. */
  readonly toleranceSeconds: number;
}

/**
 * Refuses a request that the signature, the period or the limits of the contracts do not allow. Signatures of contract
 * wallets (ERC-1271) need a chain: whoever has one checks the terms alone and asks it.
 * @throws WireError with the code of the first rule that is broken
 */
export function checkUserRequest(check: UserRequestCheck): void {
  checkUserRequestTerms(check);
  requireSigner(userRequestDigest(check.domain, check.request), check.signature, check.userAddress);
}

/**
 * Everything but the signature: before a wallet asks the user for it.
 * @throws WireError with the code of the first rule that is broken
 */
export function checkUserRequestTerms(terms: Omit<UserRequestCheck, 'signature'>): void {
  const { request, values } = terms;
  const version = parseExtraData(request.extraData).version;
  if (request.kind === 'unified' && version !== 2) {
    throw new WireError('EXTRA_DATA_VERSION', `extraData: got version ${version}, want 2 in a unified request`);
  }
  requireBits(values.flatMap(({ fheType }) => (fheType === undefined ? [] : [fheType])));
  requireContracts(terms);
  requirePeriod(terms);
  if (request.kind === 'unified') requireAddress(request.userAddress);
  if (request.kind === 'unified' && !sameAddress(request.userAddress, terms.userAddress)) {
    throw new WireError('SIGNER_WRONG', `request of user ${request.userAddress}, want ${terms.userAddress}`);
  }
}

function requireContracts({ domain, request, userAddress, values }: Omit<UserRequestCheck, 'signature'>): void {
  const { contractAddresses } = request;
  const count = contractAddresses.length;
  if (count < 1 || count > CONTRACTS_MAX) {
    throw new WireError('CONTRACTS_COUNT', `request for ${count} contracts, want 1..${CONTRACTS_MAX}`);
  }
  // A contract that could decrypt as its own user would decrypt everything it was ever given.
  const people = request.kind === 'delegated' ? [userAddress, request.delegatorAddress] : [userAddress];
  for (const address of [...people, ...contractAddresses]) requireAddress(address);
  for (const person of people) {
    if ([...contractAddresses, domain.verifyingContract].some((contract) => sameAddress(contract, person))) {
      throw new WireError('USER_IS_CONTRACT', `user address ${person} is one of the contracts`);
    }
  }
  for (const { contractAddress } of values) {
    if (!contractAddresses.some((contract) => sameAddress(contract, contractAddress))) {
      throw new WireError('CONTRACT_NOT_SIGNED', `value of contract ${contractAddress}, which the user did not name`);
    }
  }
}

function requireAddress(address: string): void {
  if (isAddress(address)) return;
  throw new WireError('ADDRESS_MALFORMED', `address ${JSON.stringify(address.slice(0, 42))}: wrong length or checksum`);
}

function requirePeriod({ request, nowSeconds, toleranceSeconds }: Omit<UserRequestCheck, 'signature'>): void {
  const { startTimestamp: start } = request;
  const duration = request.kind === 'unified' ? request.durationSeconds : request.durationDays * DAY_SECONDS;
  if (duration < 1n || duration > DURATION_SECONDS_MAX) {
    throw new WireError('DURATION', `request for ${duration} s, want 1 s to 365 days`);
  }
  const now = BigInt(Math.floor(nowSeconds));
  const tolerance = BigInt(toleranceSeconds);
  const clocks = `the clock here says ${timeText(now)}, tolerance ${tolerance} s`;
  if (start > now + tolerance) {
    throw new WireError('REQUEST_NOT_YET_VALID', `request is valid from ${timeText(start)}, ${clocks}`);
  }
  if (start + duration + tolerance < now) {
    throw new WireError('REQUEST_EXPIRED', `request was valid until ${timeText(start + duration)}, ${clocks}`);
  }
}

/** Last second that Date can show. */
const DATE_SECONDS_MAX = 8_640_000_000_000n;

function timeText(seconds: bigint): string {
  if (seconds < 0n || seconds > DATE_SECONDS_MAX) return `${seconds} s since 1970`;
  return `${new Date(Number(seconds) * 1_000).toISOString().replace('.000', '')} (${seconds} s since 1970)`;
}

function sameAddress(left: string, right: string): boolean {
  return left.toLowerCase() === right.toLowerCase();
}
