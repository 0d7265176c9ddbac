/** Coprocessors that attest whatever a test wants, and the lines by which nodes know them. */
import { appendFile } from 'node:fs/promises';
import type { Committee } from '@keyquorum/client/committee';
import { attestationTypedData, createCiphertextDigest } from '@keyquorum/wire/ciphertext-attestation';
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts';
import type { EncryptedValue } from '../../scripts/network/encryption.ts';
import type { LocalNetwork } from '../../scripts/network/local-network.ts';

/** Three, of which two must have signed. */
const accounts = [0, 1, 2].map(() => privateKeyToAccount(generatePrivateKey()));

/** Before the nodes start. */
export async function admitCoprocessors({ nodes }: LocalNetwork): Promise<void> {
  const addresses = accounts.map(({ address }) => `"${address}"`).join(', ');
  const lines = `provenance = ["attested"]\ncoprocessors = [${addresses}]\nattestations = 2\n`;
  for (const { config } of nodes) await appendFile(config, `\n[[applications]]\nname = "default"\n${lines}`);
}

/** The ciphertext with what the coprocessors of these numbers, from 0, sign about it for a key. */
export async function attested<Value extends EncryptedValue>(
  { gatewayChainId, decryptionContract }: Committee,
  keyId: string,
  ciphertext: Value,
  who: readonly number[] = [0, 1],
): Promise<Value & { readonly provenance: { readonly attestations: string[] } }> {
  const { handle, format, bytes, slot } = ciphertext;
  const running = createCiphertextDigest();
  running.update(Buffer.from(bytes, 'base64'));
  const [key, name] = [keyId, handle].map((hex) => new Uint8Array(Buffer.from(hex, 'hex')));
  const typed = attestationTypedData(
    { chainId: gatewayChainId, verifyingContract: decryptionContract },
    { keyId: key!, handle: name!, format, slot, digest: running.digest() },
  );
  const signatures = await Promise.all(who.map((index) => accounts[index]!.signTypedData(typed)));
  return { ...ciphertext, provenance: { attestations: signatures.map((signature) => signature.slice(2)) } };
}
