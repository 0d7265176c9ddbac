/**
 * What a node remembers of a decryption: JSON in the `requests` table, so that an answer survives the process.
 */
import type { FaultKind } from '@keyquorum/mpc/session';
import Type, { type Static } from 'typebox';
import { Check } from 'typebox/value';
import { ERRORS, type ErrorCode } from '../errors/catalogue.ts';
import { StoreError } from '../store/store-error.ts';
import { Id } from './body.ts';

const FAULT_KINDS: readonly FaultKind[] = [
  'wrong-share',
  'equivocation',
  'malformed',
  'wrong-session',
  'silent',
  'late',
];

export const PlainValue = Type.Object({
  handle: Id,
  fheType: Type.String({ description: 'bool, uint64, int8, ...' }),
  value: Type.String({ description: 'decimal; bool is 0 or 1' }),
});

export const FaultReport = Type.Object({
  party: Type.Integer({ minimum: 1, maximum: 15 }),
  kind: Type.Enum([...FAULT_KINDS]),
});

const Faults = Type.Array(FaultReport, {
  description: 'parties whose message was wrong, late or missing in this request',
});

export const PublicAnswer = Type.Object({
  values: Type.Array(PlainValue),
  abiEncoded: Type.String({ description: 'the values as 32-byte words, hex' }),
  signature: Type.String({ description: 'EIP-712 PublicDecryptVerification, 65 bytes hex' }),
  faults: Faults,
});
export type PublicAnswer = Static<typeof PublicAnswer>;

export const UserAnswer = Type.Object({
  payload: Type.String({ description: 'UserDecryptionResponsePayload: the share, readable by the user only, hex' }),
  signature: Type.String({ description: 'EIP-712 UserDecryptResponseVerification, 65 bytes hex' }),
  extraData: Type.String({ description: 'of the request, hex' }),
  faults: Faults,
});
export type UserAnswer = Static<typeof UserAnswer>;

export const Failure = Type.Object({
  code: Type.Enum(Object.keys(ERRORS) as ErrorCode[]),
  message: Type.String(),
  parties: Type.Array(Type.Integer()),
});
export type Failure = Static<typeof Failure>;

const COMMON = {
  requestId: Id,
  contentHash: Id,
  requester: Type.String(),
  app: Type.String(),
  keyId: Id,
  state: Type.Enum(['pending', 'succeeded', 'failed']),
  createdMs: Type.Number(),
  finishedMs: Type.Optional(Type.Number()),
  failure: Type.Optional(Failure),
};

const PublicRecord = Type.Object({
  ...COMMON,
  kind: Type.Literal('public-decryption'),
  answer: Type.Optional(PublicAnswer),
});
export type PublicRecord = Static<typeof PublicRecord>;

const UserRecord = Type.Object({
  ...COMMON,
  kind: Type.Literal('user-decryption'),
  answer: Type.Optional(UserAnswer),
});
export type UserRecord = Static<typeof UserRecord>;

const RequestRecord = Type.Union([PublicRecord, UserRecord]);
export type RequestRecord = PublicRecord | UserRecord;
export type Answer = PublicAnswer | UserAnswer;

export function encodeRecord(record: RequestRecord): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(record));
}

export function decodeRecord(bytes: Uint8Array): RequestRecord {
  const value: unknown = JSON.parse(new TextDecoder().decode(bytes));
  if (Check(RequestRecord, value)) return value;
  throw new StoreError('STORE_TAMPERED', 'a request record was written by another version of this program');
}
