/** Why a step of a closed session did not end: somebody is missing, or somebody lied. */
import type { PartyId } from '@keyquorum/mpc/transport';
import type { SignedShares } from './signed-shares.ts';

/** Shares or signatures are missing at the deadline. Silence is not proof of anything. */
export class StalledOpening extends Error {
  override readonly name = 'StalledOpening';
  readonly code = 'OPENING_STALLED';
  /** Tag of the step. */
  readonly tag: string;
  /** Parties that did not answer. */
  readonly absent: readonly PartyId[];
  constructor(tag: string, absent: readonly PartyId[]) {
    super(`${tag}: no answer of ${absent.map((party) => `party ${party}`).join(', ')} in time`);
    this.tag = tag;
    this.absent = absent;
  }
}

/** All shares are there and somebody lied: burn the session to learn who. */
export class InconsistentOpening extends Error {
  override readonly name = 'InconsistentOpening';
  readonly code = 'OPENING_INCONSISTENT';
  /** Tag of the step. */
  readonly tag: string;
  /** The signed messages, as evidence. */
  readonly shares: SignedShares;
  constructor(message: string, { tag, shares }: { tag: string; shares: SignedShares }) {
    super(message);
    this.tag = tag;
    this.shares = shares;
  }
}
