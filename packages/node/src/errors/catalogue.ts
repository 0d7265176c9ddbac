/**
 * Every error code that a node shows to callers or operators: HTTP status, meaning and remedy. docs/errors.md is the
 * same list for readers (a test compares them), and the types below make a code without an entry a compile error.
 */
import type { CrsCheck, CrsFileErrorCode, EncryptionProofErrorCode } from '@keyquorum/crs/crs-error';
import type { CrsParametersError } from '@keyquorum/crs/parameters';
import type { CeremonyError } from '@keyquorum/protocols/ceremony/ceremony';
import type { CrsTimeoutError, CrsTooFewError } from '@keyquorum/protocols/crs/crs';
import type { CrsDisagreementError } from '@keyquorum/protocols/crs/judge';
import type { TranscriptErrorCode } from '@keyquorum/protocols/crs/transcript';
import type { DecryptionErrorCode } from '@keyquorum/protocols/decryption/job';
import type { EvidenceErrorCode } from '@keyquorum/protocols/evidence/evidence-error';
import type { CiphertextErrorCode } from '@keyquorum/tfhe/ciphertext';
import type { WireErrorCode } from '@keyquorum/wire/error';
import type { ConfigErrorCode } from '../config/config-error.ts';
import type { StoreErrorCode } from '../store/store-error.ts';

export interface ErrorEntry {
  /** Of an HTTP answer with this code; 0 for codes of the command line and the log. */
  readonly status: number;
  /** What to do next, for the reader of the error. */
  readonly hint: string;
}

type OwnCode =
  | 'ACL_REFUSED'
  | 'BODY_INVALID'
  | 'BODY_NOT_JSON'
  | 'BODY_TOO_LARGE'
  | 'BUSY'
  | 'CEREMONY_FINISHED'
  | 'CHAIN_DISAGREES'
  | 'CHAIN_STALE'
  | 'CHAIN_UNAVAILABLE'
  | 'CRS_REFUSED'
  | 'CRS_UNKNOWN'
  | 'EVIDENCE_UNKNOWN'
  | 'FORBIDDEN'
  | 'HANDLE_CONFLICT'
  | 'INTERNAL'
  | 'KEYGEN_REFUSED'
  | 'KEYGEN_UNSOUND_SIZE'
  | 'KEY_PURPOSE_REQUIRED'
  | 'MATERIAL_DAMAGED'
  | 'MATERIAL_UNKNOWN'
  | 'MEDIA_TYPE_UNSUPPORTED'
  | 'NETWORK_MISMATCH'
  | 'NODE_RESTARTED'
  | 'NOT_READY'
  | 'PARAMETER_INVALID'
  | 'PROOF_CONTRACT'
  | 'PROOF_UNCHECKED'
  | 'PROOF_USER'
  | 'PROOF_HANDLE'
  | 'PROVENANCE_REQUIRED'
  | 'QUOTA_EXCEEDED'
  | 'RANGE_INVALID'
  | 'RATE_LIMITED'
  | 'REQUEST_INVALID'
  | 'REQUEST_TOO_LARGE'
  | 'REQUEST_UNKNOWN'
  | 'ROUTE_UNKNOWN'
  | 'STOPPING'
  | 'UNAUTHENTICATED'
  | 'WALLET_REFUSED';

/** What may be wrong with ciphertexts that are handed over, with what users and coprocessors sign, with extraData. */
type RequestCode = Extract<
  WireErrorCode,
  | 'CIPHERTEXT_UNKNOWN'
  | 'CIPHERTEXT_DIGEST'
  | 'UPLOAD_TOO_LARGE'
  | 'UPLOADS_BUSY'
  | 'ATTESTATION_SIGNER'
  | 'ATTESTATION_REPEATED'
  | 'ATTESTATIONS_TOO_MANY'
  | 'ATTESTATIONS_TOO_FEW'
  | 'EXTRA_DATA_MALFORMED'
  | 'EXTRA_DATA_VERSION'
  | 'SIGNATURE_LENGTH'
  | 'SIGNATURE_V'
  | 'SIGNATURE_HIGH_S'
  | 'SIGNATURE_INVALID'
  | 'SIGNER_WRONG'
  | 'TYPE_UNSUPPORTED'
  | 'BITS_TOO_MANY'
  | 'CONTRACTS_COUNT'
  | 'CONTRACT_NOT_SIGNED'
  | 'USER_IS_CONTRACT'
  | 'DURATION'
  | 'REQUEST_NOT_YET_VALID'
  | 'REQUEST_EXPIRED'
  | 'ENCRYPTION_KEY_MALFORMED'
  | 'ENCRYPTION_KEY_NOT_REDUCED'
