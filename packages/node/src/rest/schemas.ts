/** Bodies of the REST API: what validates requests, shapes answers and becomes the OpenAPI document. */
import { MAX_BITS } from '@keyquorum/crs/parameters';
import { OBJECT_TYPES } from '@keyquorum/protocols/keygen/objects';
import Type, { type Static } from 'typebox';
import { KeySetName, Purpose } from '../config/schema.ts';
import { Id } from '../requests/body.ts';
import { FaultReport, PlainValue, UserAnswer } from '../requests/record.ts';

const closed = { additionalProperties: false } as const;
const WAIT_SECONDS_MAX = 60;

const Party = Type.Integer({ minimum: 1, maximum: 15 });
const Parties = Type.Array(Party);

export const ErrorDetail = Type.Object({
  code: Type.String({ description: 'one of docs/errors.md' }),
  message: Type.String(),
  requestId: Type.String({ description: 'of the decryption or key, else the id of this HTTP request in the log' }),
  parties: Parties,
  hint: Type.String({ description: 'what to do next' }),
});
export const ErrorBody = Type.Object({ error: ErrorDetail });

export const WaitQuery = Type.Object(
  {
    wait: Type.Optional(
      Type.Number({ minimum: 0, maximum: WAIT_SECONDS_MAX, description: 'seconds to wait for a change of state' }),
    ),
  },
  closed,
);

export const IdParams = Type.Object({ id: Id }, closed);

export const Health = Type.Object({ status: Type.Literal('ok') });

export const Status = Type.Object({
  party: Party,
  parties: Type.Integer(),
  threshold: Type.Integer(),
  network: Type.String(),
  networkDigest: Type.String({ description: 'equal on all nodes, or they refuse each other' }),
  version: Type.String(),
  epoch: Type.Integer({ description: '0 until this node has joined the current epoch' }),
  ready: Type.Boolean(),
  reason: Type.String({ description: 'why it is not ready' }),
  signer: Type.String({ description: 'EIP-55 address whose key signs answers of this node' }),
  eip712: Type.Object({ gatewayChainId: Type.Integer(), decryptionContract: Type.String() }),
  uptimeSeconds: Type.Number(),
  pool: Type.Object({
    available: Type.Integer(),
    target: Type.Integer(),
    batches: Type.Integer(),
    settled: Type.Boolean({ description: 'what this node had used before its restart is known' }),
    refillPerSecond: Type.Number(),
    reason: Type.String(),
  }),
  keys: Type.Array(Type.Object({ id: Id, purpose: Purpose, parameters: KeySetName, epoch: Type.Integer() }), {
    description: 'development keys decrypt anything for known requesters',
  }),
  material: Type.Object({
    objects: Type.Integer({ description: 'public objects of finished keys on this disk' }),
    verified: Type.Integer({ description: 'found whole since the start of the node' }),
    damaged: Type.Array(Type.String(), { description: 'digests; not served until peers gave back what is missing' }),
    s3: Type.Optional(
      Type.Object({
        published: Type.Integer({ description: 'objects that were verified in object storage' }),
        problem: Type.String({ description: 'why publishing fails' }),
      }),
    ),
  }),
  peers: Type.Array(
    Type.Object({
      party: Party,
      up: Type.Boolean(),
      address: Type.String(),
      latencyMs: Type.Union([Type.Number(), Type.Null()]),
      queuedBytes: Type.Integer(),
      reconnects: Type.Integer(),
      problem: Type.String({ description: 'last reason why the link is refused or down' }),
    }),
  ),
  faults: Type.Boolean({ description: 'true when this node was told to misbehave' }),
});
export type Status = Static<typeof Status>;

export const KeyRequest = Type.Object(
  { requestId: Id, parameters: KeySetName, purpose: Type.Optional(Purpose) },
  closed,
);

const CeremonyState = Type.Enum(['pending', 'running', 'succeeded', 'failed', 'aborted']);

export const Accepted = Type.Object({ requestId: Id, state: CeremonyState });

