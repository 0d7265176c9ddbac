/**
 * The network as all its nodes must see it. Two nodes that disagree on any of it refuse each other at connect, because
 * the digest is part of the name under which they greet each other, and both say so in status and log.
 */
import { createHash } from 'node:crypto';
import { quorumOf, type Roster } from '@keyquorum/mpc/roster';
import type { SigningDomain } from '@keyquorum/wire/eip712';
import { LABELS } from '../labels.ts';
import { requireSigned } from './card.ts';
import { ConfigError } from './config-error.ts';
import { readToml } from './read-toml.ts';
import { type Card, NetworkFile } from './schema.ts';

export interface Network {
  readonly roster: Roster;
  /** In party order; cards[0] is party 1. */
  readonly cards: readonly Card[];
  readonly domain: SigningDomain;
  /** SHA-256 over everything above except addresses, which may differ behind address translation. Hex. */
  readonly digest: string;
}

/** Reads and checks `network.toml`. Throws ConfigError. */
export function readNetwork(file: string): Network {
  return networkOf(readToml(file, NetworkFile), file);
}

export function networkOf(content: NetworkFile, file: string): Network {
  const cards = orderedCards(content, file);
  const roster = {
    network: content.name,
    n: content.parties,
    t: content.threshold,
    publicKeys: cards.map(({ publicKey }) => new Uint8Array(Buffer.from(publicKey, 'hex'))),
  };
  const verifyingContract = content.eip712.decryptionContract.toLowerCase();
  const { gatewayChainId } = content.eip712;
  const agreed = [
    ...[LABELS.networkDigest, content.name, content.parties, content.threshold, gatewayChainId, verifyingContract],
    ...cards.map(({ publicKey, signer }) => [publicKey, signer.toLowerCase()]),
  ];
  return {
    roster,
    cards,
    domain: { chainId: gatewayChainId, verifyingContract: `0x${verifyingContract.slice(2)}` },
    digest: createHash('sha256').update(JSON.stringify(agreed)).digest('hex'),
  };
}

function orderedCards({ name, parties, threshold, cards }: NetworkFile, file: string): Card[] {
  const refuse = (field: string, message: string) =>
    new ConfigError('CONFIG_ROSTER', { file, field, message: `${field}: ${message}` });
  if (parties < 3 * threshold + 1) {
    throw refuse('threshold', `${parties} parties tolerate at most ${Math.floor((parties - 1) / 3)} (n >= 3t+1)`);
  }
  const byParty = new Map<number, Card>();
  for (const [index, card] of cards.entries()) {
    const field = `cards.${index}`;
    if (card.network !== name) throw refuse(field, `card of network "${card.network}", want "${name}"`);
    if (card.party > parties) throw refuse(field, `party ${card.party} of ${parties}`);
    if (byParty.has(card.party)) throw refuse(field, `second card of party ${card.party}`);
    const twin = [...byParty.values()].find((other) => other.publicKey === card.publicKey || sameSigner(other, card));
    if (twin) throw refuse(field, `party ${card.party} has a key of party ${twin.party}`);
    requireSigned(card, file, field);
    byParty.set(card.party, card);
  }
  const ordered = Array.from({ length: parties }, (_, index) => byParty.get(index + 1));
  const missing = ordered.flatMap((card, index) => (card ? [] : [index + 1]));
  if (missing.length > 0) {
    throw refuse('cards', `no card of party ${missing.join(', ')}; add it with keyquorum card add`);
  }
  return ordered.filter((card) => card !== undefined);
}

function sameSigner(one: Card, other: Card): boolean {
  return one.signer.toLowerCase() === other.signer.toLowerCase();
}

/** Peers that must be connected besides oneself before requests can succeed. */
export function peersNeeded(roster: Roster): number {
  return quorumOf(roster) - 1;
}

/**
 * The name under which parties greet each other: any difference in network.toml keeps them apart. The transport allows
 * 32 characters, which leaves 116 bits of the digest.
 */
export function greetingName({ digest }: Network): string {
  return `kq-${digest.slice(0, 29)}`;
}

/** First 8 characters, for people who compare two nodes. */
export function shortDigest(network: Network): string {
  return network.digest.slice(0, 8);
}
