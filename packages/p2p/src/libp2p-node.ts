/**
 * The libp2p node under the mesh: TCP, Noise, yamux and nothing else (docs/protocols/transport.md, "Node").
 * No discovery, no identify, no DHT: addresses and identities come from the configuration, and the gater admits
 * connections only from parties that dial us and to parties we dial.
 */
import { generateKeyPairFromSeed, publicKeyFromRaw } from '@libp2p/crypto/keys';
import type { Connection, PeerId } from '@libp2p/interface';
import { peerIdFromPublicKey } from '@libp2p/peer-id';
import { tcp } from '@libp2p/tcp';
import { yamux } from '@libp2p/yamux';
import { createLibp2p, type Libp2p } from 'libp2p';
import { noiseEncrypter } from './noise-encrypter.ts';

const MIB = 1024 * 1024;
/** Two lanes, one overlap each while a lost connection is replaced, and as many again for slow closing. */
const CONNECTIONS_PER_PEER_MAX = 8;

export type Admission = { readonly admitted: true } | { readonly admitted: false; readonly reason: string };

export interface NodeOptions {
  readonly secretKey: Uint8Array;
  readonly listen: string;
  readonly peerCount: number;
  readonly dialMsMax: number;
  readonly exchangesMax: number;
  /** Decides from the proven identity; `direction` as seen from here. */
  readonly admit: (peerId: string, direction: 'inbound' | 'outbound') => Admission;
  readonly onRefused: (peerId: string, reason: string) => void;
}

export function peerIdOf(publicKey: Uint8Array): PeerId {
  return peerIdFromPublicKey(publicKeyFromRaw(publicKey));
}

/** Creates and starts the node. Rejects when the address cannot be listened on. */
export async function createNode(options: NodeOptions): Promise<Libp2p> {
  const privateKey = await generateKeyPairFromSeed('Ed25519', options.secretKey);
  const connectionsOf = (peerId: PeerId): Connection[] => node?.getConnections(peerId) ?? [];
  const denies = (peerId: PeerId, direction: 'inbound' | 'outbound'): boolean => {
    const verdict = options.admit(peerId.toString(), direction);
    const crowded = connectionsOf(peerId).length >= CONNECTIONS_PER_PEER_MAX;
    if (verdict.admitted && !crowded) return false;
    options.onRefused(peerId.toString(), verdict.admitted ? 'too many connections' : verdict.reason);
    return true;
  };
  let node: Libp2p | undefined;
  node = await createLibp2p({
    privateKey,
    addresses: { listen: [options.listen] },
    transports: [tcp()],
    connectionEncrypters: [noiseEncrypter()],
    streamMuxers: [yamux(yamuxOptions(options.exchangesMax))],
    connectionGater: {
      denyDialPeer: (peerId) => denies(peerId, 'outbound'),
      denyInboundEncryptedConnection: (peerId) => denies(peerId, 'inbound'),
      denyOutboundEncryptedConnection: (peerId) => denies(peerId, 'outbound'),
    },
    connectionManager: {
      maxConnections: CONNECTIONS_PER_PEER_MAX * (options.peerCount + 1), // the gater's bound per peer bites first
      inboundConnectionThreshold: 1000, // per second and HOST: all parties may run on one, and reconnect together
      maxIncomingPendingConnections: 100,
      reconnectRetries: 0, // the links dial again themselves
      dialTimeout: options.dialMsMax,
    },
    connectionMonitor: { enabled: false }, // opens a stream per ping; the lanes have heartbeats of their own
  });
  return node;
}

function yamuxOptions(exchangesMax: number) {
  return {
    maxInboundStreams: 64 + 8 * exchangesMax,
    maxOutboundStreams: 64 + 8 * exchangesMax,
    keepAliveInterval: 5_000, // measures the round trip the window growth depends on
    streamOptions: {
      initialStreamWindowSize: MIB,
      maxStreamWindowSize: 4 * MIB,
      maxReadBufferLength: 6 * MIB, // must exceed the window, or a paused stream is aborted
      maxWriteBufferLength: 32 * MIB, // safety net far above what a lane hands over before it waits for drain
    },
  };
}
