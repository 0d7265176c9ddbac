/** Collects the opened answers to one user decryption, and decides as soon as there is something to decide. */
import { fheTypeName, fheTypeOfId } from '@keyquorum/tfhe/fhe-type';
import { WireError } from '@keyquorum/wire/error';
import { type Combination, combineResponses, type OpenedResponse } from '@keyquorum/wire/user-decryption';
import type { Committee } from './committee.ts';
import type { NodeVerdict } from './contract.ts';
import type { Outcome } from './conversation.ts';
import { ClientError } from './errors.ts';
import { deferred } from './timing.ts';
import { createVotes, noResult } from './votes.ts';

export interface DecryptedValue {
  readonly handle: string;
  /** Like 'bool', 'uint64'; 'uint160' for addresses. */
  readonly fheType: string;
  /** bool is 0 or 1, addresses are 160-bit integers. */
  readonly value: bigint;
}

export interface UserDecryptionReport {
  readonly requestId: string;
  readonly state: 'pending' | 'succeeded' | 'failed';
  readonly nodes: NodeVerdict[];
  readonly error?: { readonly code: string; readonly message: string };
}

export interface Hearing {
  /** The values, in request order. Rejects with ClientError. */
  readonly agreed: Promise<readonly DecryptedValue[]>;
  /** Ends it with a bug of ours. */
  fail(error: unknown): void;
  /** Records the one outcome of a party; the first counts. `ms`: since the request was sent. */
  record(party: number, outcome: Outcome<OpenedResponse>, ms: number): void;
  has(party: number): boolean;
  report(): UserDecryptionReport;
  /** The shares are as secret as the values. */
  erase(): void;
}

export interface HeardRequest {
  readonly requestId: string;
  readonly ciphertexts: readonly { readonly handle: string }[];
}

export function createHearing(
  { nodes, threshold }: Committee,
  request: HeardRequest,
  signal: AbortSignal | undefined,
): Hearing {
  const votes = createVotes<OpenedResponse>(nodes.map(({ party }) => party));
  const agreed = deferred<readonly DecryptedValue[]>();
  agreed.promise.catch(() => {}); // a caller may look at the report only
  let combination: Combination | undefined;
  let failure: ClientError | undefined;

  const opened = () => votes.answers().map(({ answer }) => answer);

  function settle(): void {
    if (failure) return;
    try {
      combination = combineResponses(opened(), threshold) ?? combination;
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      failure = new ClientError('VALUE_UNREADABLE', error.message, { cause: error });
    }
    if (combination) agreed.resolve(valuesOf(request, combination));
    else failure ??= failureOf();
    if (failure) agreed.reject(failure);
  }

  /** Why no values can come any more, or undefined while they can. */
  function failureOf(): ClientError | undefined {
    const open = votes.open();
    if (open > 0 && votes.answers().length + open >= 2 * threshold + 1) return undefined;
    return noResult(verdicts(), { threshold, wanted: `${2 * threshold + 1} shares that agree`, signal });
  }

  function verdicts(): NodeVerdict[] {
    return votes.verdicts((party) => {
      if (combination?.wrong.includes(party)) return { verdict: 'wrong', reason: 'share of another value' };
      return { verdict: combination ? 'agreed' : 'answered' };
    });
  }

  return {
    agreed: agreed.promise,
    fail: agreed.reject,
    has: votes.has,
    record(party, outcome, ms) {
      votes.record(party, outcome, ms);
      settle();
    },
    report() {
      const { requestId } = request;
      const state = combination ? 'succeeded' : failure ? 'failed' : 'pending';
      const error = failure && { code: failure.nodeCode ?? failure.code, message: failure.message };
      return { requestId, state, nodes: verdicts(), ...(error && { error }) };
    },
    erase() {
      for (const { values } of opened()) for (const { elements } of values) elements.fill(0);
    },
  };
}

function valuesOf({ ciphertexts }: HeardRequest, { values }: Combination): DecryptedValue[] {
  return values.map(({ fheType, value }, index) => {
    const type = fheTypeOfId(fheType);
    if (type === undefined) throw new Error(`FHE type ${fheType} passed the reader`); // it knows eight types
    return { handle: ciphertexts[index]?.handle ?? '', fheType: fheTypeName(type), value };
  });
}
