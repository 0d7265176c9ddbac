/**
 * Sends one public decryption to all nodes and returns as soon as t+1 of them signed the same result; keeps listening
 * to the others until all have spoken or the deadline, so that it can say who was late, absent or wrong.
 *
 * Promise: with at most t corrupt nodes and n >= 3t+1 the result is right, whatever nodes send. It trusts no node for
 * its availability either: n-t honest nodes that answer in time are enough.
 */
import { encodeDecryptionProof } from '@keyquorum/wire/decryption-proof';
import { signedExtraData } from '@keyquorum/wire/extra-data';
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';
import { checkAnswer } from './answer.ts';
import { type AskOptions, askAll } from './ask-all.ts';
import { type Agreement, type Ballot, createBallot, type NamedFault } from './ballot.ts';
import { type Committee, requireCommittee } from './committee.ts';
import { type NodeVerdict, type PlainValue, type PublicDecryptionRequest, readNodeAnswer } from './contract.ts';
import type { Question } from './conversation.ts';
import type { ClientError } from './errors.ts';
import { deferred } from './timing.ts';
import { noResult } from './votes.ts';

/** An answer is at most a few kilobytes per ciphertext (2048-bit plaintexts, hex and decimal) and its frame. */
const ANSWER_BYTES_BASE = 64 * 1024;
const ANSWER_BYTES_PER_CIPHERTEXT = 4 * 1024;

/** What t+1 or more nodes signed, in the form that contracts check, too. */
export interface SignedDecryption extends Agreement {
  /** For `FHE.checkSignatures(handles, abiEncoded, decryptionProof)` and the KMSVerifier contract: hex without 0x. */
  readonly decryptionProof: string;
}

/** What is known about a request: the result, and what became of every node. A copy that the caller owns. */
export interface PublicDecryptionReport {
  readonly requestId: string;
  readonly state: 'pending' | 'succeeded' | 'failed';
  readonly values: PlainValue[];
  readonly abiEncoded: string;
  /** At least t+1 over the same result, in party order. */
  readonly signatures: { readonly party: number; readonly signer: string; readonly signature: string }[];
  /** See `SignedDecryption`; empty without a result. */
  readonly decryptionProof: string;
  readonly nodes: NodeVerdict[];
  /** Named by at least t+1 nodes, so by an honest one. */
  readonly faults: { readonly party: number; readonly kind: string; readonly reportedBy: number[] }[];
  readonly error?: { readonly code: string; readonly message: string };
}

export interface Coordination {
  /** The result of t+1 nodes. Rejects with ClientError. */
  readonly agreed: Promise<SignedDecryption>;
  /** Resolves when every node has answered or the deadline has passed. */
  readonly finished: Promise<PublicDecryptionReport>;
  /** What is known now. */
  report(): PublicDecryptionReport;
}

/** Starts at once. Throws COMMITTEE_INVALID; everything else comes through the promises. */
export function decryptPublic(
  configured: Committee,
  request: PublicDecryptionRequest,
  options: AskOptions,
): Coordination {
  const committee = requireCommittee(configured);
  const ballot = createBallot(
    committee.nodes.map(({ party }) => party),
    committee.threshold,
  );
  const agreed = deferred<SignedDecryption>();
  agreed.promise.catch(() => {}); // a caller may look at `finished` only
  let failure: ClientError | undefined;

  function settle(): void {
    const agreement = ballot.agreement();
    if (agreement) agreed.resolve(withProof(agreement, request));
    else failure ??= failureOf(ballot, committee, options.signal);
    if (failure) agreed.reject(failure);
  }

  const report = () => reportOf(request, ballot, failure);
  const asked = askAll(committee, publicQuestion(request), options, {
    read(node, body) {
      const answer = readNodeAnswer(body);
      checkAnswer(committee, node, request)(answer);
      return answer;
    },
    record(party, outcome, ms) {
      ballot.record(party, outcome, ms);
      settle();
    },
  });
  asked.catch(agreed.reject); // a bug of ours must not leave the caller waiting
  return { agreed: agreed.promise, finished: asked.then(report), report };
}

/** The request as it goes to a node or coordinator. */
export function publicQuestion(request: PublicDecryptionRequest): Omit<Question, 'authorization'> {
  const bytesMax = ANSWER_BYTES_BASE + ANSWER_BYTES_PER_CIPHERTEXT * request.ciphertexts.length;
  const { requestId } = request;
  return { path: '/v1/public-decryptions', requestId, body: JSON.stringify(request), bytesMax };
}

/** Why no agreement can come any more, or undefined while it can. */
function failureOf(ballot: Ballot, { threshold }: Committee, signal?: AbortSignal): ClientError | undefined {
  if (ballot.open()) return undefined;
  const wanted = `${threshold + 1} equal signed results`;
  return noResult(ballot.verdicts(), { threshold, wanted, signal });
}

/** Adds the proof to an agreement on this request. */
export function withProof(agreement: Agreement, { extraData = '' }: PublicDecryptionRequest): SignedDecryption {
  const signatures = agreement.signatures.map(({ signature }) => hexToBytes(signature));
  const proof = encodeDecryptionProof(signatures, signedExtraData(hexToBytes(extraData)));
  return { ...agreement, decryptionProof: bytesToHex(proof) };
}

function reportOf(
  request: PublicDecryptionRequest,
  ballot: Ballot,
  failure: ClientError | undefined,
): PublicDecryptionReport {
  const agreement = ballot.agreement();
  const base = { requestId: request.requestId, nodes: ballot.verdicts(), faults: ballot.faults().map(copyFault) };
  if (agreement) {
    const { values, signatures, ...encoded } = withProof(agreement, request);
    return { ...base, state: 'succeeded', values: [...values], signatures: [...signatures], ...encoded };
  }
  const nothing = { values: [], abiEncoded: '', signatures: [], decryptionProof: '' };
  if (!failure) return { ...base, ...nothing, state: 'pending' };
  const error = { code: failure.nodeCode ?? failure.code, message: failure.message };
  return { ...base, ...nothing, state: 'failed', error };
}

function copyFault({ party, kind, reportedBy }: NamedFault) {
  return { party, kind, reportedBy: [...reportedBy] };
}
