/**
 * The contracts of Zama's protocol that look at decryptions, on a chain of anvil: ACL, KMSVerifier and InputVerifier as
 * `@fhevm/host-contracts` ships them, behind proxies at the addresses that are compiled into them.
 *
 * The package has no compiled form of the two empty contracts that its own deployment puts behind the proxies first.
 * All they leave behind is that the proxy is initialised once, and the owner of the ACL: that state is set instead.
 */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { Committee } from '@keyquorum/client/committee';
import {
  type Abi,
  type Address,
  BaseError,
  ContractFunctionRevertedError,
  concat,
  getContractAddress,
  type Hex,
  hexToBigInt,
  keccak256,
  numberToHex,
  pad,
  parseEther,
  stringToHex,
} from 'viem';
import type { Chain } from './anvil.ts';

/** Whose contracts, by this nonce, get the compiled-in addresses. Nobody's key is needed: anvil impersonates. */
const OWNER = '0x8B8f5091f8b9817EF69cFC1E8B2f721BafF60DF4';
const NONCE = { ACL: 1, KMSVerifier: 4, InputVerifier: 5 } as const;
type ContractName = keyof typeof NONCE;
/** Where OpenZeppelin and the ACL keep their state. */
const STORAGE = {
  initialisation: storageSlot('openzeppelin.storage.Initializable'),
  owner: storageSlot('openzeppelin.storage.Ownable'),
  acl: storageSlot('fhevm.storage.ACL'),
};
/** Who vouches for inputs is not tested here; the contract wants an address of its own, and a signer. */
const INPUT_VERIFICATION: Address = '0x812b06e1CDCE800494b79fFE4f925A504a9A9810';
const INPUT_SIGNER: Address = '0x9FE8958A2920985AC7ab8d320fDFaB310135a05B';

const require = createRequire(import.meta.url);

interface Artifact {
  readonly abi: Abi;
  readonly bytecode: Hex;
}

/** Which signatures the KMSVerifier takes. */
export interface VerifierSetup {
  /** Domain of the answers. */
  readonly domain: Pick<Committee, 'gatewayChainId' | 'decryptionContract'>;
  /** Party 1 first. */
  readonly signers: readonly Address[];
  /** Signatures that it wants. */
  readonly quorum: number;
}

export interface HostContracts {
  readonly address: Readonly<Record<ContractName, Address>>;
  readonly inputVerification: Address;
  /** Replaces signers and quorum. */
  defineSigners(signers: readonly Address[], quorum: number): Promise<void>;
  /** What the KMSVerifier says: its answer, or the name of the error that it reverts with. */
  verify(handles: readonly Hex[], decryptedResult: Hex, decryptionProof: Hex): Promise<boolean | string>;
  /** Lets the contract use the value, as the executor does with what it computes for it. */
  grant(handle: Hex, contract: Address): Promise<void>;
  /** The contract lets everybody have the value. */
  allowForDecryption(handles: readonly Hex[], contract: Address): Promise<void>;
  /** The contract lets the account have the value. */
  allow(handle: Hex, account: Address, contract: Address): Promise<void>;
  /** The account lets the delegate have its values of the contract, until then (seconds since 1970). */
  delegate(account: Address, delegate: Address, contract: Address, untilSeconds: bigint): Promise<void>;
  /** It takes that back. */
  revoke(account: Address, delegate: Address, contract: Address): Promise<void>;
}

