/** The two keys of a node, from its store: Ed25519 towards the peers, secp256k1 towards the outside. */
import { type Signer as AnswerKey, createSigner as createAnswerSigner } from '@keyquorum/wire/signer';
import type { NodeConfig } from '../config/config.ts';
import { ConfigError } from '../config/config-error.ts';
import { createSigner, type Identity } from '../ed25519.ts';
import { IDENTITY_SECRET, SIGNER_SECRET } from '../store/layout.ts';
import type { Store } from '../store/store.ts';
import { StoreError } from '../store/store-error.ts';

export interface NodeIdentity {
  /** Ed25519 seed for the transport; lives as long as the process. */
  readonly seed: Uint8Array;
  readonly identity: Identity;
  readonly answerKey: AnswerKey;
}

/** Throws CONFIG_ROSTER when the store belongs to another party than the card in the network file. */
export async function loadIdentity(store: Store, config: NodeConfig): Promise<NodeIdentity> {
  const seed = await required(store, IDENTITY_SECRET);
  const identity = createSigner(seed);
  const answerKey = createAnswerSigner(await required(store, SIGNER_SECRET));
  const { card, party, file } = config;
  const same = (one: string, other: string) => one.toLowerCase() === other.toLowerCase();
  if (!same(card.publicKey, Buffer.from(identity.publicKey).toString('hex')) || !same(card.signer, answerKey.address)) {
    const message = `the store in ${config.dataPath} does not hold the keys on the card of party ${party}`;
    throw new ConfigError('CONFIG_ROSTER', { file, field: 'party', message });
  }
  return { seed, identity, answerKey };
}

async function required(store: Store, name: string): Promise<Uint8Array> {
  const secret = await store.secrets.get(name);
  if (secret) return secret;
  throw new StoreError('STORE_MISSING', `the store has no ${name}: run keyquorum init in an empty folder`);
}
