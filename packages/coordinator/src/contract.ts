/**
 * The calls that the coordinator serves, as schemas: those of a node (version 1) for public decryptions. Bytes are
 * lower-case hex without 0x unless said otherwise. What nodes answer is read by the client package.
 */
import Type, { type Static } from 'typebox';

/** Handles of one request; the nodes have a bound of their own, this one keeps hostile answers small. */
export const CIPHERTEXTS_MAX = 256;
/** Base64 of the ciphertexts of one request, and everything around them. */
export const REQUEST_BYTES_MAX = 16 * 1024 * 1024;
/** Decimal digits of the largest plaintext, 2048 bits, and a sign. */
const VALUE_DIGITS_MAX = 618;
const TEXT_MAX = 2_000;
const WAIT_SECONDS_MAX = 60;

export const Id = Type.String({ pattern: '^[0-9a-f]{64}$', description: '32 bytes, hex' });
const Hex = (bytesMax: number) => Type.String({ pattern: '^([0-9a-f]{2})*$', maxLength: 2 * bytesMax });

export const PublicDecryptionRequest = Type.Object(
  {
    requestId: Id,
    keyId: Id,
    app: Type.Optional(Type.String({ maxLength: 64 })),
    ciphertexts: Type.Array(
      Type.Object({
        handle: Id,
        format: Type.String({ maxLength: 32 }),
        bytes: Type.Optional(Type.String({ description: 'base64' })),
        uri: Type.Optional(Type.String({ maxLength: TEXT_MAX })),
        slot: Type.Optional(Type.Integer({ minimum: 0, maximum: 65_535 })),
        fheType: Type.Optional(
          Type.Union([Type.Integer({ minimum: 0, maximum: 255 }), Type.String({ maxLength: 16 })]),
        ),
      }),
      { minItems: 1, maxItems: CIPHERTEXTS_MAX },
    ),
    authorization: Type.Optional(Type.Unknown()),
    extraData: Type.Optional(Hex(1_024)),
  },
  { additionalProperties: false },
);
export type PublicDecryptionRequest = Static<typeof PublicDecryptionRequest>;

export const PlainValue = Type.Object({
  handle: Id,
  fheType: Type.Union([Type.Integer({ minimum: 0, maximum: 255 }), Type.String({ maxLength: 16 })]),
  value: Type.String({ pattern: '^-?[0-9]+$', maxLength: VALUE_DIGITS_MAX, description: 'decimal; bool is 0 or 1' }),
});
export type PlainValue = Static<typeof PlainValue>;

export const FaultReport = Type.Object({
  party: Type.Integer({ minimum: 1, maximum: 15 }),
  kind: Type.String({ maxLength: 32 }),
});
export type FaultReport = Static<typeof FaultReport>;

export const WaitQuery = Type.Object({
  wait: Type.Optional(Type.Number({ minimum: 0, maximum: WAIT_SECONDS_MAX, description: 'seconds' })),
});

export const Verdict = Type.Enum(['pending', 'answered', 'agreed', 'wrong', 'refused', 'late', 'absent'], {
  description:
    'answered: a signed result, but fewer than t+1 equal ones; agreed: one of t+1 or more equal signed results; ' +
    'wrong: other result, bad signature or format; late: reached, but no result in time; absent: not reached',
});
export type Verdict = Static<typeof Verdict>;

export const NodeVerdict = Type.Object({
  party: Type.Integer(),
  verdict: Verdict,
  reason: Type.Optional(Type.String({ description: 'code of the refusal, or what was wrong' })),
  ms: Type.Optional(Type.Number({ description: 'from sending the request to the answer' })),
});
export type NodeVerdict = Static<typeof NodeVerdict>;

export const CoordinatedDecryption = Type.Object({
  requestId: Id,
  state: Type.Enum(['pending', 'succeeded', 'failed']),
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
  error: Type.Optional(Type.Object({ code: Type.String(), message: Type.String() })),
});
export type CoordinatedDecryption = Static<typeof CoordinatedDecryption>;

export const ErrorBody = Type.Object({
  error: Type.Object({
    code: Type.String(),
    message: Type.String(),
    requestId: Type.String(),
    parties: Type.Array(Type.Integer()),
    hint: Type.String(),
  }),
});
