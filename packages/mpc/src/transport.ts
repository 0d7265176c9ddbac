/**
 * What a party needs from the network, and nothing more. Two implementations exist: the libp2p mesh (`@keyquorum/p2p`)
 * and the deterministic simulator (`simulate/`). Everything above this interface is the same code in both.
 */

/** 1-based index of a party in the roster; also its evaluation point (docs/protocols/sharing.md). 1..15. */
export type PartyId = number;

/** Hex string of 32 bytes: 64 lower-case characters. Names one run of one protocol. */
export type SessionId = string;

/**
 * One message of one session. `tag` names the step of the protocol (printable ASCII, at most 96 characters), so the key
 * (session, sender, tag) names exactly one message ever. The sender is never a field: the link proves it.
 */
export interface Envelope {
  readonly session: SessionId;
  readonly tag: string;
  readonly body: Uint8Array;
}

/** Longest body of one envelope. Larger payloads are split by the protocol into chunks of at most this size. */
export const ENVELOPE_BODY_BYTES_MAX = 8 * 1024 * 1024;
export const TAG_LENGTH_MAX = 96;

export interface TransportEvents {
  /**
   * `envelope.body` belongs to the receiver. Each (sender, session, tag) arrives once; the order of different envelopes
   * is not promised (short ones may overtake long ones). Must not throw.
   */
  onEnvelope(from: PartyId, envelope: Envelope): void;
  /** The link to `peer` came up or went down. `restarted`: the peer lost its memory since we last spoke. */
  onPeer(peer: PartyId, state: 'up' | 'down' | 'restarted'): void;
}

/** A named request/response exchange for control traffic (pulling missing values, boot queries, status). */
export interface Exchange {
  readonly name: string;
  readonly requestBytesMax: number;
  readonly responseBytesMax: number;
}

export interface Transport {
  readonly self: PartyId;
  /** Attaches the one receiver; called once, before the first message is delivered. */
  start(events: TransportEvents): Promise<void>;
  /**
   * Queues one envelope. It is delivered exactly once while both processes live, across reconnects. Never blocks and
   * never throws for a slow or absent peer: beyond the per-peer bound the link is failed, its queue dropped, and
   * `onPeer(peer, 'down')` tells it.
   */
  send(to: PartyId, envelope: Envelope): void;
  /** Bytes queued for a peer and not yet acknowledged; bulk senders wait on `drained` while this is large. */
  queuedBytes(to: PartyId): number;
  /** Resolves when at most `bytes` are queued for the peer, or the link is down. */
  drained(to: PartyId, bytes: number): Promise<void>;
  isUp(peer: PartyId): boolean;
  /** Asks one peer. Rejects with TransportError when the peer is away, refuses, answers too much, or `signal` fires. */
  request(to: PartyId, exchange: Exchange, body: Uint8Array, signal: AbortSignal): Promise<Uint8Array>;
  /** Registers the answer to an exchange. A throw is told to the asker as a refusal without details. */
  serve(exchange: Exchange, handler: (from: PartyId, body: Uint8Array) => Promise<Uint8Array>): void;
  stop(): Promise<void>;
}

export type TransportErrorCode =
  | 'PEER_DOWN' //      no link to the peer: it is down, restarting, or the network is cut
  | 'PEER_REFUSED' //   the peer answered with a refusal
  | 'PEER_TIMEOUT' //   no answer before the signal fired
  | 'PEER_OVERSIZE'; // the peer sent more than the exchange allows

/** A network exchange that did not succeed. Says nothing about guilt: silence is never evidence. */
export class TransportError extends Error {
  override readonly name = 'TransportError';
  readonly code: TransportErrorCode;
  readonly peer: PartyId;
  constructor(code: TransportErrorCode, peer: PartyId, message: string) {
    super(message);
    this.code = code;
    this.peer = peer;
  }
}
