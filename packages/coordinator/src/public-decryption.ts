/**
 * Sends one public decryption to all nodes and returns as soon as t+1 of them signed the same result; keeps listening
 * to the others until all have spoken or the deadline, so that it can say who was late, absent or wrong.
 *
 * Promise: with at most t corrupt nodes and n >= 3t+1 the result is right, whatever nodes send. It trusts no node for
 * its availability either: n-t honest nodes that answer in time are enough.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { checkAnswer } from './answer.ts';
import { type Agreement, type Ballot, createBallot, type NamedFault } from './ballot.ts';
import { type Committee, type CommitteeNode, requireCommittee } from './committee.ts';
import type { CoordinatedDecryption, NodeVerdict, PublicDecryptionRequest } from './contract.ts';
import { CoordinationError } from './errors.ts';
import { askNode } from './node-client.ts';

/** Longest head start of the first node: one that is slow or down must not hold up the others. */
const HEAD_START_MS = 100;

export interface CoordinationOptions {
  /** The caller's Authorization header for the nodes. */
  readonly authorization: string;
  /** From now; nodes that are silent until then are late or absent. */
  readonly deadlineMs: number;
  /** Ends everything early. */
  readonly signal?: AbortSignal;
}

export interface Coordination {
  /** The result of t+1 nodes. Rejects with CoordinationError. */
  readonly agreed: Promise<Agreement>;
  /** Resolves when every node has answered or the deadline has passed. */
  readonly finished: Promise<CoordinatedDecryption>;
  /** What is known now. */
  report(): CoordinatedDecryption;
}

export type { Agreement, NamedFault, NodeVerdict };

/** Starts at once. Throws COMMITTEE_INVALID; everything else comes through the promises. */
export function decryptPublic(
  configured: Committee,
  request: PublicDecryptionRequest,
  options: CoordinationOptions,
): Coordination {
  const committee = requireCommittee(configured);
  const ballot = createBallot(
    committee.nodes.map(({ party }) => party),
    committee.threshold,
  );
  const agreed = Promise.withResolvers<Agreement>();
  agreed.promise.catch(() => {}); // a caller may look at `finished` only
  let failure: CoordinationError | undefined;

  function settle(): void {
    const agreement = ballot.agreement();
    if (agreement) agreed.resolve(agreement);
    else failure ??= failureOf(ballot, committee, options.signal);
    if (failure) agreed.reject(failure);
  }

  const report = () => reportOf(request, ballot, failure);
  const asked = askAll(committee, request, options, (party, outcome, ms) => {
    ballot.record(party, outcome, ms);
    settle();
  });
  asked.catch(agreed.reject); // a bug of ours must not leave the caller waiting
  return { agreed: agreed.promise, finished: asked.then(report), report };
}

async function askAll(
  committee: Committee,
  request: PublicDecryptionRequest,
  { authorization, deadlineMs, signal }: CoordinationOptions,
  record: Ballot['record'],
): Promise<void> {
  const body = JSON.stringify(request);
  const deadline = AbortSignal.timeout(deadlineMs);
  const ending = signal ? AbortSignal.any([deadline, signal]) : deadline;
  const sentAt = performance.now();
  const ask = async (node: CommitteeNode, onTried: () => void): Promise<void> => {
    const check = checkAnswer(committee, node, request);
    const outcome = await askNode({ node, request, body, authorization, signal: ending, check, onTried });
    onTried(); // also when the deadline came before any answer
    record(node.party, outcome, Math.round(performance.now() - sentAt));
  };
  const [first, ...others] = inTurn(committee, request);
  if (first === undefined) return;
  const tried = Promise.withResolvers<void>();
  const asked = ask(first, tried.resolve);
  await Promise.race([tried.promise, delay(HEAD_START_MS)]);
  await Promise.all([asked, ...others.map((node) => ask(node, () => undefined))]);
}

/**
 * The nodes, beginning with one that depends on the request. It is asked a moment before the others: the node that is
 * asked first binds one-time material to the request, and several at once would each bind some.
 */
function inTurn({ nodes }: Committee, { requestId }: PublicDecryptionRequest): CommitteeNode[] {
  const start = Number.parseInt(requestId.slice(0, 8), 16) % Math.max(1, nodes.length);
  return [...nodes.slice(start), ...nodes.slice(0, start)];
}

/** Why no agreement can come any more, or undefined while it can. */
function failureOf(ballot: Ballot, { threshold }: Committee, signal?: AbortSignal): CoordinationError | undefined {
  if (ballot.open()) return undefined;
  if (signal?.aborted) return new CoordinationError('STOPPING', 'stopped before enough nodes had answered');
  const refusal = ballot.refusal();
  if (refusal !== undefined) {
    const message = `${threshold + 1} or more nodes refused with ${refusal}`;
    return new CoordinationError('REQUEST_REFUSED', message, refusal);
  }
  const said = ballot
    .verdicts()
    .map(({ party, verdict, reason }) => `${party} ${verdict}${reason ? ` (${reason})` : ''}`);
  return new CoordinationError(
    'ANSWERS_TOO_FEW',
    `want ${threshold + 1} equal signed results; parties: ${said.join(', ')}`,
  );
}

function reportOf(
  { requestId }: PublicDecryptionRequest,
  ballot: Ballot,
  failure: CoordinationError | undefined,
): CoordinatedDecryption {
  const agreement = ballot.agreement();
  const base = { requestId, nodes: ballot.verdicts(), faults: ballot.faults().map(copyFault) };
  if (agreement) {
    const { values, abiEncoded, signatures } = agreement;
    return { ...base, state: 'succeeded', values: [...values], abiEncoded, signatures: [...signatures] };
  }
  const nothing = { values: [], abiEncoded: '', signatures: [] };
  if (!failure) return { ...base, ...nothing, state: 'pending' };
  const error = { code: failure.nodeCode ?? failure.code, message: failure.message };
  return { ...base, ...nothing, state: 'failed', error };
}

function copyFault({ party, kind, reportedBy }: NamedFault) {
  return { party, kind, reportedBy: [...reportedBy] };
}
