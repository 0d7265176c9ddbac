/** What a mesh is told when it is built, what it reports, and its limits. Every limit has a reason. */
import type { PartyId } from '@keyquorum/mpc/transport';
import type { AskerStats } from './asker.ts';
import type { LaneStats } from './lane.ts';

export interface MeshPeer {
  readonly party: PartyId;
  /** Raw Ed25519 public key, 32 bytes. */
  readonly publicKey: Uint8Array;
  /** Multiaddr without peer id, such as /ip4/10.0.0.7/tcp/4001. Dialed only when `party` is above our own number. */
  readonly address: string;
}

export interface MeshLimits {
  /** Bytes queued and unacknowledged per peer before the link is failed: eight of the largest envelopes. */
  readonly queuedBytesMax: number;
  /** A peer that sends no byte for this long is taken for frozen. */
  readonly silenceMsMax: number;
  /** Heartbeat interval; a few must fit into silenceMsMax. */
  readonly pingIntervalMs: number;
  /** First and longest delay before dialing again; doubled in between, each times a random factor in 0.5..1.5. */
  readonly redialMsMin: number;
  readonly redialMsMax: number;
  readonly dialMsMax: number;
  /** Exchanges running at once per peer and direction; more requests of ours wait, more of the peer's fail. */
  readonly exchangesMax: number;
  /** Time a peer has to deliver the body of a request it began. */
  readonly exchangeReadMsMax: number;
  /** A stream of ours that carried no exchange for this long is given up. */
  readonly exchangeIdleMsMax: number;
}

export const DEFAULT_LIMITS: MeshLimits = {
  queuedBytesMax: 64 * 1024 * 1024,
  silenceMsMax: 5_000,
  pingIntervalMs: 500,
  redialMsMin: 50,
  redialMsMax: 2_000,
  dialMsMax: 3_000,
  exchangesMax: 16,
  exchangeReadMsMax: 10_000,
  exchangeIdleMsMax: 300_000,
};

/** For the operator's log. Texts hold party numbers, addresses and sizes, never bodies or keys. */
export type MeshEvent =
  | { readonly kind: 'listening'; readonly addresses: readonly string[] }
  | { readonly kind: 'up'; readonly peer: PartyId }
  | { readonly kind: 'down'; readonly peer: PartyId; readonly reason: string }
  | { readonly kind: 'restarted'; readonly peer: PartyId }
  /** The peer is configured differently; the link stays refused until one side is corrected. Told once per text. */
  | { readonly kind: 'configuration-mismatch'; readonly peer: PartyId; readonly reason: string }
  /** The peer broke the frame layout. */
  | { readonly kind: 'violation'; readonly peer: PartyId; readonly reason: string }
  /** The peer took too little for too long; its queue was dropped. */
  | { readonly kind: 'overflow'; readonly peer: PartyId; readonly queuedBytes: number }
  | { readonly kind: 'dial-failed'; readonly peer: PartyId; readonly attempt: number; readonly reason: string }
  /** The gater turned a connection away; `peerId` is proven by Noise. */
  | { readonly kind: 'refused'; readonly peerId: string; readonly reason: string }
  /** A handler of ours threw or answered too much; the asker saw a refusal. */
  | { readonly kind: 'exchange-refused'; readonly peer: PartyId; readonly reason: string }
  /** Our own code above the transport threw: a bug to report, the link goes on. */
  | { readonly kind: 'receiver-failed'; readonly peer: PartyId; readonly reason: string };

export interface MeshOptions {
  /** Name of the network, [a-z0-9-]{1,32}. Parties of different networks refuse each other. */
  readonly network: string;
  readonly self: PartyId;
  /** Ed25519 seed, 32 bytes. */
  readonly secretKey: Uint8Array;
  /** Multiaddr to listen on, such as /ip4/127.0.0.1/tcp/4001. */
  readonly listen: string;
  /** All other parties. */
  readonly peers: readonly MeshPeer[];
  readonly limits?: Partial<MeshLimits>;
  readonly onEvent?: (event: MeshEvent) => void;
  /** Random bytes for link epochs and redial jitter; default node:crypto. */
  readonly random?: (bytes: number) => Uint8Array;
}

export interface PeerStats {
  readonly party: PartyId;
  readonly up: boolean;
  /** Latest heartbeat round trip on the control lane. */
  readonly roundTripMs: number | undefined;
  readonly control: LaneStats;
  readonly bulk: LaneStats;
  /** Our requests to the peer. */
  readonly requests: AskerStats;
  /** Times the link came up again after it was lost. */
  readonly reconnects: number;
}

/** Thrown by createMesh: the configuration cannot work. The message names the field. */
export class MeshConfigError extends Error {
  override readonly name = 'MeshConfigError';
}
