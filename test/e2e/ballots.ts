/** An application whose users prove what they encrypt: its rules in node.toml, what a proof is bound to, handles. */
import { appendFile } from 'node:fs/promises';
import { toHex } from '@keyquorum/mpc/bytes';
import { fheTypeId, parseFheType } from '@keyquorum/tfhe/ciphertext';
import { inputHandle } from '@keyquorum/wire/input-handle';
import { inputMetadata } from '@keyquorum/wire/input-metadata';
import { type EncryptedValue, fheTypeOf, type SampleType } from '../../scripts/network/encryption.ts';
import type { LocalNetwork } from '../../scripts/network/local-network.ts';
import { CONTRACT, HOST_CHAIN } from '../../scripts/network/user.ts';
import { editFile } from './running-network.ts';

export const BALLOT_APP = 'ballot';
const ACCESS_LIST = `0x${'ac'.repeat(20)}`;
const PLACE = { aclAddress: ACCESS_LIST, chainId: BigInt(HOST_CHAIN) };

/** What a request says about a proof. */
export interface BallotProof {
  readonly crsId: string;
  readonly contractAddress: string;
  readonly userAddress: string;
}

/** Before the nodes start; the network's requester may use this application and the default one, and no other. */
export async function admitBallots({ nodes }: LocalNetwork): Promise<void> {
  const rules = `contracts = ["${CONTRACT}"]\naclContract = "${ACCESS_LIST}"\nhostChainId = ${HOST_CHAIN}\n`;
  const lines = `name = "${BALLOT_APP}"\nprovenance = ["proven"]\n[applications.proofs]\n${rules}`;
  for (const { config } of nodes) {
    await editFile(config, /apps = \[.*\]/, `apps = ["default", "${BALLOT_APP}"]`);
    await appendFile(config, `\n[[applications]]\n${lines}`);
  }
}

/** The bytes that the proof is bound to. */
export function boundTo(proof: BallotProof): Uint8Array {
  return inputMetadata({ ...proof, ...PLACE });
}

/** The value under the handle that contracts know it by, with what its requester says about its proof. */
export function ballot(value: EncryptedValue, type: SampleType, proof: BallotProof): EncryptedValue {
  const list = new Uint8Array(Buffer.from(value.bytes, 'base64'));
  const fheType = fheTypeId(parseFheType(fheTypeOf(type))!)!;
  const handle = inputHandle({ ...PLACE, list, index: value.slot, fheType })!;
  return { ...value, handle: toHex(handle), provenance: { proof } };
}
