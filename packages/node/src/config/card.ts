/**
 * Node cards: what each operator hands to the others when a network is set up. A card is signed by the Ed25519 identity
 * it names, so a typing error or a swapped address is noticed before the network starts.
 */
import { createHash } from 'node:crypto';
import { createSigner, createVerifier } from '../ed25519.ts';
import { LABELS } from '../labels.ts';
import { ConfigError } from './config-error.ts';
import type { Card } from './schema.ts';

type Statement = Omit<Card, 'signature'>;

function statementBytes({ network, party, publicKey, signer, address }: Statement): Uint8Array {
  const text = JSON.stringify([LABELS.card, network, party, publicKey, signer.toLowerCase(), address]);
  return createHash('sha256').update(text).digest();
}

/** @param seed Ed25519 seed of the node, erased by the caller */
export function signCard(statement: Omit<Statement, 'publicKey'>, seed: Uint8Array): Card {
  const identity = createSigner(seed);
  const unsigned = { ...statement, publicKey: Buffer.from(identity.publicKey).toString('hex') };
  return { ...unsigned, signature: Buffer.from(identity.sign(statementBytes(unsigned))).toString('hex') };
}

/** Throws CONFIG_CARD unless the card is signed by the key it names. */
export function requireSigned(card: Card, file: string, field: string): void {
  const { publicKey, signature } = card;
  const verify = createVerifier(Buffer.from(publicKey, 'hex'));
  if (verify(statementBytes(card), Buffer.from(signature, 'hex'))) return;
  const message = `${field}: the card of party ${card.party} was changed after it was signed; ask its operator again`;
  throw new ConfigError('CONFIG_CARD', { file, field, message });
}
