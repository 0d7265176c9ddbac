/** A party with its real identity and a program of its own: what a stolen node can say to the others. */
import { createMesh } from '@keyquorum/p2p/mesh';
import { readNodeConfig } from '../../src/config/config.ts';
import { greetingName } from '../../src/config/network.ts';
import { readUnlock } from '../../src/config/unlock.ts';
import { loadIdentity } from '../../src/daemon/identity.ts';
import type { DemoNode } from '../../src/setup/demo-network.ts';
import { openStore } from '../../src/store/store.ts';
import { random } from '../folders.ts';

const EXCHANGE = { name: 'public-decryption', requestBytesMax: 2 ** 20, responseBytesMax: 4096 };

export interface CorruptParty {
  /** Sends a forwarded request; the answer of the peer. */
  forward(to: number, text: string): Promise<string>;
  stop(): Promise<void>;
}

/** Resolves when it is connected to party 1. The node itself must be stopped. */
export async function corruptParty({ config: file }: DemoNode): Promise<CorruptParty> {
  const config = readNodeConfig(file);
  const store = await openStore({ path: config.dataPath, unlock: readUnlock(config.unlock, {}), random });
  const { seed } = await loadIdentity(store, config);
  await store.close();
  const mesh = createMesh({
    network: greetingName(config.network),
    self: config.party,
    secretKey: seed,
    listen: config.listen,
    peers: config.network.cards
      .filter(({ party }) => party !== config.party)
      .map(({ party, address, publicKey }) => ({
        party,
        address,
        publicKey: new Uint8Array(Buffer.from(publicKey, 'hex')),
      })),
  });
  await new Promise<void>((resolve, reject) => {
    const onPeer = (peer: number, state: string) => {
      if (peer === 1 && state === 'up') resolve();
    };
    mesh.start({ onEnvelope: () => undefined, onPeer }).catch(reject);
  });
  return {
    async forward(to, text) {
      const answer = await mesh.request(to, EXCHANGE, new TextEncoder().encode(text), AbortSignal.timeout(10_000));
      return new TextDecoder().decode(answer);
    },
    stop: () => mesh.stop(),
  };
}
