/** What a party is made of. The node and the simulator each put these together in one place. */
import type { Kernel } from '@keyquorum/kernel/kernel';
import type { Roster } from '../roster.ts';
import type { Clock, Fault, Journal, Signer } from '../session.ts';
import type { PartyId, SessionId, Transport } from '../transport.ts';

export interface PartyModules {
  readonly roster: Roster;
  readonly self: PartyId;
  readonly kernel: Kernel;
  readonly clock: Clock;
  readonly journal: Journal;
  readonly signer: Signer;
  readonly transport: Transport;
  /** Fresh secret randomness in an array of its own (crypto.getRandomValues; seeded in the simulator). */
  random(bytes: number): Uint8Array;
  /** Every fault of every session; without a session when no session could be named. */
  onFault?(fault: Fault, session?: SessionId): void;
}