>;

export type ErrorCode =
  | OwnCode
  | RequestCode
  | CiphertextErrorCode
  | DecryptionErrorCode
  | CeremonyError['code']
  | EvidenceErrorCode
  | CrsErrorCode
  | EncryptionProofErrorCode
  | ConfigErrorCode
  | StoreErrorCode;

const CALLER: Record<OwnCode, ErrorEntry> = {
  ACL_REFUSED: {
    status: 403,
    hint: 'let the contract allow it; what it says counts once the block is final',
  },
  BODY_INVALID: { status: 400, hint: 'correct the named field; the schema is served at /openapi.json' },
  BODY_NOT_JSON: { status: 400, hint: 'send one JSON object, UTF-8' },
  BODY_TOO_LARGE: { status: 413, hint: 'send fewer or smaller ciphertexts per request, or raise limits.bodyBytes' },
  BUSY: {
    status: 503,
    hint: 'wait as Retry-After says; raise limits.runningRequests or limits.waiters if it persists',
  },
  CEREMONY_FINISHED: { status: 409, hint: 'it has ended already; nothing was changed' },
  CHAIN_DISAGREES: {
    status: 503,
    hint: 'ask another node, or again later; operators: find out which of chains.rpc in node.toml is wrong',
  },
  CHAIN_STALE: {
    status: 503,
    hint: 'ask another node; operators: chains.rpc in node.toml is behind, or chains.staleSeconds too short',
  },
  CHAIN_UNAVAILABLE: {
    status: 503,
    hint: 'ask another node, or again later; operators: chains.rpc in node.toml does not answer as it should',
  },
  CRS_REFUSED: { status: 403, hint: 'this node allows other parameters: keys.parameters in node.toml' },
  CRS_UNKNOWN: { status: 404, hint: 'GET /v1/crs lists the reference strings of this node' },
  EVIDENCE_UNKNOWN: { status: 404, hint: 'GET /v1/evidence lists the files of this node; others may have more' },
  FORBIDDEN: { status: 403, hint: 'ask the operator to allow this application or operation for your requester' },
  HANDLE_CONFLICT: {
    status: 409,
    hint: 'find out who showed two ciphertexts to be genuine under one handle, before you trust them again',
  },
  INTERNAL: { status: 500, hint: 'report it with the requestId; the log of the node has the details' },
  KEYGEN_REFUSED: { status: 403, hint: 'this node allows other parameters or purposes: keys in node.toml' },
  KEYGEN_UNSOUND_SIZE: { status: 422, hint: 'ask for base, or use another n and t: docs/protocols/noise.md' },
  KEY_PURPOSE_REQUIRED: { status: 400, hint: 'add "purpose": development keys decrypt anything for known requesters' },
  MATERIAL_DAMAGED: {
    status: 503,
    hint: 'ask another node for the same digest; this one is getting it back from peers',
  },
  MATERIAL_UNKNOWN: { status: 404, hint: 'take the digest from GET /v1/keys/{id}; the key may still be in the making' },
  MEDIA_TYPE_UNSUPPORTED: {
    status: 415,
    hint: 'send content-type: application/json, or application/octet-stream for the bytes of a ciphertext',
  },
  NETWORK_MISMATCH: { status: 503, hint: 'compare network.toml of the named parties: name, n, t, keys, eip712' },
  NODE_RESTARTED: { status: 503, hint: 'send the same request again; it was cut off by a restart of this node' },
  NOT_READY: { status: 503, hint: 'wait until enough peers are connected; GET /v1/status names the missing ones' },
  PARAMETER_INVALID: { status: 400, hint: 'correct the named parameter of the path or query' },
  PROOF_CONTRACT: {
    status: 403,
    hint: 'name a contract of the application; a user names the same one, on the chain of the application',
  },
  PROOF_UNCHECKED: { status: 503, hint: 'send the request again; if it persists, see the log of this node' },
  PROOF_USER: {
    status: 403,
    hint: 'a user reads what it encrypted itself; with an acl for the application, what its delegator did too',
  },
  PROOF_HANDLE: {
    status: 403,
    hint: 'name a proven value by the handle that its list gives it; the message says which',
  },
  PROVENANCE_REQUIRED: {
    status: 403,
    hint: 'send what shows the origin of the ciphertext, as the rules of the application in node.toml want it',
  },
  QUOTA_EXCEEDED: {
    status: 429,
    hint: 'wait as Retry-After says, or have the operators raise requesters.blocksPerDay in node.toml',
  },
  RANGE_INVALID: { status: 416, hint: 'ask for one range inside the object, or for all of it' },
  RATE_LIMITED: { status: 429, hint: 'wait as Retry-After says' },
  REQUEST_INVALID: { status: 400, hint: 'the HTTP request itself is malformed' },
  REQUEST_TOO_LARGE: { status: 422, hint: 'split the request' },
  REQUEST_UNKNOWN: { status: 404, hint: 'no such request of this requester here; old ones are forgotten' },
  ROUTE_UNKNOWN: { status: 404, hint: 'see /openapi.json for all calls' },
  STOPPING: { status: 503, hint: 'this node is stopping; ask another one' },
  UNAUTHENTICATED: {
    status: 401,
    hint: 'send the API key of a configured requester, or its signature of this request; see the message',
  },
  WALLET_REFUSED: {
    status: 403,
    hint: 'have the wallet sign exactly this request; what it says counts once the block is final',
  },
};

