/**
 * What happens after an inconsistent opening (SPEC R5.5-R5.7; docs/protocols/closed-openings.md, steps U1..U4). The
 * session is given up, and its secrets are shown to everybody, so that everybody can recompute what each party should
 * have sent: all messages of a closed session are functions of its PRSS keys. Nothing of another session is revealed.
 *  U1 everybody shows the signed roots it holds; two of one party prove it corrupt, and nothing needs to be revealed;
 *  U2 everybody that did not sign COMPLETE signs BURN, durably; a quorum of BURN excludes COMPLETE in any network;
 *  U3 everybody reveals its session secrets, signed;
 *  U4 a party whose signed root differs from the recomputed one is proven corrupt.
 * Every proof is evidence that convinces also those who were not there (evidence/file.ts). If no quorum forms, the
 * session is abandoned: nothing is revealed and nobody is blamed.
 */

import { decide, decisionSubject } from '@keyquorum/mpc/agreement/decision';
import { doubleSignature } from '@keyquorum/mpc/agreement/evidence';
import { equalBytes, sha256 } from '@keyquorum/mpc/bytes';
import { quorumOf } from '@keyquorum/mpc/roster';
import { SIGNATURE_BYTES, signStatement, verifyStatement } from '@keyquorum/mpc/runtime/statement';
import type { Session } from '@keyquorum/mpc/session';
import type { PartyId } from '@keyquorum/mpc/transport';
import type { CeremonyRoot, ShownSecrets } from '../evidence/file.ts';
import { type Proof, proofOf } from './proof.ts';
import { type Reveals, revealSubject } from './reveals.ts';
import { type SignedRoot, type SignedShares, shareSubject } from './signed-shares.ts';
import { openVoteBox } from './vote-box.ts';

export interface Burnable {
  readonly tag: string;
  /** What was agreed on before the session, for those who read the evidence. */
  readonly ceremony: CeremonyRoot;
  readonly messageBytes: number;
  readonly shares: SignedShares;
  /** The session secrets this party holds, for everybody. Called only after the BURN certificate. */
  reveal(): Uint8Array;
  readonly revealBytesMax: number;
  /**
   * From all reveals: what a party should have sent in this step, and which of the secrets show it. Undefined when the
   * reveals do not determine it. Reveals of liars must not change what is determined: keys are checked against
   * commitments or by majority.
   */
  recompute(reveals: Reveals): (party: PartyId) => RightMessage | undefined;
  /** Longest wait for each of the steps; for U2 four times as long, since others may have to pull the shares first. */
  readonly stepMs: number;
}

export interface RightMessage {
  readonly message: Uint8Array;
  readonly secrets: ShownSecrets;
}

/** Resolves with the parties proven corrupt; none when the session had to be abandoned. */
export async function burn(session: Session, burnable: Burnable): Promise<Proof[]> {
  await exchangeRoots(session, burnable); // U1
  const isBurnt = burnable.shares.conflicts.size === 0 && (await voteBurn(session, burnable)); // U2
  if (burnable.shares.conflicts.size > 0) return doubleSignatures(session, burnable);
  if (!isBurnt) return [];
  const reveals = await revealAll(session, burnable); // U3
  return compare(session, burnable, reveals); // U4
}

/** Ends when somebody is known to have signed two messages, else when all have shown what they hold, or are late. */
async function exchangeRoots({ clock, signal }: Session, { shares, stepMs }: Burnable): Promise<void> {
  await Promise.race([shares.conflict, shares.show(), clock.until(clock.now() + stepMs, signal)]);
}

function doubleSignatures(session: Session, burnable: Burnable): Proof[] {
  const { tag, shares, messageBytes } = burnable;
  const signed = ({ digest, signature }: SignedRoot) => ({
    subject: shareSubject(session.id, tag, messageBytes, digest),
    signature,
  });
  return [...shares.conflicts].map(([party, conflict]) => {
    const value = doubleSignature(party, signed(shares.roots.get(party)!), signed(conflict));
    return proofOf(session.roster, burnable.ceremony, { kind: 'double-signature', value });
  });
}

/** False without a quorum, and when a double signature turns up, which needs none. */
async function voteBurn(session: Session, { tag, shares, stepMs }: Burnable): Promise<boolean> {
  const digest = sha256(new TextEncoder().encode(tag));
  if (decide(session.journal, session.id, 'burn', digest) === 'refused') return false;
  await session.journal.sync();
  const votes = openVoteBox(session, `${tag}/burn`, (voted) => decisionSubject(session.id, 'burn', voted));
  votes.cast(digest);
  const burnt = votes.reached(quorumOf(session.roster)).then(() => true);
  const late = session.clock.until(session.clock.now() + 4 * stepMs, session.signal).then(() => false);
  return Promise.race([burnt, shares.conflict.then(() => false), late]);
}

async function revealAll(session: Session, burnable: Burnable): Promise<Reveals> {
  const { roster, self, id, clock } = session;
  const { tag, revealBytesMax, stepMs } = burnable;
  const step = `${tag}/reveal`;
  const mine = burnable.reveal();
  const signature = signStatement(session, revealSubject(id, tag, mine));
  session.sendAll(step, Buffer.concat([signature, mine]));
  const reveals = new Map([[self, { signature, body: mine }]]);
  const limits = { bytesMax: SIGNATURE_BYTES + revealBytesMax, deadlineMs: clock.now() + stepMs };
  for await (const { from, body: message } of session.receive(step, limits)) {
    const [signature, body] = [message.subarray(0, SIGNATURE_BYTES), message.subarray(SIGNATURE_BYTES)];
    const shown = { signature: Uint8Array.from(signature), body: Uint8Array.from(body) };
    if (verifyStatement(roster, from, revealSubject(id, tag, shown.body), shown.signature)) reveals.set(from, shown);
    else session.report({ party: from, kind: 'malformed', detail: `${step}: bad signature` });
  }
  return reveals;
}

async function compare(session: Session, burnable: Burnable, reveals: Reveals): Promise<Proof[]> {
  const { shares, messageBytes, tag: step, recompute } = burnable;
  const rightOf = recompute(reveals);
  const proofs: Proof[] = [];
  for (const { party, digest, signature } of shares.roots.values()) {
    await session.clock.yield(); // a message of a large committee takes seconds
    const right = rightOf(party);
    if (right === undefined || equalBytes(sha256(right.message), digest)) continue;
    const value = { party, step, length: messageBytes, digest, signature, secrets: right.secrets };
    proofs.push(proofOf(session.roster, burnable.ceremony, { kind: 'wrong-share', value }));
  }
  return proofs;
}
