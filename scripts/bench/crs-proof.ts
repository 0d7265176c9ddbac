/** What proofs cost with a reference string for the default parameters: node-tfhe proves and verifies, we verify. */
import { randomFillSync } from 'node:crypto';
import { createRequire } from 'node:module';
import { decodeCrsFile } from '@keyquorum/crs/crs-file';
import { verifyEncryption } from '@keyquorum/crs/encryption/verify';
import { createBls446 } from '@keyquorum/kernel/bls446';
import { readCompactPublicKey } from '@keyquorum/tfhe/compact-public-key';
import { DEFAULT_PARAMETERS } from '@keyquorum/tfhe/parameters';
import { readProvenParts } from '@keyquorum/tfhe/proven-list';
import type * as Tfhe from 'node-tfhe';

const SIZE_LIMIT = 1n << 30n;
const METADATA = new TextEncoder().encode('contract, user and chain');
const VALUE = 200n;

/** Of a list of one uint64; `verifyMs` is ours, `expandMs` what node-tfhe takes to verify and expand. */
export interface ProofTimes {
  readonly load: 'Proof' | 'Verify';
  readonly proveMs: number;
  readonly expandMs: number;
  readonly verifyMs: number;
}

interface Prover {
  readonly tfhe: typeof Tfhe;
  readonly client: Tfhe.TfheClientKey;
  readonly publicKey: Tfhe.TfheCompactPublicKey;
  readonly crs: Tfhe.CompactPkeCrs;
}

/** For both loads. @throws when somebody does not take the proof, or takes it with other metadata */
export function measureProofs(file: Uint8Array, say: (text: string) => void): ProofTimes[] {
  say('node-tfhe: keys');
  const prover = createProver(file);
  return (['Proof', 'Verify'] as const).map((load) => {
    say(`proofs for load "${load}"`);
    return measureLoad(prover, file, load);
  });
}

function createProver(file: Uint8Array): Prover {
  const tfhe = createRequire(import.meta.url)('node-tfhe') as typeof Tfhe;
  const block = new tfhe.ShortintParameters(tfhe.ShortintParametersName.PARAM_MESSAGE_2_CARRY_2_KS_PBS_TUNIFORM_2M128);
  const publicKeyOf = new tfhe.ShortintCompactPublicKeyEncryptionParameters(
    tfhe.ShortintCompactPublicKeyEncryptionParametersName.PARAM_PKE_MESSAGE_2_CARRY_2_KS_PBS_TUNIFORM_2M128,
  );
  const config = tfhe.TfheConfigBuilder.with_custom_parameters(block)
    .use_dedicated_compact_public_key_parameters(publicKeyOf)
    .build();
  const client = tfhe.TfheClientKey.generate(config);
  tfhe.set_server_key(tfhe.TfheServerKey.new(client)); // verifying also expands the list
  const publicKey = tfhe.TfheCompactPublicKey.new(client);
  return { tfhe, client, publicKey, crs: tfhe.CompactPkeCrs.safe_deserialize(file, SIZE_LIMIT) };
}

function measureLoad({ tfhe, client, publicKey, crs }: Prover, file: Uint8Array, load: ProofTimes['load']): ProofTimes {
  const builder = tfhe.CompactCiphertextList.builder(publicKey);
  builder.push_u64(VALUE);
  const list = timed(() => builder.build_with_proof_packed(crs, METADATA, tfhe.ZkComputeLoad[load]));
  const expanded = timed(() => list.result.verify_and_expand(crs, publicKey, METADATA));
  if (expanded.result.get_uint64(0).decrypt(client) !== VALUE) throw new Error('the proven list holds another value');
  const curve = createBls446();
  const random = (count: number) => randomFillSync(new Uint8Array(count));
  const parts = readProvenParts(list.result.safe_serialize(SIZE_LIMIT), DEFAULT_PARAMETERS);
  const key = readCompactPublicKey(publicKey.safe_serialize(SIZE_LIMIT), DEFAULT_PARAMETERS);
  const reference = decodeCrsFile(file);
  const verify = (metadata: Uint8Array) =>
    verifyEncryption(curve, random, { crs: reference, publicKey: key, metadata }, parts);
  verify(METADATA); // so that what is timed is compiled
  const verified = timed(() => verify(METADATA));
  if (accepts(() => verify(new Uint8Array(3)))) throw new Error('the proof holds for other metadata');
  return { load, proveMs: list.ms, expandMs: expanded.ms, verifyMs: verified.ms };
}

function timed<T>(work: () => T): { readonly result: T; readonly ms: number } {
  const startMs = performance.now();
  const result = work();
  return { result, ms: performance.now() - startMs };
}

function accepts(attempt: () => unknown): boolean {
  try {
    attempt();
    return true;
  } catch {
    return false;
  }
}