const REQUEST: Record<RequestCode, ErrorEntry> = {
  CIPHERTEXT_UNKNOWN: { status: 404, hint: 'hand it over with PUT /v1/ciphertexts/{digest}, then send it again' },
  CIPHERTEXT_DIGEST: { status: 422, hint: 'name the bytes by their SHA-256, and send all of them' },
  UPLOAD_TOO_LARGE: { status: 413, hint: 'raise limits.ciphertextBytesPerRequester, of which one may take half' },
  UPLOADS_BUSY: { status: 503, hint: 'wait as Retry-After says' },
  ATTESTATION_SIGNER: {
    status: 403,
    hint: 'compare coprocessors in node.toml, key, handle, format, slot, bytes and eip712 with what was signed',
  },
  ATTESTATION_REPEATED: { status: 422, hint: 'send one attestation of each coprocessor' },
  ATTESTATIONS_TOO_MANY: { status: 422, hint: 'send at most one attestation of each coprocessor in node.toml' },
  ATTESTATIONS_TOO_FEW: { status: 403, hint: 'gather attestations of more coprocessors and send the request again' },
  EXTRA_DATA_MALFORMED: { status: 422, hint: 'leave extraData empty, or give a context as docs/rest.md describes' },
  EXTRA_DATA_VERSION: { status: 422, hint: 'leave extraData empty, or use version 00, 01 or 02' },
  SIGNATURE_LENGTH: { status: 422, hint: 'send 65 bytes: r, s, v; other lengths are for contract wallets' },
  SIGNATURE_V: { status: 422, hint: 'let the last byte be 27 or 28, as wallets make it' },
  SIGNATURE_HIGH_S: { status: 422, hint: 'send the spelling with low s; wallets make no other' },
  SIGNATURE_INVALID: { status: 422, hint: 'have the request, or the named attestation, signed again' },
  SIGNER_WRONG: {
    status: 403,
    hint: 'sign exactly this request with the key of userAddress: compare domain and fields',
  },
  TYPE_UNSUPPORTED: {
    status: 422,
    hint: 'cast the value to bool, uint8 to uint256 or address, or decrypt it publicly',
  },
  BITS_TOO_MANY: { status: 422, hint: 'split the request: values of at most 2048 bits together' },
  CONTRACTS_COUNT: { status: 422, hint: 'name 1 to 10 contracts' },
  CONTRACT_NOT_SIGNED: { status: 403, hint: 'have the user sign for the contract of every value' },
  USER_IS_CONTRACT: { status: 422, hint: 'give the address of a person, not of a contract of the request' },
  DURATION: { status: 422, hint: 'let the user sign for 1 to 365 days' },
  REQUEST_NOT_YET_VALID: { status: 403, hint: 'correct the clock that is wrong, or start earlier' },
  REQUEST_EXPIRED: { status: 403, hint: 'have the user sign again; if that is new, correct the clock that is wrong' },
  ENCRYPTION_KEY_MALFORMED: { status: 422, hint: 'send the 869 bytes of an ML-KEM-512 key as SDKs make it' },
  ENCRYPTION_KEY_NOT_REDUCED: { status: 422, hint: 'make a new key pair with a correct ML-KEM library' },
};

