/** One party's runtime: what a long-lived service of a node holds, and what the simulator makes n of. */
import type { Kernel } from '@keyquorum/kernel/kernel';
import type { Roster } from './roster.ts';
import type { Clock, Fault, Journal, Session, Signer } from './session.ts';
import type { PartyId, SessionId, Transport } from './transport.ts';

export type PeerState = 'up' | 'down' | 'restarted';

export interface Party {
  readonly roster: Roster;
  readonly self: PartyId;
  readonly kernel: Kernel;
  readonly clock: Clock;
  readonly journal: Journal;
  readonly signer: Signer;
  readonly transport: Transport;
  random(bytes: number): Uint8Array;
  /**
   * Opens a session. Messages that arrived early are delivered now. Opening an id that is open or was closed in this
   * process throws: a session id is used once.
   */
  open(id: SessionId, options?: { signal?: AbortSignal; onFault?: (fault: Fault) => void }): Session;
  /** Starts the transport. Messages that arrive before their session is opened wait for it. */
  start(): Promise<void>;
  /** Closes every session and stops the transport. */
  stop(): Promise<void>;
  /** Calls back when a link goes up or down, or a peer comes back without its memory. Returns the way to stop that. */
  onPeer(listener: (peer: PartyId, state: PeerState) => void): () => void;
  /** The parties with a working link, in order. */
  connected(): PartyId[];
}
