/** Reference strings of two contributions at most, and node-tfhe proving with them, for keys that anyone can break. */
import { randomBytes } from 'node:crypto';
import { contribute } from '@keyquorum/crs/contribution';
import type { CompactKeyParameters } from '@keyquorum/crs/parameters';
import { type CrsState, type CrsSubject, startState } from '@keyquorum/crs/state';
import { verifyContribution } from '@keyquorum/crs/verification';
import { inThisThread } from '@keyquorum/crs/workers';
import { createBls446 } from '@keyquorum/kernel/bls446';
import { TFHE_FORMAT } from '@keyquorum/protocols/crs/content';
import type { CompactPublicKeyParts } from '@keyquorum/tfhe/compact-public-key';
import { safeDeserialize, TYPE_NAME } from '@keyquorum/tfhe/safe-serialize';
import { compactPublicKey } from '@keyquorum/tfhe/schema/keys';
import type * as Tfhe from 'node-tfhe';
import { type NodeTfhe, SIZE_LIMIT, serialize } from '../../packages/tfhe/test/support/node-tfhe.ts';

export const random = (count: number) => new Uint8Array(randomBytes(count));
export const curve = createBls446();
const tools = { curve, workers: inThisThread(curve, random) };

/** The file after these contributions, each checked. */
export async function referenceString(subject: CrsSubject, rounds: readonly number[]): Promise<Uint8Array> {
  let state: CrsState = startState(subject);
  for (const round of rounds) {
    const contribution = await contribute(tools, subject, state, { round, random });
    state = await verifyContribution(tools, subject, state, { round, contribution });
  }
  return TFHE_FORMAT.encode(subject, { g1: state.g1, g2: state.g2 });
}

/** Of keys whose compact public key has these parameters. */
export function compactKeyConfiguration(tfhe: NodeTfhe, parameters: CompactKeyParameters): Tfhe.TfheConfig {
  const { pke, messageModulus, carryModulus } = parameters;
  const block = new tfhe.ShortintParameters(tfhe.ShortintParametersName.PARAM_MESSAGE_2_CARRY_2_KS_PBS_TUNIFORM_2M128);
  const [keySwitchBaseLog, keySwitchLevels] = [37, 1];
  const compact = tfhe.ShortintCompactPublicKeyEncryptionParameters.new_parameters(
    pke.dimension,
    tfhe.Shortint.try_new_t_uniform(pke.noiseBoundLog2),
    BigInt(messageModulus),
    BigInt(carryModulus),
    64,
    keySwitchBaseLog,
    keySwitchLevels,
    tfhe.ShortintEncryptionKeyChoice.Small,
  );
  const builder = tfhe.TfheConfigBuilder.with_custom_parameters(block);
  return builder.use_dedicated_compact_public_key_parameters(compact).build();
}

export type ComputeLoad = 'Verify' | 'Proof';

export interface ProvingOptions {
  /** The reference string. */
  readonly file: Uint8Array;
  readonly metadata: Uint8Array;
  readonly computeLoad: ComputeLoad;
}

export function prove(
  tfhe: NodeTfhe,
  builder: Tfhe.CompactCiphertextListBuilder,
  { file, metadata, computeLoad }: ProvingOptions,
): Tfhe.ProvenCompactCiphertextList {
  const crs = tfhe.CompactPkeCrs.safe_deserialize(file, SIZE_LIMIT);
  return builder.build_with_proof_packed(crs, metadata, tfhe.ZkComputeLoad[computeLoad]);
}

/** The words of a key, whatever it says about its parameters. */
export function publicKeyParts(key: Tfhe.TfheCompactPublicKey): CompactPublicKeyParts {
  const object = safeDeserialize(TYPE_NAME.compactPublicKey, compactPublicKey, serialize(key));
  const { data } = object.key.key.key.key.glwe;
  const half = data.length / 2;
  return { mask: Uint8Array.from(data.subarray(0, half)), body: Uint8Array.from(data.subarray(half)) };
}