const CIPHERTEXT: Record<CiphertextErrorCode, ErrorEntry> = {
  CIPHERTEXT_MALFORMED: { status: 422, hint: 'send the bytes of safe_serialize of exactly one object' },
  CIPHERTEXT_PARAMETERS: { status: 422, hint: 'encrypt under the public key that GET /v1/keys/{id} lists' },
  CIPHERTEXT_SLOT: { status: 422, hint: 'slot counts the values of the list from 0' },
  CIPHERTEXT_TYPE: { status: 422, hint: 'use a type of tfhe-rs, and leave fheType out or make it agree' },
  CIPHERTEXT_UNSUPPORTED: { status: 422, hint: 'use one of the documented formats' },
  CIPHERTEXT_TOO_LARGE: { status: 422, hint: 'no object of this format is that large' },
};

const DECRYPTION: Record<DecryptionErrorCode, ErrorEntry> = {
  POOL_EMPTY: { status: 503, hint: 'preprocessing has not kept up: see pool in GET /v1/status, then send it again' },
  KEY_PART_MISSING: { status: 422, hint: 'generate a key that has the part, or send the values in another format' },
  KEY_UNKNOWN: { status: 404, hint: 'GET /v1/keys lists the keys of this node' },
  FLOODING_UNSOUND_SIZE: { status: 422, hint: 'send the values in a format that is not squashed' },
  REQUEST_CONFLICT: { status: 409, hint: 'a request id names one content for ever: choose a new id' },
  DECRYPTION_TIMEOUT: { status: 504, hint: 'the named parties did not answer; send it again when they are back' },
  DECRYPTION_ABORTED: { status: 503, hint: 'the node was stopping; send the same request again' },
};

const CEREMONY: Record<CeremonyError['code'], ErrorEntry> = {
  CEREMONIES_RUNNING: { status: 503, hint: 'wait for one of them to end, or cancel it' },
  CEREMONY_BAD_TRANSITION: { status: 409, hint: 'it has ended already; nothing was changed' },
  CEREMONY_EXISTS: { status: 409, hint: 'the id was used for other content: choose a new id' },
  CEREMONY_UNKNOWN: { status: 404, hint: 'GET /v1/ceremonies lists what this node knows' },
};

const EVIDENCE: Record<EvidenceErrorCode, ErrorEntry> = {
  EVIDENCE_MALFORMED: { status: 0, hint: 'get the file again from a node; compare its SHA-256 with the id' },
  EVIDENCE_NETWORK: { status: 0, hint: 'use the network.toml of the network that the evidence is about' },
  EVIDENCE_CEREMONY: { status: 0, hint: 'proves nothing here; it may be of another version of this software' },
  EVIDENCE_SIGNATURE: { status: 0, hint: 'proves nothing: do not accuse; ask where the file comes from' },
  EVIDENCE_CERTIFICATE: { status: 0, hint: 'proves nothing: do not accuse; ask where the file comes from' },
  EVIDENCE_SECRETS: { status: 0, hint: 'proves nothing: do not accuse; another node may have a complete file' },
  EVIDENCE_REFUTED: { status: 0, hint: 'the party is innocent of this; whoever made the file accuses falsely' },
};

/** Ends of ceremonies, and what keyquorum verify-crs finds. */
type CrsErrorCode =
  | CrsParametersError['code']
  | CrsTooFewError['code']
  | CrsTimeoutError['code']
  | CrsDisagreementError['code']
  | CrsCheck
  | CrsFileErrorCode
  | TranscriptErrorCode;

const PROOF: Record<EncryptionProofErrorCode, ErrorEntry> = {
  PROOF_MALFORMED: { status: 422, hint: 'send the bytes that build_with_proof_packed of node-tfhe gave' },
  PROOF_UNSUPPORTED: { status: 422, hint: 'encrypt and prove with node-tfhe 1.3 or newer' },
  PROOF_CAPACITY: { status: 422, hint: 'encrypt at least one value, and no more bits per proof than the CRS is for' },
  PROOF_PARTS: { status: 422, hint: 'encrypt fewer values per list, or prove with a CRS for more bits' },
  PROOF_INVALID: {
    status: 403,
    hint: 'compare key, reference string, contractAddress, userAddress, aclContract and hostChainId with the prover',
  },
};

