/** What became of every node of one request, and why no result can come of it: pure state, no clock, no network. */
import type { NodeVerdict } from './contract.ts';
import type { Outcome } from './conversation.ts';
import { ClientError } from './errors.ts';

export interface Votes<T> {
  /** Records the one outcome of a party; the first counts. `ms`: since the request was sent. */
  record(party: number, outcome: Outcome<T>, ms: number): void;
  has(party: number): boolean;
  /** In party order. */
  answers(): { readonly party: number; readonly answer: T }[];
  /** How many parties have not spoken. */
  open(): number;
  /** @param judge what the answer of a party is worth by now */
  verdicts(judge: (party: number) => Pick<NodeVerdict, 'verdict' | 'reason'>): NodeVerdict[];
}

export function createVotes<T>(parties: readonly number[]): Votes<T> {
  const votes = new Map<number, { readonly outcome: Outcome<T>; readonly ms: number }>();
  return {
    record(party, outcome, ms) {
      if (!parties.includes(party)) throw new RangeError(`votes: party ${party} is not one of ${parties.join(', ')}`);
      if (!votes.has(party)) votes.set(party, { outcome, ms });
    },
    has: (party) => votes.has(party),
    answers() {
      return parties.flatMap((party) => {
        const outcome = votes.get(party)?.outcome;
        return outcome?.kind === 'answered' ? [{ party, answer: outcome.answer }] : [];
      });
    },
    open: () => parties.length - votes.size,
    verdicts(judge) {
      return parties.map((party) => {
        const vote = votes.get(party);
        if (!vote) return { party, verdict: 'pending' };
        const { outcome, ms } = vote;
        if (outcome.kind !== 'answered') return { party, verdict: outcome.kind, reason: outcome.reason, ms };
        return { party, ...judge(party), ms };
      });
    },
  };
}

export interface Missed {
  readonly threshold: number;
  /** What would have been a result, in words. */
  readonly wanted: string;
  readonly signal?: AbortSignal | undefined;
}

/** Why there is no result, when these verdicts are all that counts. */
export function noResult(verdicts: readonly NodeVerdict[], { threshold, wanted, signal }: Missed): ClientError {
  if (signal?.aborted) return new ClientError('ABORTED', 'stopped before enough nodes had answered');
  const codes = verdicts.flatMap(({ verdict, reason }) => (verdict === 'refused' && reason ? [reason] : []));
  // t+1 parties with the same reason: an honest one is among them.
  const nodeCode = codes.find((code) => codes.filter((other) => other === code).length > threshold);
  if (nodeCode !== undefined) {
    const message = `${threshold + 1} or more nodes refused with ${nodeCode}`;
    return new ClientError('REQUEST_REFUSED', message, { nodeCode });
  }
  const said = verdicts.map(({ party, verdict, reason }) => `${party} ${verdict}${reason ? ` (${reason})` : ''}`);
  return new ClientError('ANSWERS_TOO_FEW', `want ${wanted}; parties: ${said.join(', ')}`);
}
