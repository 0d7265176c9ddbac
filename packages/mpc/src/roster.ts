/**
 * Who takes part. The roster is fixed for an epoch: the degree t and the evaluation points never change, whoever is
 * silent or proven corrupt (SPEC R3).
 */
import type { PartyId } from './transport.ts';

export interface Roster {
  /** Name of the network; part of every signature, so that two networks never accept each other's messages. */
  readonly network: string;
  /** Number of parties, 4..15. */
  readonly n: number;
  /** Largest number of corrupt parties, 1..floor((n-1)/3). */
  readonly t: number;
  /** Raw 32-byte Ed25519 public keys; index 0 belongs to party 1. */
  readonly publicKeys: readonly Uint8Array[];
}

/** Parties 1..n in order. */
export function partiesOf(roster: Roster): PartyId[] {
  return Array.from({ length: roster.n }, (_, index) => index + 1);
}

/**
 * Number of distinct signers whose agreement is unique: any two such quorums share an honest party. 2t+1 for n = 3t+1,
 * ceil((n+t+1)/2) in general (SPEC R4).
 */
export function quorumOf(roster: Roster): number {
  return Math.ceil((roster.n + roster.t + 1) / 2);
}