const WRONG_CRS = 'do not use this reference string; ask other nodes for theirs, and tell their operators';

const CRS: Record<CrsErrorCode, ErrorEntry> = {
  CRS_PARAMETERS: { status: 422, hint: 'ask for a power of two up to 2048 that the key has room for' },
  CRS_TOO_FEW: { status: 503, hint: 'more than t parties were away or slow: see the log, then use a new id' },
  CRS_TIMEOUT: { status: 503, hint: 'more than t parties were away: start them, then use a new id' },
  CRS_DISAGREEMENT: { status: 503, hint: 'check memory and software of this node, then use a new id' },
  CRS_MALFORMED: { status: 0, hint: WRONG_CRS },
  CRS_ROUND: { status: 0, hint: WRONG_CRS },
  CRS_BASE: { status: 0, hint: WRONG_CRS },
  CRS_MAX_BITS: { status: 0, hint: WRONG_CRS },
  CRS_LISTS: { status: 0, hint: WRONG_CRS },
  CRS_IDENTITY: { status: 0, hint: WRONG_CRS },
  CRS_MIDDLE: { status: 0, hint: WRONG_CRS },
  CRS_CURVE: { status: 0, hint: WRONG_CRS },
  CRS_SUBGROUP: { status: 0, hint: WRONG_CRS },
  CRS_PROOF: { status: 0, hint: WRONG_CRS },
  CRS_POWERS: { status: 0, hint: WRONG_CRS },
  CRS_FILE_MALFORMED: { status: 0, hint: 'get the file again; compare its digest with the transcript' },
  CRS_FILE_PARAMETERS: { status: 0, hint: WRONG_CRS },
  CRS_TRANSCRIPT_MALFORMED: { status: 0, hint: 'get the transcript again from a node' },
  CRS_TRANSCRIPT_NETWORK: { status: 0, hint: 'use the network.toml of the network that made it' },
  CRS_TRANSCRIPT_SIGNATURE: { status: 0, hint: WRONG_CRS },
  CRS_TRANSCRIPT_TOO_FEW: { status: 0, hint: WRONG_CRS },
  CRS_TRANSCRIPT_CERTIFICATE: { status: 0, hint: WRONG_CRS },
  CRS_TRANSCRIPT_FILE: { status: 0, hint: 'get the file that the transcript names by its digest' },
};

const CONFIG: Record<ConfigErrorCode, ErrorEntry> = {
  CONFIG_MISSING: { status: 0, hint: 'create the file with keyquorum init, or correct its path and permissions' },
  CONFIG_SYNTAX: { status: 0, hint: 'correct the TOML at the named line' },
  CONFIG_INVALID: { status: 0, hint: 'correct the named field; docs/configuration.md lists all of them' },
  CONFIG_ROSTER: { status: 0, hint: 'make network.toml the same on all nodes: n >= 3t+1, n <= 15, one card per party' },
  CONFIG_CARD: { status: 0, hint: 'get the card again from its operator and add it with keyquorum card add' },
};

const STORE: Record<StoreErrorCode, ErrorEntry> = {
  STORE_MISSING: { status: 0, hint: 'run keyquorum init, or correct data in node.toml' },
  STORE_EXISTS: { status: 0, hint: 'choose another folder; a store is never overwritten' },
  STORE_LOCKED: { status: 0, hint: 'stop the other process of this node' },
  STORE_WRONG_KEY: { status: 0, hint: 'correct unlock in node.toml, or restore it with keyquorum backup combine' },
  STORE_TAMPERED: { status: 0, hint: 'do not start this party from a copy; let it rejoin as docs/errors.md describes' },
  STORE_ROLLED_BACK: { status: 0, hint: 'do not start this party from an old copy; see docs/errors.md' },
  STORE_NAME: { status: 0, hint: 'a bug: report it' },
  STORE_FAILED: { status: 0, hint: 'free or replace the disk, then start the node again' },
};

export const ERRORS: Readonly<Record<ErrorCode, ErrorEntry>> = {
  ...{ ...CALLER, ...REQUEST, ...CIPHERTEXT, ...DECRYPTION },
  ...{ ...CEREMONY, ...EVIDENCE, ...CRS, ...PROOF, ...CONFIG, ...STORE },
};
