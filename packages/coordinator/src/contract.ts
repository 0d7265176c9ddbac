/**
 * The calls that the coordinator serves, as schemas: those of a node (version 1) for decryptions. Bytes are
 * lower-case hex without 0x unless said otherwise. What nodes answer is read by the client package.
 */
import { SLOTS_MAX } from '@keyquorum/client/slots';
import { USER_SIGNATURE_BYTES_MAX } from '@keyquorum/wire/user-request';
import Type, { type Static } from 'typebox';

/** Handles of one request; the nodes have a bound of their own, this one keeps hostile answers small. */
export const CIPHERTEXTS_MAX = 256;
/** Base64 of the ciphertexts of one request, and everything around them. */
export const REQUEST_BYTES_MAX = 16 * 1024 * 1024;
/** Decimal digits of the largest plaintext, 2048 bits, and a sign. */
const VALUE_DIGITS_MAX = 618;
const EXTRA_DATA_BYTES_MAX = 1_024;
const ENCRYPTION_KEY_BYTES = 869;
/** Contracts that one signature of a user may name. */
const CONTRACTS_MAX = 10;
const PARTY_MAX = 15;
const WAIT_SECONDS_MAX = 60;
/** Characters of a header. */
export const AUTHORIZATION_MAX = 512;

export const Id = Type.String({ pattern: '^[0-9a-f]{64}$', description: '32 bytes, hex' });
const Hex = (bytesMax: number) => Type.String({ pattern: '^([0-9a-f]{2})*$', maxLength: 2 * bytesMax });

/** Attestations of one ciphertext. */
const ATTESTATIONS_MAX = 32;

const Address = Type.String({ pattern: '^0x[0-9a-fA-F]{40}$' });

const Ciphertext = Type.Object({
  handle: Id,
  format: Type.String({ maxLength: 32 }),
  bytes: Type.Optional(Type.String({ description: 'base64; either this or digest' })),
  digest: Type.Optional(
    Type.String({ ...Id, description: 'SHA-256 of what was handed over with PUT /v1/ciphertexts/{digest}' }),
  ),
  slot: Type.Optional(Type.Integer({ minimum: 0, maximum: 65_535 })),
  fheType: Type.Optional(Type.Union([Type.Integer({ minimum: 0, maximum: 255 }), Type.String({ maxLength: 16 })])),
  provenance: Type.Optional(
    Type.Object({
      attestations: Type.Optional(
        Type.Array(Type.String({ pattern: '^[0-9a-f]{130}$' }), { maxItems: ATTESTATIONS_MAX }),
      ),
      proof: Type.Optional(Type.Object({ crsId: Id, contractAddress: Address, userAddress: Address })),
    }),
  ),
});

/** A request for which `slots` is set is a batch: see the client package, slots.ts. */
const slots = {
  slots: Type.Optional(
    Type.Boolean({
      description: `each of at most ${SLOTS_MAX} ciphertexts by itself: one refused does not sink the rest`,
    }),
  ),
  slotAuthorizations: Type.Optional(
    Type.Array(Type.String({ pattern: '^Keyquorum .+', maxLength: AUTHORIZATION_MAX }), {
      maxItems: SLOTS_MAX,
      description: 'with a signed Authorization: that of the request to nodes for each ciphertext',
    }),
  ),
};

export const PublicDecryptionRequest = Type.Object(
  {
    requestId: Id,
    keyId: Id,
    app: Type.Optional(Type.String({ maxLength: 64 })),
    ciphertexts: Type.Array(Ciphertext, { minItems: 1, maxItems: CIPHERTEXTS_MAX }),
    authorization: Type.Optional(Type.Unknown()),
    extraData: Type.Optional(Hex(EXTRA_DATA_BYTES_MAX)),
    ...slots,
  },
  { additionalProperties: false },
);
export type PublicDecryptionRequest = Static<typeof PublicDecryptionRequest>;

const Decimal = Type.String({ pattern: '^(0|[1-9][0-9]{0,19})$' });

/** What nodes take; whether the user's signature allows it, each of them decides. */
export const UserDecryptionRequest = Type.Object(
  {
    requestId: Id,
    keyId: Id,
    app: Type.String({ maxLength: 64, default: 'default' }),
    ciphertexts: Type.Array(
      Type.Object({ ...Ciphertext.properties, contractAddress: Address }), //
      { minItems: 1, maxItems: CIPHERTEXTS_MAX },
    ),
    userAddress: Address,
    encryptionKey: Type.String({ pattern: `^[0-9a-f]{${2 * ENCRYPTION_KEY_BYTES}}$` }),
    request: Type.Object(
      {
        hostChainId: Decimal,
        contractAddresses: Type.Array(Address, { minItems: 1, maxItems: CONTRACTS_MAX }),
        startTimestamp: Decimal,
        durationDays: Decimal,
        extraData: Hex(EXTRA_DATA_BYTES_MAX),
        delegatorAddress: Type.Optional(Address),
      },
      { additionalProperties: false },
    ),
    userSignature: Hex(USER_SIGNATURE_BYTES_MAX),
    ...slots,
  },
  { additionalProperties: false },
);
export type UserDecryptionRequest = Static<typeof UserDecryptionRequest>;

