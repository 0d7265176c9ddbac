/**
 * A list that its maker has proven to be well encrypted under this key, with a reference string of this network, for a
 * contract of the application. What the proof is bound to is put together here from the rules of the application and
 * the addresses that the caller names; other metadata makes another statement, which nobody proved.
 *
 * Under a production key its value goes by the handle that contracts know it by, which follows from the list: so what a
 * contract allows for a handle, and what nodes sign about it, is about this input and no other.
 */
import { createHash } from 'node:crypto';
import { toHex } from '@keyquorum/mpc/bytes';
import type { KeyRecord, Services } from '@keyquorum/protocols/services';
import { type FheType, fheTypeId } from '@keyquorum/tfhe/ciphertext';
import { readCompactPublicKey } from '@keyquorum/tfhe/compact-public-key';
import { keySetChoice } from '@keyquorum/tfhe/key-sets';
import { inputHandle } from '@keyquorum/wire/input-handle';
import { inputMetadata } from '@keyquorum/wire/input-metadata';
import type { ProofRules } from '../config/schema.ts';
import { ApiError } from '../errors/api-error.ts';
import type { ProofCheck, ProofPool } from '../proofs/pool.ts';
import type { Ciphertext, ClaimedProof } from '../requests/content.ts';
import type { Provenance, ProvenanceQuestion, Reader } from './provenance.ts';

/** Lists that are remembered to be proven: the values of one list are asked for one by one. */
const REMEMBERED_MAX = 1024;

export interface ProvenRules extends ProofRules {
  /** Who delegated to whom is looked up for the application, before anything is asked here. */
  readonly delegationsAreChecked: boolean;
}

export interface ProvenModules {
  readonly services: Pick<Services, 'referenceStrings' | 'material'>;
  readonly proofs: ProofPool;
}

export function proven(rules: ProvenRules, { services, proofs }: ProvenModules): Provenance {
  const remembered = new Set<string>();

  async function once(name: string, check: () => Promise<void>): Promise<void> {
    if (remembered.has(name)) return;
    await check();
    remembered.add(name);
    if (remembered.size > REMEMBERED_MAX) remembered.delete(remembered.values().next().value!);
  }

  return {
    kind: 'proven',
    offered: ({ provenance }) => provenance.proof !== undefined,
    async verify({ requester, key, ciphertext, type, reader }: ProvenanceQuestion) {
      const { format, bytes: list, provenance } = ciphertext;
      const { proof } = provenance;
      if (proof === undefined || format !== 'proven-list') {
        throw new ApiError('PROOF_MALFORMED', `a proof shows the origin of a proven-list, not of a ${format}`);
      }
      requireAddresses(rules, proof, reader);
      if (key.purpose === 'production') requireHandle(rules, ciphertext, type);
      const { parameters } = keySetChoice(key.parameters);
      const crs = services.referenceStrings().find(({ crsId }) => crsId === proof.crsId);
      if (crs === undefined || keySetChoice(crs.parameters).parameters !== parameters) {
        throw new ApiError(
          'CRS_UNKNOWN',
          `this node has no reference string ${proof.crsId} for keys of these parameters`,
        );
      }
      const metadata = inputMetadata({ ...proof, aclAddress: rules.aclContract, chainId: BigInt(rules.hostChainId) });
      const crsDigest = crs.digest;
      const keyDigest = publicKeyDigest(key);
      await once(nameOf({ list, metadata, crsDigest, keyDigest }), async () => {
        const publicKey = readCompactPublicKey(await read(services, keyDigest), parameters);
        await proofs.verify({
          requester,
          list,
          metadata,
          parameters,
          publicKey,
          crsDigest,
          crsFile: () => read(services, crsDigest),
        });
      });
    },
  };
}

/**
 * The contract is one of the application's. What is to be read by one user was encrypted by that user, or by the
 * account it reads for, for the contract that it names, all on the chain of the application: who decides for an address
 * on another chain may be somebody else. Anybody can name an account to read for: it counts where a contract is asked
 * whether that is so.
 */
function requireAddresses(rules: ProvenRules, proof: ClaimedProof, reader: Reader | undefined): void {
  const { contractAddress, userAddress } = proof;
  if (!rules.contracts.some((contract) => contract.toLowerCase() === contractAddress)) {
    throw new ApiError('PROOF_CONTRACT', `contract ${contractAddress} is none of this application's`);
  }
  if (reader === undefined) return;
  if (reader.contract !== contractAddress || reader.chainId !== BigInt(rules.hostChainId)) {
    const proven = `proven for contract ${contractAddress} of chain ${rules.hostChainId}`;
    throw new ApiError('PROOF_CONTRACT', `${proven}, but asked for with ${reader.contract} of ${reader.chainId}`);
  }
  const { user, delegator } = reader;
  if (userAddress === user || (userAddress === delegator && rules.delegationsAreChecked)) return;
  const unchecked = userAddress === delegator ? ': without "acl", this application knows of no delegations' : '';
  throw new ApiError('PROOF_USER', `proven by ${userAddress}, who is not the one that wants to read it${unchecked}`);
}

function requireHandle({ aclContract, hostChainId }: ProvenRules, ciphertext: Ciphertext, type: FheType): void {
  const { handle, bytes: list, slot: index } = ciphertext;
  const fheType = fheTypeId(type);
  const place = { list, index, aclAddress: aclContract, chainId: BigInt(hostChainId) };
  const right = fheType === undefined ? undefined : inputHandle({ ...place, fheType });
  const want = right && toHex(right);
  if (want === handle) return;
  const problem = want ? `want ${want}` : 'an input of this type or place has none';
  throw new ApiError('PROOF_HANDLE', `handle ${handle} is not that of this input: ${problem}`);
}

function publicKeyDigest({ keyId, objects }: KeyRecord): string {
  const key = objects.find(({ type }) => type === 'CompactPublicKey');
  if (key === undefined) throw new Error(`key ${keyId} has no compact public key`);
  return key.digest;
}

/** The bytes are those of the digest, or nothing. @throws MaterialDamagedError */
async function read({ material }: Pick<Services, 'material'>, digest: string): Promise<Uint8Array> {
  const object = material(digest);
  if (object === undefined) throw new Error(`object ${digest} of a finished ceremony is not here`);
  const bytes = new Uint8Array(object.size);
  let at = 0;
  for await (const piece of object.read()) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}

/** Everything that the verdict depends on. */
interface Claim extends Pick<ProofCheck, 'list' | 'metadata' | 'crsDigest'> {
  readonly keyDigest: string;
}

function nameOf({ list, metadata, crsDigest, keyDigest }: Claim): string {
  return createHash('sha256').update(`${crsDigest}${keyDigest}`).update(metadata).update(list).digest('hex');
}
