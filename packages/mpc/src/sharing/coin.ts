/**
 * Public coins (SPEC R8, O6; docs/protocols/sharing.md): PRSS nibbles that nobody knows until one honest party sends
 * its share. So a share leaves only against a certificate that what the coin will judge can no longer change, and what
 * was certified is part of the coin: the same coin is never tossed for two sets of data. One round, degree t.
 */
import type { Gf16 } from '@keyquorum/kernel/batch';
import type { Kernel } from '@keyquorum/kernel/kernel';
import { type Certificate, verifyCertificate } from '../agreement/certificate.ts';
import { toHex } from '../bytes.ts';
import type { Prss } from '../prss/prss.ts';
import { quorumOf } from '../roster.ts';
import type { Subject } from '../runtime/statement.ts';
import type { Session } from '../session.ts';
import type { PartyId } from '../transport.ts';
import { openShares } from './algebra.ts';
import { openRobust } from './robust.ts';

export interface CoinRequest {
  /** Names the coin within the session; one coin per tag. */
  readonly tag: string;
  /** Nibbles: 4 bits of challenge each. */
  readonly count: number;
  /** What must be fixed before, and the proof that it is. */
  readonly fixed: Subject;
  readonly certificate: Certificate;
  /** Signatures wanted; by default the quorum that makes `fixed` unique. */
  readonly quorum?: number;
  readonly deadlineMs?: number;
}

/** A coin was asked for before its data was proven to be fixed. Nothing was sent. */
export class CoinError extends Error {
  override readonly name = 'CoinError';
  readonly code = 'COIN_NOT_FIXED';
}

/** Uniform nibbles, equal at all honest parties. @throws CoinError, RobustOpeningError, or the session's reason */
export async function openCoin(session: Session, prss: Prss, request: CoinRequest): Promise<Gf16> {
  const { tag, count, fixed, certificate, deadlineMs, quorum = quorumOf(session.roster) } = request;
  if (!verifyCertificate(session.roster, fixed, certificate, quorum)) {
    throw new CoinError(`${tag}: no certificate of ${quorum} signatures that the data of this coin is fixed`);
  }
  const share = coinShare(prss, { tag, count, fixed });
  return openRobust(session, tag, 'gf16', share, { ...(deadlineMs !== undefined && { deadlineMs }) });
}

/** A party's share of a coin. */
function coinShare(prss: Prss, { tag, count, fixed }: Pick<CoinRequest, 'tag' | 'count' | 'fixed'>): Gf16 {
  return prss.random16(`coin/${tag}/${fixed.length}/${toHex(fixed.digest)}`, count);
}

/** The coin of a session whose keys are known: from the PRSS of any t+1 parties. */
export function recomputeCoin(
  kernel: Kernel,
  prss: ReadonlyMap<PartyId, Prss>,
  request: Pick<CoinRequest, 'tag' | 'count' | 'fixed'>,
): Gf16 {
  const shares = [...prss].map(([party, own]) => [party, coinShare(own, request)] as const);
  return openShares(kernel, 'gf16', shares, shares.length - 1).values;
}