export const PlainValue = Type.Object({
  handle: Id,
  fheType: Type.Union([Type.Integer({ minimum: 0, maximum: 255 }), Type.String({ maxLength: 16 })]),
  value: Type.String({ pattern: '^-?[0-9]+$', maxLength: VALUE_DIGITS_MAX, description: 'decimal; bool is 0 or 1' }),
});
export type PlainValue = Static<typeof PlainValue>;

export const FaultReport = Type.Object({
  party: Type.Integer({ minimum: 1, maximum: PARTY_MAX }),
  kind: Type.String({ maxLength: 32 }),
});
export type FaultReport = Static<typeof FaultReport>;

export const WaitQuery = Type.Object({
  wait: Type.Optional(Type.Number({ minimum: 0, maximum: WAIT_SECONDS_MAX, description: 'seconds' })),
});

export const UserWaitQuery = Type.Object({
  ...WaitQuery.properties,
  responses: Type.Optional(
    Type.Integer({ minimum: 1, maximum: PARTY_MAX, description: 'how many are waited for; 2t+1 when absent' }),
  ),
});

export const Verdict = Type.Enum(['pending', 'answered', 'agreed', 'wrong', 'refused', 'late', 'absent'], {
  description:
    'answered: a signed result, but fewer than t+1 equal ones, or one that only the user can read; ' +
    'agreed: one of t+1 or more equal signed results; ' +
    'wrong: other result, bad signature or format; late: reached, but no result in time; absent: not reached',
});
export type Verdict = Static<typeof Verdict>;

export const NodeVerdict = Type.Object({
  party: Type.Integer(),
  slot: Type.Optional(Type.Integer({ description: 'in events of a batch: index of the ciphertext' })),
  verdict: Verdict,
  reason: Type.Optional(Type.String({ description: 'code of the refusal, or what was wrong' })),
  ms: Type.Optional(Type.Number({ description: 'from sending the request to the answer' })),
});
export type NodeVerdict = Static<typeof NodeVerdict>;

const State = Type.Enum(['pending', 'succeeded', 'failed']);
const Failure = Type.Object({ code: Type.String(), message: Type.String() });

/** Of the whole request, or of one ciphertext of a batch. */
const publicOutcome = {
  state: State,
  values: Type.Array(PlainValue),
  abiEncoded: Type.String(),
  signatures: Type.Array(Type.Object({ party: Type.Integer(), signer: Type.String(), signature: Type.String() }), {
    description: 'at least t+1 over the same result, in party order',
  }),
  decryptionProof: Type.String({
    description: 'these signatures as contracts take them: FHE.checkSignatures(handles, abiEncoded, decryptionProof)',
  }),
  nodes: Type.Array(NodeVerdict),
  faults: Type.Array(
    Type.Object({ party: Type.Integer(), kind: Type.String(), reportedBy: Type.Array(Type.Integer()) }),
    { description: 'named by at least t+1 nodes, so by an honest one' },
  ),
  error: Type.Optional(Failure),
};

const userOutcome = {
  state: State,
  responses: Type.Array(
    Type.Object({
      party: Type.Integer(),
      payload: Type.String(),
      signature: Type.String({ description: 'of that party; verified' }),
      extraData: Type.String({ description: 'as it was signed' }),
    }),
    { description: 'in party order; more come until every node has a verdict; succeeded: at least 2t+1' },
  ),
  nodes: Type.Array(NodeVerdict),
  error: Type.Optional(Failure),
};

/** What the answer to a request has beside the outcome. */
const answer = {
  requestId: Id,
  askedAs: Type.Optional(
    Type.String({ description: 'id of an equal earlier request of the same caller, whose result this is' }),
  ),
};
const slotsDescription =
  'of a batch only, in request order, each with its own result or error; the batch has succeeded when all have ended';

export const CoordinatedDecryption = Type.Object({
  ...answer,
  ...publicOutcome,
  slots: Type.Optional(Type.Array(Type.Object({ handle: Id, ...publicOutcome }), { description: slotsDescription })),
});
export type CoordinatedDecryption = Static<typeof CoordinatedDecryption>;

export const CoordinatedUserDecryption = Type.Object({
  ...answer,
  ...userOutcome,
  slots: Type.Optional(Type.Array(Type.Object({ handle: Id, ...userOutcome }), { description: slotsDescription })),
});
export type CoordinatedUserDecryption = Static<typeof CoordinatedUserDecryption>;

/** Kinds of requests; an id means one request, of one kind. */
export type Kind = 'public-decryption' | 'user-decryption';

/** What reports of both kinds have. */
export interface Report {
  readonly requestId: string;
  readonly state: 'pending' | 'succeeded' | 'failed';
  readonly nodes: readonly NodeVerdict[];
  readonly slots?: readonly Omit<Report, 'requestId' | 'slots'>[];
  readonly error?: { readonly code: string; readonly message: string };
}

export const ErrorBody = Type.Object({
  error: Type.Object({
    code: Type.String(),
    message: Type.String(),
    requestId: Type.String(),
    parties: Type.Array(Type.Integer()),
    hint: Type.String(),
  }),
});
