/**
 * Counts the signed answers of the nodes of one request: pure state, no clock and no network. With at most t corrupt
 * nodes, a result that t+1 nodes signed was signed by an honest one, and honest nodes only sign the right result.
 */
import type { FaultReport, NodeAnswer, NodeVerdict, PlainValue } from './contract.ts';
import type { Outcome } from './conversation.ts';

/** A result of t+1 or more nodes. */
export interface Agreement {
  readonly values: readonly PlainValue[];
  readonly abiEncoded: string;
  /** In party order. */
  readonly signatures: readonly { readonly party: number; readonly signer: string; readonly signature: string }[];
}

export interface NamedFault {
  readonly party: number;
  readonly kind: string;
  readonly reportedBy: readonly number[];
}

interface Vote {
  readonly outcome: Outcome<NodeAnswer>;
  readonly ms: number;
}

export interface Ballot {
  /** Records the one outcome of a party; the first counts. `ms`: since the request was sent. */
  record(party: number, outcome: Outcome<NodeAnswer>, ms: number): void;
  /** The result that t+1 nodes signed, with all signatures under it so far. */
  agreement(): Agreement | undefined;
  /** Whether the parties that have not spoken could still bring about an agreement. */
  open(): boolean;
  verdicts(): NodeVerdict[];
  /** Faults that at least t+1 agreeing nodes report. */
  faults(): NamedFault[];
}

/** Equal results have equal keys: what was signed and what it is said to mean. */
function resultKey({ abiEncoded, values }: NodeAnswer): string {
  return JSON.stringify([abiEncoded, values.map(({ handle, fheType, value }) => [handle, fheType, value])]);
}

export function createBallot(parties: readonly number[], threshold: number): Ballot {
  const votes = new Map<number, Vote>();
  const quorum = threshold + 1;

  /** Groups parties by a key of their outcome, each group in party order. */
  function groups(keyOf: (outcome: Outcome<NodeAnswer>) => string | undefined): Map<string, number[]> {
    const found = new Map<string, number[]>();
    for (const party of parties) {
      const vote = votes.get(party);
      const key = vote && keyOf(vote.outcome);
      if (key !== undefined) found.set(key, [...(found.get(key) ?? []), party]);
    }
    return found;
  }

  function answerOf(party: number): NodeAnswer {
    const outcome = votes.get(party)?.outcome;
    if (outcome?.kind !== 'answered') throw new Error(`party ${party} has not answered`);
    return outcome.answer;
  }

  /** The parties behind the result that most signed. */
  function largest(): readonly number[] {
    const answers = groups((outcome) => (outcome.kind === 'answered' ? resultKey(outcome.answer) : undefined));
    return [...answers.values()].reduce((most, group) => (group.length > most.length ? group : most), []);
  }

  /** Parties that signed the result of t+1; empty before. */
  function majority(): readonly number[] {
    const group = largest();
    return group.length >= quorum ? group : [];
  }

  function verdictOf(party: number, agreeing: readonly number[]): NodeVerdict {
    const vote = votes.get(party);
    if (!vote) return { party, verdict: 'pending' };
    const { outcome, ms } = vote;
    if (outcome.kind !== 'answered') return { party, verdict: outcome.kind, reason: outcome.reason, ms };
    if (agreeing.length === 0) return { party, verdict: 'answered', ms };
    if (agreeing.includes(party)) return { party, verdict: 'agreed', ms };
    return { party, verdict: 'wrong', reason: 'signed another result', ms };
  }

  return {
    record(party, outcome, ms) {
      if (!parties.includes(party)) throw new RangeError(`ballot: party ${party} is not one of ${parties.join(', ')}`);
      if (!votes.has(party)) votes.set(party, { outcome, ms });
    },
    agreement() {
      const agreeing = majority();
      const [first] = agreeing;
      if (first === undefined) return undefined;
      const { values, abiEncoded } = answerOf(first);
      const signatures = agreeing.map((party) => {
        const { signer, signature } = answerOf(party);
        return { party, signer, signature };
      });
      return { values, abiEncoded, signatures };
    },
    open: () => largest().length + parties.length - votes.size >= quorum,
    verdicts() {
      const agreeing = majority();
      return parties.map((party) => verdictOf(party, agreeing));
    },
    faults: () =>
      namedFaults(
        majority().map((party) => [party, answerOf(party).faults ?? []]),
        quorum,
      ),
  };
}

function namedFaults(reports: readonly (readonly [number, readonly FaultReport[]])[], quorum: number): NamedFault[] {
  const named = new Map<string, { party: number; kind: string; reporters: Set<number> }>();
  for (const [reporter, faults] of reports) {
    for (const { party, kind } of faults) {
      const key = `${party} ${kind}`;
      const entry = named.get(key) ?? { party, kind, reporters: new Set<number>() };
      entry.reporters.add(reporter); // a set: one node naming a party twice is still one reporter
      named.set(key, entry);
    }
  }
  return [...named.values()]
    .filter(({ reporters }) => reporters.size >= quorum)
    .map(({ party, kind, reporters }) => ({ party, kind, reportedBy: [...reporters] }))
    .sort((left, right) => left.party - right.party);
}
