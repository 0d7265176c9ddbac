/**
 * What happens after an inconsistent opening (SPEC R5.5-R5.7; docs/protocols/closed-openings.md, steps U1..U4). The
 * session is given up, and its secrets are shown to everybody, so that everybody can recompute what each party should
 * have sent: all messages of a closed session are functions of its PRSS keys. Nothing of another session is revealed.
 *  U1 everybody shows the signed roots it holds; two of one party prove it corrupt, and nothing needs to be revealed;
 *  U2 everybody that did not sign COMPLETE signs BURN, durably; a quorum of BURN excludes COMPLETE in any network;
 *  U3 everybody reveals its session secrets;
 *  U4 a party whose signed root differs from the recomputed one is proven corrupt.
 * If no quorum forms, the session is abandoned: nothing is revealed and nobody is blamed.
 */

import { decide, decisionSubject } from '@keyquorum/mpc/agreement/decision';
import { type DoubleSignature, doubleSignature, encodeEvidence } from '@keyquorum/mpc/agreement/evidence';
import { equalBytes, sha256 } from '@keyquorum/mpc/bytes';
import { quorumOf } from '@keyquorum/mpc/roster';
import type { Session } from '@keyquorum/mpc/session';
import type { PartyId } from '@keyquorum/mpc/transport';
import { type SignedRoot, type SignedShares, shareSubject } from './signed-shares.ts';
import { openVoteBox } from './vote-box.ts';

export interface Burnable {
  readonly tag: string;
  readonly messageBytes: number;
  readonly shares: SignedShares;
  /** The session secrets this party holds, for everybody. Called only after the BURN certificate. */
  reveal(): Uint8Array;
  readonly revealBytesMax: number;
  /**
   * From all reveals: what `party` should have sent in this step. Undefined when the reveals do not determine it.
   * Reveals of liars must not change what is determined: keys are checked against commitments or by majority.
   */
  recompute(reveals: ReadonlyMap<PartyId, Uint8Array>): (party: PartyId) => Uint8Array | undefined;
  /** Longest wait for each of the steps. */
  readonly stepMs: number;
}

/** One party proven corrupt, with what proves it: two signatures, or a signed root and the recomputed one. */
export interface Proof {
  readonly party: PartyId;
  readonly kind: 'double-signature' | 'wrong-share';
  readonly evidence: Uint8Array;
}

/** Resolves with the parties proven corrupt; none when the session had to be abandoned. */
export async function burn(session: Session, burnable: Burnable): Promise<Proof[]> {
  const doubles = await exchangeRoots(session, burnable); // U1
  if (doubles.length > 0) {
    return doubles.map((evidence) => ({
      party: evidence.party,
      kind: evidence.kind,
      evidence: encodeEvidence(evidence),
    }));
  }
  if (!(await voteBurn(session, burnable))) return []; // U2
  const reveals = await revealAll(session, burnable); // U3
  return compare(burnable, reveals); // U4
}

async function exchangeRoots(
  session: Session,
  { tag, shares, messageBytes, stepMs }: Burnable,
): Promise<DoubleSignature[]> {
  const { clock, signal } = session;
  await Promise.race([shares.show(), clock.until(clock.now() + stepMs, signal)]);
  const signed = ({ digest, signature }: SignedRoot) => ({
    subject: shareSubject(session.id, tag, messageBytes, digest),
    signature,
  });
  return [...shares.conflicts].map(([party, conflict]) =>
    doubleSignature(party, signed(shares.roots.get(party)!), signed(conflict)),
  );
}

async function voteBurn(session: Session, { tag, stepMs }: Burnable): Promise<boolean> {
  const digest = sha256(new TextEncoder().encode(tag));
  if (decide(session.journal, session.id, 'burn', digest) === 'refused') return false;
  await session.journal.sync();
  const votes = openVoteBox(session, `${tag}/burn`, (voted) => decisionSubject(session.id, 'burn', voted));
  votes.cast(digest);
  const late = session.clock.until(session.clock.now() + stepMs, session.signal).then(() => undefined);
  return (await Promise.race([votes.reached(quorumOf(session.roster)), late])) !== undefined;
}

async function revealAll(session: Session, burnable: Burnable): Promise<Map<PartyId, Uint8Array>> {
  const step = `${burnable.tag}/reveal`;
  const mine = burnable.reveal();
  session.sendAll(step, mine);
  const reveals = new Map([[session.self, mine]]);
  const deadlineMs = session.clock.now() + burnable.stepMs;
  for await (const { from, body } of session.receive(step, { bytesMax: burnable.revealBytesMax, deadlineMs })) {
    reveals.set(from, Uint8Array.from(body));
  }
  return reveals;
}

function compare({ shares, recompute }: Burnable, reveals: ReadonlyMap<PartyId, Uint8Array>): Proof[] {
  const messageOf = recompute(reveals);
  const proofs: Proof[] = [];
  for (const [party, root] of shares.roots) {
    const right = messageOf(party);
    if (right === undefined || equalBytes(sha256(right), root.digest)) continue;
    const evidence = new Uint8Array([...root.digest, ...root.signature, ...sha256(right)]);
    proofs.push({ party, kind: 'wrong-share', evidence });
  }
  return proofs;
}