export const KeyBody = Type.Object({
  requestId: Id,
  state: CeremonyState,
  phase: Type.String(),
  done: Type.Number(),
  total: Type.Number(),
  epoch: Type.Integer(),
  purpose: Type.Optional(Purpose),
  parameters: Type.Optional(KeySetName),
  objects: Type.Array(
    Type.Object({
      type: Type.Enum([...OBJECT_TYPES]),
      digest: Type.String({ description: 'SHAKE-256 of PDAT_KEY and the bytes, hex' }),
      size: Type.Integer(),
      uris: Type.Array(Type.String()),
      signature: Type.String({ description: 'EIP-712 KeygenVerification over all digests of this key, hex' }),
    }),
  ),
  error: Type.Optional(ErrorDetail),
});
export type KeyBody = Static<typeof KeyBody>;

export const CrsCall = Type.Object(
  {
    requestId: Id,
    parameters: Type.Optional(KeySetName),
    keyId: Type.Optional(Id),
    maxBits: Type.Optional(
      Type.Integer({ minimum: 1, maximum: MAX_BITS, description: 'most bits in one proof, a power of two' }),
    ),
  },
  { ...closed, description: 'either parameters or keyId, whose parameters are meant' },
);

export const CrsBody = Type.Object({
  requestId: Id,
  state: CeremonyState,
  phase: Type.String(),
  done: Type.Number(),
  total: Type.Number(),
  parameters: Type.Optional(KeySetName),
  maxBits: Type.Optional(Type.Integer()),
  contributors: Type.Array(Party, { description: 'whose secrets are in it: one honest party is enough' }),
  file: Type.Optional(
    Type.Object({
      digest: Type.String({ description: 'SHAKE-256 of PDAT_CRS and the bytes, hex' }),
      size: Type.Integer(),
      uris: Type.Array(Type.String()),
      signature: Type.String({ description: 'EIP-712 CrsgenVerification, hex' }),
    }),
  ),
  transcript: Type.Optional(Type.String({ description: 'URI' })),
  error: Type.Optional(ErrorDetail),
});
export type CrsBody = Static<typeof CrsBody>;

export const DecryptionBody = Type.Object({
  requestId: Id,
  state: Type.Enum(['pending', 'succeeded', 'failed']),
  values: Type.Array(PlainValue),
  abiEncoded: Type.String(),
  signature: Type.String(),
  signer: Type.String(),
  faults: Type.Array(FaultReport),
  error: Type.Optional(ErrorDetail),
});
export type DecryptionBody = Static<typeof DecryptionBody>;

export const UserDecryptionAnswer = Type.Object({
  requestId: Id,
  state: Type.Enum(['pending', 'succeeded', 'failed']),
  ...UserAnswer.properties,
  error: Type.Optional(ErrorDetail),
});
export type UserDecryptionAnswer = Static<typeof UserDecryptionAnswer>;

export const CeremonyBody = Type.Object({
  id: Id,
  kind: Type.Enum(['epoch', 'keygen', 'preprocessing', 'crs']),
  state: CeremonyState,
  phase: Type.String(),
  done: Type.Number(),
  total: Type.Number(),
  startedMs: Type.Number(),
  changedMs: Type.Number(),
  deadlineMs: Type.Number(),
  waitingFor: Parties,
  bytesSent: Type.Number(),
  etaSeconds: Type.Union([Type.Number(), Type.Null()], {
    description: 'what is left of the current phase at its speed so far',
  }),
  error: Type.Optional(
    Type.Object({ code: Type.String(), message: Type.String(), culprits: Parties, absent: Parties }),
  ),
});
export type CeremonyBody = Static<typeof CeremonyBody>;

export const EvidenceBody = Type.Object({
  id: Type.String({ description: 'SHA-256 of the file' }),
  size: Type.Integer(),
  party: Party,
  kind: Type.Enum(['double-signature', 'wrong-share', 'bad-contribution', 'broken-init']),
  ceremony: Type.Enum(['keygen', 'preprocessing', 'crs', 'epoch']),
  ceremonyId: Type.String({ description: 'as in the list of ceremonies' }),
  attempt: Type.Integer({ description: 'of a key generation, from 0' }),
  session: Type.String(),
  step: Type.String({ description: 'tag of the signed message, or prss-init' }),
});
export type EvidenceBody = Static<typeof EvidenceBody>;

/** `response` of a route: its success schemas, and the error shape for everything else. */
export function responses<const Success extends Record<number, unknown>>(success: Success) {
  return { ...success, '4xx': ErrorBody, '5xx': ErrorBody };
}
