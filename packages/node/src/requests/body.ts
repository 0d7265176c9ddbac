/** Bodies of requests for decryption, and of the same requests between nodes. */
import type { CiphertextFormat } from '@keyquorum/tfhe/ciphertext';
import { CIPHERTEXT_BYTES_MAX } from '@keyquorum/wire/ciphertext-shelf';
import { USER_SIGNATURE_BYTES_MAX } from '@keyquorum/wire/user-request';
import Type, { type Static, type TSchema } from 'typebox';
import { Address, COPROCESSORS_MAX } from '../config/schema.ts';

export const Id = Type.String({ pattern: '^[0-9a-f]{64}$', description: '32 bytes, lower-case hex' });
const closed = { additionalProperties: false } as const;
const CIPHERTEXTS_MAX = 256;
/** Contracts that one signature of a user may name. */
const CONTRACTS_MAX = 10;
const ENCRYPTION_KEY_BYTES = 869;
const BASE64_LENGTH_MAX = (CIPHERTEXT_BYTES_MAX / 3) * 4;
const FORMATS = [
  'compact-list',
  'proven-list',
  'fhe',
  'compressed-fhe',
  'compressed-list',
  'squashed',
  'compressed-squashed-list',
] as const satisfies readonly CiphertextFormat[];

/** What shows where a ciphertext comes from; one field per way that takes something (provenance/). */
const ProvenanceBody = Type.Object(
  {
    attestations: Type.Optional(
      Type.Array(Type.String({ pattern: '^[0-9a-f]{130}$', description: '65 bytes: r, s, v' }), {
        maxItems: COPROCESSORS_MAX,
        description: 'EIP-712 CiphertextAttestation of this ciphertext by different coprocessors',
      }),
    ),
    proof: Type.Optional(
      Type.Object(
        {
          crsId: Id,
          contractAddress: Address,
          userAddress: Type.String({ ...Address, description: 'who encrypted' }),
        },
        { ...closed, description: 'of a proven-list: the reference string, and the addresses it was bound to' },
      ),
    ),
  },
  { ...closed, description: 'for production keys; no part of what a request id is bound to' },
);
export type ProvenanceBody = Static<typeof ProvenanceBody>;

export const CiphertextBody = Type.Object(
  {
    handle: Id,
    format: Type.Enum(FORMATS, {
      description:
        'what the bytes are: an encrypted list, one FheUint/FheInt/FheBool, its compressed form, a compressed list, ' +
        'one value after noise squashing, or a list of those',
    }),
    bytes: Type.Optional(
      Type.String({
        minLength: 4,
        maxLength: BASE64_LENGTH_MAX, // the alphabet is checked by decoding: patterns over 24 MB exhaust the stack
        contentEncoding: 'base64',
        description: 'base64 of safe_serialize; either this or digest',
      }),
    ),
    digest: Type.Optional(
      Type.String({ ...Id, description: 'SHA-256 of what was handed over with PUT /v1/ciphertexts/{digest}' }),
    ),
    slot: Type.Optional(Type.Integer({ minimum: 0, maximum: 65_535, description: 'index of the value in a list' })),
    fheType: Type.Optional(
      Type.Union([Type.String({ pattern: '^[a-z0-9]{1,16}$' }), Type.Integer({ minimum: 0, maximum: 255 })], {
        description: 'name or number; the request is refused when the object is of another type',
      }),
    ),
    provenance: Type.Optional(ProvenanceBody),
  },
  closed,
);

const ExtraData = Type.String({ pattern: '^([0-9a-f]{2})*$', maxLength: 256, description: 'hex' });

const FIELDS = {
  requestId: Id,
  keyId: Id,
  app: Type.Optional(Type.String({ pattern: '^[a-zA-Z0-9._-]{1,64}$', default: 'default' })),
};

export type CiphertextBody = Static<typeof CiphertextBody>;

export const PublicDecryptionBody = Type.Object(
  {
    ...FIELDS,
    ciphertexts: Type.Array(CiphertextBody, { minItems: 1, maxItems: CIPHERTEXTS_MAX }),
    extraData: Type.Optional(ExtraData),
  },
  closed,
);
export type PublicDecryptionBody = Static<typeof PublicDecryptionBody>;

const Decimal = Type.String({ pattern: '^(0|[1-9][0-9]{0,19})$' });

export const UserDecryptionBody = Type.Object(
  {
    ...FIELDS,
    ciphertexts: Type.Array(
      Type.Object({ ...CiphertextBody.properties, contractAddress: Address }, closed), //
      { minItems: 1, maxItems: CIPHERTEXTS_MAX },
    ),
    userAddress: Type.String({ ...Address, description: 'whose key the answer is for; a delegate when there is one' }),
    encryptionKey: Type.String({
      pattern: `^[0-9a-f]{${2 * ENCRYPTION_KEY_BYTES}}$`,
      description: 'ML-KEM-512 key in its envelope, as node-tkms writes it',
    }),
    request: Type.Object(
      {
        hostChainId: Decimal,
        contractAddresses: Type.Array(Address, { minItems: 1, maxItems: CONTRACTS_MAX }),
        startTimestamp: Type.String({ ...Decimal, description: 'seconds since 1970' }),
        durationDays: Decimal,
        extraData: ExtraData,
        delegatorAddress: Type.Optional(
          Type.String({ ...Address, description: 'set when userAddress is a delegate of this account' }),
        ),
      },
      { ...closed, description: 'what the user signed (EIP-712 UserDecryptRequestVerification)' },
    ),
    userSignature: Type.String({
      pattern: '^([0-9a-f]{2})*$',
      maxLength: 2 * USER_SIGNATURE_BYTES_MAX,
      description: '65 bytes: r, s, v; what the contract wants when userAddress is a contract wallet',
    }),
  },
  closed,
);
export type UserDecryptionBody = Static<typeof UserDecryptionBody>;

/** Between nodes: with the requester's signature over the content hash, so that each node authorises by itself. */
export interface ForwardedBody<Body> {
  readonly request: Body;
  readonly requester: string;
  /** Of the signature, seconds since 1970. */
  readonly expires: number;
  readonly signature: string;
}

export function forwardedBody<Body extends TSchema>(request: Body) {
  const requester = Type.String({ pattern: '^[a-zA-Z0-9._-]{1,64}$' });
  const expires = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
  return Type.Object({ request, requester, expires, signature: Type.String({ pattern: '^[0-9a-f]{128}$' }) }, closed);
}