export async function deployHostContracts(
  chain: Chain,
  { domain: { gatewayChainId, decryptionContract }, signers, quorum }: VerifierSetup,
): Promise<HostContracts> {
  const { client } = chain;
  const { artifacts, deploy, write } = await createDeployer(chain);
  const acl = await deploy('ACL');
  await client.setStorageAt({ address: acl, index: STORAGE.owner, value: pad(OWNER) });
  await write('ACL', 'initializeFromEmptyProxy', []);
  const verifier = await deploy('KMSVerifier');
  await write('KMSVerifier', 'initializeFromEmptyProxy', [decryptionContract, gatewayChainId, signers, quorum]);
  const inputVerifier = await deploy('InputVerifier');
  await write('InputVerifier', 'initializeFromEmptyProxy', [INPUT_VERIFICATION, gatewayChainId, [INPUT_SIGNER], 1]);
  return {
    address: { ACL: acl, KMSVerifier: verifier, InputVerifier: inputVerifier },
    inputVerification: INPUT_VERIFICATION,
    defineSigners: (newSigners, newQuorum) => write('KMSVerifier', 'defineNewContext', [newSigners, newQuorum]),
    async verify(...args) {
      const { abi } = artifacts.KMSVerifier;
      const functionName = 'verifyDecryptionEIP712KMSSignatures';
      try {
        return (await client.simulateContract({ address: verifier, abi, functionName, args })).result as boolean;
      } catch (error) {
        return revertName(error);
      }
    },
    async grant(handle, contract) {
      await becomeRich(chain, contract);
      await client.setStorageAt({ address: acl, index: pairSlot(handle, contract), value: word(1) });
    },
    allowForDecryption: (handles, contract) => write('ACL', 'allowForDecryption', [handles], contract),
    allow: (handle, account, contract) => write('ACL', 'allow', [handle, account], contract),
    async delegate(account, delegate, contract, untilSeconds) {
      await becomeRich(chain, account);
      await write('ACL', 'delegateForUserDecryption', [delegate, contract, untilSeconds], account);
    },
    revoke: (account, delegate, contract) => {
      return write('ACL', 'revokeDelegationForUserDecryption', [delegate, contract], account);
    },
  };
}

async function createDeployer(chain: Chain) {
  const { client, mined } = chain;
  const artifacts = {
    ACL: await fhevmArtifact('ACL'),
    KMSVerifier: await fhevmArtifact('KMSVerifier'),
    InputVerifier: await fhevmArtifact('InputVerifier'),
  };
  const proxy = await readArtifact('@openzeppelin/contracts/build/contracts/ERC1967Proxy.json');
  const [implementer] = await client.getAddresses();
  await becomeRich(chain, OWNER);
  return {
    artifacts,
    /** A proxy that is initialised once, before the implementation behind it has set itself up. */
    async deploy(name: ContractName): Promise<Address> {
      const implementation = await mined(client.deployContract({ ...artifacts[name], account: implementer! }));
      await client.setNonce({ address: OWNER, nonce: NONCE[name] });
      const args = [implementation.contractAddress, '0x'];
      await mined(client.deployContract({ ...proxy, args, account: OWNER }));
      const address = addressOf(name);
      await client.setStorageAt({ address, index: STORAGE.initialisation, value: word(1) });
      return address;
    },
    async write(name: ContractName, functionName: string, args: readonly unknown[], account: Address = OWNER) {
      const { abi } = artifacts[name];
      await mined(client.writeContract({ address: addressOf(name), abi, functionName, args, account }));
    },
  };
}

/** Where it is, or will be. */
export function addressOf(name: ContractName): Address {
  return getContractAddress({ from: OWNER, nonce: BigInt(NONCE[name]) });
}

/** From now on transactions of the address need no signature, and it can pay for them. */
async function becomeRich({ client }: Chain, address: Address): Promise<void> {
  await client.impersonateAccount({ address });
  await client.setBalance({ address, value: parseEther('1000') });
}

/** ERC-7201: the first slot of the storage of that name. */
function storageSlot(name: string): Hex {
  const hash = keccak256(numberToHex(hexToBigInt(keccak256(stringToHex(name))) - 1n, { size: 32 }));
  return numberToHex((hexToBigInt(hash) >> 8n) << 8n, { size: 32 });
}

/** Of `mapping(bytes32 handle => mapping(address => bool)) persistedAllowedPairs`, first in the storage of the ACL. */
function pairSlot(handle: Hex, account: Address): Hex {
  return keccak256(concat([pad(account), keccak256(concat([handle, STORAGE.acl]))]));
}

const word = (value: number): Hex => numberToHex(value, { size: 32 });

function revertName(error: unknown): string {
  const reverted = error instanceof BaseError && error.walk((cause) => cause instanceof ContractFunctionRevertedError);
  if (reverted instanceof ContractFunctionRevertedError && reverted.data) return reverted.data.errorName;
  throw error;
}

const fhevmArtifact = (name: ContractName) =>
  readArtifact(`@fhevm/host-contracts/artifacts/contracts/${name}.sol/${name}.json`);

async function readArtifact(path: string): Promise<Artifact> {
  return JSON.parse(await readFile(require.resolve(path), 'utf8'));
}
