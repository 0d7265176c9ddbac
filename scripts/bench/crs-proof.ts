/** What node-tfhe makes of a reference string for the default parameters: times to load, prove and verify. */
import { createRequire } from 'node:module';
import type * as Tfhe from 'node-tfhe';

const SIZE_LIMIT = 1n << 30n;

export interface ProofTimes {
  readonly loadMs: number;
  readonly proveMs: number;
  readonly verifyMs: number;
}

/** One list of a byte and a boolean. @throws when node-tfhe does not take the file, or accepts other metadata */
export function measureProof(file: Uint8Array, say: (text: string) => void): ProofTimes {
  const tfhe = createRequire(import.meta.url)('node-tfhe') as typeof Tfhe;
  const timed = <T>(work: () => T): { result: T; ms: number } => {
    const startMs = performance.now();
    const result = work();
    return { result, ms: performance.now() - startMs };
  };
  say('node-tfhe: keys');
  const block = new tfhe.ShortintParameters(tfhe.ShortintParametersName.PARAM_MESSAGE_2_CARRY_2_KS_PBS_TUNIFORM_2M128);
  const publicKeyOf = new tfhe.ShortintCompactPublicKeyEncryptionParameters(
    tfhe.ShortintCompactPublicKeyEncryptionParametersName.PARAM_PKE_MESSAGE_2_CARRY_2_KS_PBS_TUNIFORM_2M128,
  );
  const config = tfhe.TfheConfigBuilder.with_custom_parameters(block)
    .use_dedicated_compact_public_key_parameters(publicKeyOf)
    .build();
  const client = tfhe.TfheClientKey.generate(config);
  const publicKey = tfhe.TfheCompactPublicKey.new(client);
  tfhe.set_server_key(tfhe.TfheServerKey.new(client)); // verifying also expands the list
  const builder = tfhe.CompactCiphertextList.builder(publicKey);
  builder.push_u8(200);
  builder.push_boolean(true);
  const metadata = new TextEncoder().encode('contract, user and chain');
  const load = timed(() => tfhe.CompactPkeCrs.safe_deserialize(file, SIZE_LIMIT));
  say('node-tfhe: proving');
  const list = timed(() => builder.build_with_proof_packed(load.result, metadata, tfhe.ZkComputeLoad.Verify));
  say('node-tfhe: verifying');
  const expanded = timed(() => list.result.verify_and_expand(load.result, publicKey, metadata));
  if (expanded.result.get_uint8(0).decrypt(client) !== 200) throw new Error('the proven list holds another value');
  if (accepts(() => list.result.verify_and_expand(load.result, publicKey, new Uint8Array(3)))) {
    throw new Error('the proof holds for other metadata');
  }
  return { loadMs: load.ms, proveMs: list.ms, verifyMs: expanded.ms };
}

function accepts(attempt: () => unknown): boolean {
  try {
    attempt();
    return true;
  } catch {
    return false; // node-tfhe throws plain text
  }
}
