/**
 * Makes vectors/proven-list.json with node-tfhe 1.7: a list with proofs of encryption, and the key bits to open it.
 * Takes minutes (the reference string alone two), which is why the result is kept. Run: node test/support/make-
 * proven-list.ts
 */
import { writeFileSync } from 'node:fs';
import { secretKeysOf } from './clear-text.ts';
import { defaultClientKey, defaultConfig, listBuilder, loadNodeTfhe, serialize } from './node-tfhe.ts';

/** Small enough that the list below needs more than one proof. */
const MAX_BITS_PER_PROOF = 4;

const tfhe = loadNodeTfhe();
const clientKey = defaultClientKey(tfhe);
const publicKey = tfhe.TfheCompactPublicKey.new(clientKey);
const reference = tfhe.CompactPkeCrs.from_config(defaultConfig(tfhe), MAX_BITS_PER_PROOF);
const items = [
  { type: { kind: 'bool', bits: 1 }, value: 1n },
  { type: { kind: 'uint', bits: 8 }, value: 0x5an },
] as const;
const list = listBuilder(tfhe, publicKey, items).build_with_proof_packed(
  reference,
  new Uint8Array([1, 2, 3]),
  tfhe.ZkComputeLoad.Verify,
);
const vector = {
  made: 'by test/support/make-proven-list.ts with node-tfhe 1.7.0',
  values: ['1', '90'],
  pkeSecretBits: [...secretKeysOf(serialize(clientKey)).pke].join(''),
  list: Buffer.from(serialize(list)).toString('base64'),
};
writeFileSync(new URL('../../vectors/proven-list.json', import.meta.url), `${JSON.stringify(vector, null, 2)}\n`);
