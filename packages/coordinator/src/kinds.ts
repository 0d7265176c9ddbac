/** What the kinds of requests differ in: how nodes are asked, and what a report holds. */
import type { Committee } from '@keyquorum/client/committee';
import { decryptPublic } from '@keyquorum/client/public-decryption';
import type { Ask, Failure } from './asking.ts';
import type {
  CoordinatedDecryption,
  CoordinatedUserDecryption,
  PublicDecryptionRequest,
  UserDecryptionRequest,
} from './contract.ts';
import type { LedgerRecord } from './ledger.ts';
import type { RequestModules } from './requests.ts';
import { coordinateSlots } from './slots.ts';
import { coordinateUserDecryption } from './user-decryption.ts';

type Own = 'kind' | 'ask' | 'failed' | 'record' | 'reportOf' | 'openOf';

interface Network {
  readonly committee: Committee;
  /** How long nodes may take for one request. */
  readonly deadlineMs: number;
}

const NOTHING_PUBLIC = { values: [], abiEncoded: '', signatures: [], decryptionProof: '', nodes: [], faults: [] };
const NOTHING_FOR_A_USER = { responses: [], nodes: [] };

export function publicKind({
  committee,
  deadlineMs,
}: Network): Pick<RequestModules<PublicDecryptionRequest, CoordinatedDecryption>, Own> {
  const failed = (requestId: string, error: Failure): CoordinatedDecryption => {
    return { requestId, state: 'failed', ...NOTHING_PUBLIC, error };
  };
  return {
    kind: 'public-decryption',
    failed,
    record: (parts) => ({ kind: 'public-decryption', ...parts }),
    reportOf: (record: LedgerRecord) => (record.kind === 'public-decryption' ? record.report : undefined),
    openOf: (record: LedgerRecord) => (record.kind === 'public-decryption' ? record.open : undefined),
    ask(request, options: Ask) {
      const start = (one: PublicDecryptionRequest, asking: Omit<Ask, 'signal'>) => {
        return decryptPublic(committee, one, { ...options, ...asking, deadlineMs });
      };
      if (!request.slots) return start(request, options);
      return coordinateSlots(request, options, {
        start,
        failed,
        whole: (state, slots) => ({ requestId: request.requestId, state, ...NOTHING_PUBLIC, slots }),
      });
    },
  };
}

export function userKind({
  committee,
  deadlineMs,
}: Network): Pick<RequestModules<UserDecryptionRequest, CoordinatedUserDecryption>, Own> {
  const failed = (requestId: string, error: Failure): CoordinatedUserDecryption => {
    return { requestId, state: 'failed', ...NOTHING_FOR_A_USER, error };
  };
  return {
    kind: 'user-decryption',
    failed,
    record: (parts) => ({ kind: 'user-decryption', ...parts }),
    reportOf: (record: LedgerRecord) => (record.kind === 'user-decryption' ? record.report : undefined),
    openOf: (record: LedgerRecord) => (record.kind === 'user-decryption' ? record.open : undefined),
    ask(request, options: Ask) {
      const start = (one: UserDecryptionRequest, asking: Omit<Ask, 'signal'>) => {
        return coordinateUserDecryption(committee, one, { ...options, ...asking, deadlineMs });
      };
      if (!request.slots) return start(request, options);
      return coordinateSlots(request, options, {
        start,
        failed,
        whole: (state, slots) => ({ requestId: request.requestId, state, ...NOTHING_FOR_A_USER, slots }),
      });
    },
  };
}
