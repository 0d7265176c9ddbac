/** Body of `POST /v1/public-decryptions`, and of the same request between nodes. */
import type { CiphertextFormat } from '@keyquorum/tfhe/ciphertext';
import Type, { type Static } from 'typebox';

export const Id = Type.String({ pattern: '^[0-9a-f]{64}$', description: '32 bytes, lower-case hex' });
const closed = { additionalProperties: false } as const;
const CIPHERTEXTS_MAX = 256;
/** Base64 of the largest object, 17 MiB. */
const BASE64_LENGTH_MAX = 24 * 2 ** 20;
const FORMATS = [
  'compact-list',
  'proven-list',
  'fhe',
  'compressed-fhe',
  'compressed-list',
  'squashed',
  'compressed-squashed-list',
] as const satisfies readonly CiphertextFormat[];

export const CiphertextBody = Type.Object(
  {
    handle: Id,
    format: Type.Enum(FORMATS, {
      description:
        'what the bytes are: an encrypted list, one FheUint/FheInt/FheBool, its compressed form, a compressed list, ' +
        'one value after noise squashing, or a list of those',
    }),
    bytes: Type.String({
      minLength: 4,
      maxLength: BASE64_LENGTH_MAX, // the alphabet is checked by decoding: patterns over 24 MB exhaust the stack
      contentEncoding: 'base64',
      description: 'base64 of safe_serialize',
    }),
    slot: Type.Optional(Type.Integer({ minimum: 0, maximum: 65_535, description: 'index of the value in a list' })),
    fheType: Type.Optional(
      Type.Union([Type.String({ pattern: '^[a-z0-9]{1,16}$' }), Type.Integer({ minimum: 0, maximum: 255 })], {
        description: 'name or number; the request is refused when the object is of another type',
      }),
    ),
  },
  closed,
);

const FIELDS = {
  requestId: Id,
  keyId: Id,
  app: Type.Optional(Type.String({ pattern: '^[a-zA-Z0-9._-]{1,64}$', default: 'default' })),
  ciphertexts: Type.Array(CiphertextBody, { minItems: 1, maxItems: CIPHERTEXTS_MAX }),
  extraData: Type.Optional(Type.String({ pattern: '^([0-9a-f]{2})*$', maxLength: 256, description: 'hex' })),
};

export const PublicDecryptionBody = Type.Object(FIELDS, closed);
export type PublicDecryptionBody = Static<typeof PublicDecryptionBody>;

/** Between nodes: with the requester's signature over the content hash, so that each node authorises by itself. */
export const ForwardedBody = Type.Object(
  {
    request: PublicDecryptionBody,
    requester: Type.String({ pattern: '^[a-zA-Z0-9._-]{1,64}$' }),
    signature: Type.String({ pattern: '^[0-9a-f]{128}$' }),
  },
  closed,
);
export type ForwardedBody = Static<typeof ForwardedBody>;
