/** Writes `network.toml`: begun by one operator, completed card by card, the same on all nodes at the end. */
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { stringify } from 'smol-toml';
import { requireSigned } from '../config/card.ts';
import { ConfigError } from '../config/config-error.ts';
import { networkOf } from '../config/network.ts';
import { checked, readText, readToml } from '../config/read-toml.ts';
import { Card, NetworkFile } from '../config/schema.ts';

/** Of development networks: a chain id and an address that belong to nobody. */
export const DEMO_DOMAIN = {
  gatewayChainId: 654_321,
  decryptionContract: '0x4444444444444444444444444444444444444444',
} as const;

const COMMENT = '# The network: the same file on all its nodes. Made by keyquorum init and keyquorum card add.\n';

export async function writeNetwork(file: string, network: NetworkFile): Promise<void> {
  const cards = [...network.cards].sort((one, other) => one.party - other.party);
  await writeFile(file, COMMENT + stringify({ ...network, cards }));
}

export async function beginNetwork(file: string, network: Omit<NetworkFile, 'cards'>): Promise<void> {
  if (existsSync(file)) {
    throw new ConfigError('CONFIG_INVALID', { file, field: '', message: 'exists already; add cards to it instead' });
  }
  if (network.parties < 3 * network.threshold + 1) {
    const message = `threshold: ${network.parties} parties tolerate at most ${Math.floor((network.parties - 1) / 3)}`;
    throw new ConfigError('CONFIG_ROSTER', { file, field: 'threshold', message });
  }
  await writeNetwork(file, checked(file, NetworkFile, { ...network, cards: [] }));
}

/** Adds a card file, or replaces the card of that party. Returns the parties whose cards are still missing. */
export async function addCard(file: string, cardFile: string): Promise<number[]> {
  const network = readToml(file, NetworkFile);
  const card = readCard(cardFile);
  if (card.network !== network.name) {
    const message = `network: card of "${card.network}", but ${file} is of "${network.name}"`;
    throw new ConfigError('CONFIG_CARD', { file: cardFile, field: 'network', message });
  }
  const cards = [...network.cards.filter(({ party }) => party !== card.party), card];
  const present = new Set(cards.map(({ party }) => party));
  const missing = Array.from({ length: network.parties }, (_, index) => index + 1).filter((id) => !present.has(id));
  if (missing.length === 0) networkOf({ ...network, cards }, file);
  await writeNetwork(file, { ...network, cards });
  return missing;
}

function readCard(file: string): Card {
  let value: unknown;
  try {
    value = JSON.parse(readText(file));
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    throw new ConfigError('CONFIG_CARD', { file, field: '', message: 'is not JSON' });
  }
  const card = checked(file, Card, value);
  requireSigned(card, file, 'signature');
  return card;
}
