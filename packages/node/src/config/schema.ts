/**
 * The two files of a node: `node.toml`, its own settings, and `network.toml`, which is the same on every node. Field
 * names are those of the files; docs/configuration.md lists them with these descriptions.
 */
import { KEY_SET_NAMES } from '@keyquorum/tfhe/key-sets';
import Type, { type Static } from 'typebox';

const closed = { additionalProperties: false } as const;
const DAY_SECONDS = 86_400;
/** GF(16) has 15 nonzero evaluation points. */
export const PARTIES_MAX = 15;

export const PartyNumber = Type.Integer({ minimum: 1, maximum: PARTIES_MAX });
export const Address = Type.String({ pattern: '^0x[0-9a-fA-F]{40}$' });
export const NetworkName = Type.String({ pattern: '^[a-z0-9-]{1,32}$' });
export const Multiaddress = Type.String({ pattern: '^/(ip4|ip6|dns|dns4|dns6)/[^/]{1,255}/tcp/[0-9]{1,5}$' });
const Name = Type.String({ pattern: '^[a-zA-Z0-9._-]{1,64}$' });
export const Purpose = Type.Enum(['development', 'production']);
export const KeySetName = Type.Enum([...KEY_SET_NAMES]);

/** What a party tells the others about itself, signed by its own key (card.ts). */
export const Card = Type.Object(
  {
    network: NetworkName,
    party: PartyNumber,
    publicKey: Type.String({ pattern: '^[0-9a-f]{64}$', description: 'Ed25519 identity of the node' }),
    signer: Type.String({ pattern: '^0x[0-9a-fA-F]{40}$', description: 'address whose key signs answers' }),
    address: Multiaddress,
    signature: Type.String({ pattern: '^[0-9a-f]{128}$' }),
  },
  closed,
);
export type Card = Static<typeof Card>;

export const NetworkFile = Type.Object(
  {
    name: NetworkName,
    parties: Type.Integer({ minimum: 4, maximum: PARTIES_MAX, description: 'n' }),
    threshold: Type.Integer({ minimum: 1, maximum: 4, description: 't, with n >= 3t+1' }),
    eip712: Type.Object(
      {
        gatewayChainId: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }),
        decryptionContract: Address,
      },
      closed,
    ),
    cards: Type.Array(Card, { maxItems: PARTIES_MAX }),
  },
  closed,
);
export type NetworkFile = Static<typeof NetworkFile>;

export const Requester = Type.Object(
  {
    name: Name,
    publicKey: Type.String({ pattern: '^[0-9a-f]{64}$', description: 'printed by keyquorum requester' }),
    apps: Type.Array(Name, { minItems: 1, maxItems: 100, description: 'applications it may decrypt for' }),
    operator: Type.Optional(Type.Boolean({ description: 'may start and cancel ceremonies' })),
    blocksPerDay: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 1_000_000_000, description: 'decrypted under each key in a day of UTC' }),
    ),
  },
  closed,
);
export type Requester = Static<typeof Requester>;

/** Ways to show where a ciphertext comes from; each is one file in `provenance/`. */
export const ProvenanceKind = Type.Enum(['attested', 'proven']);
export type ProvenanceKind = Static<typeof ProvenanceKind>;
export const COPROCESSORS_MAX = 32;

const CONTRACTS_MAX = 64;

/** What proofs of encryption must be bound to. */
export const ProofRules = Type.Object(
  {
    contracts: Type.Array(Address, { minItems: 1, maxItems: CONTRACTS_MAX, description: 'for which users encrypt' }),
    aclContract: Type.String({ ...Address, description: 'that keeps the access control list of the chain' }),
    hostChainId: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER, description: 'where contracts live' }),
    developmentKeys: Type.Boolean({
      default: false,
      description: 'lists under development keys must be proven too',
    }),
  },
  { ...closed, description: 'for "proven"' },
);
export type ProofRules = Static<typeof ProofRules>;

/** What decides for one application, besides who may ask for it. */
export const Application = Type.Object(
  {
    name: Name,
    provenance: Type.Array(ProvenanceKind, {
      maxItems: 8,
      default: [],
      description: 'what shows that a ciphertext under a production key is genuine; each is enough by itself',
    }),
    coprocessors: Type.Array(Address, { maxItems: COPROCESSORS_MAX, default: [], description: 'whose keys attest' }),
    attestations: Type.Optional(
      Type.Integer({ minimum: 1, maximum: COPROCESSORS_MAX, description: 'how many of them must have signed' }),
    ),
    acl: Type.Optional(
      Type.Object(
        {
          chain: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER, description: 'id of one of chains' }),
          contract: Address,
        },
        { ...closed, description: 'contract that says who may have which value' },
      ),
    ),
    proofs: Type.Optional(ProofRules),
  },
  closed,
);
export type Application = Static<typeof Application>;

const Port = Type.Integer({ minimum: 0, maximum: 65_535 });
const Path = Type.String({ minLength: 1, maxLength: 4096 });
/** As browsers send it, in lower case; a page of this machine may come from any port. */
const Origin = Type.String({
  pattern:
    '^https?://([a-z0-9.-]{1,253}|\\[[0-9a-f:.]{2,45}\\])(:[0-9]{1,5})?$|^http://(localhost|127\\.0\\.0\\.1):\\*$',
});

/** Bounds of what callers may make a node do. */
export const Limits = Type.Object(
  {
    requestsPerMinute: Type.Integer({ minimum: 1, maximum: 1_000_000, default: 600, description: 'per requester' }),
    bodyBytes: Type.Integer({ minimum: 1024, maximum: 2 ** 27, default: 2 ** 25 }),
    ciphertextsPerRequest: Type.Integer({ minimum: 1, maximum: 256, default: 64 }),
    blocksPerRequest: Type.Integer({ minimum: 1, maximum: 8192, default: 2048 }),
    userClockSeconds: Type.Integer({
      minimum: 0,
      maximum: 3600,
      default: 60,
      description: "how far the clock of a user's wallet may be off from this node's",
    }),
    runningRequests: Type.Integer({ minimum: 1, maximum: 4096, default: 256 }),
    keptRequests: Type.Integer({
      minimum: 1,
      maximum: 1_000_000,
      default: 20_000,
      description: 'finished, in memory too',
    }),
    keptHandles: Type.Integer({
      minimum: 1,
      maximum: 10_000_000,
      default: 200_000,
      description: 'under production keys, in memory too',
    }),
    waiters: Type.Integer({ minimum: 1, maximum: 10_000, default: 1024, description: 'long polls and event streams' }),
    ciphertextBytes: Type.Integer({
      minimum: 2 ** 20,
      maximum: 2 ** 36,
      default: 2 ** 28,
      description: 'handed over by all requesters, in memory',
    }),
    ciphertextBytesPerRequester: Type.Integer({ minimum: 2 ** 20, maximum: 2 ** 36, default: 2 ** 27 }),
    ciphertextSeconds: Type.Integer({
      minimum: 1,
      maximum: 30 * DAY_SECONDS,
      default: 3600,
      description: 'until one that nobody uses is forgotten',
    }),
  },
  { ...closed, default: {} },
);
export type Limits = Static<typeof Limits>;

export const Timing = Type.Object(
  {
    roundMs: Type.Integer({ minimum: 20, maximum: 600_000, default: 2000, description: 'one synchronous round' }),
    keygenSeconds: Type.Integer({ minimum: 1, maximum: DAY_SECONDS, default: 1800 }),
    decryptionSeconds: Type.Integer({ minimum: 1, maximum: 3600, default: 30 }),
    crsTurnSeconds: Type.Integer({ minimum: 1, maximum: 3600, default: 180 }),
  },
  { ...closed, default: {} },
);

export const Pool = Type.Object(
  {
    target: Type.Integer({ minimum: 0, maximum: 2 ** 20, default: 8192, description: 'blocks kept ready' }),
    batch: Type.Integer({ minimum: 16, maximum: 2048, default: 1024, description: 'blocks made at once' }),
  },
  { ...closed, default: {} },
);

const Url = Type.String({ pattern: '^https?://[^\\s]{1,500}$' });
/** Without a name and password in it: fetch takes none. */
const RpcUrl = Type.String({ pattern: '^https?://[^\\s@]{1,500}$' });
const EnvironmentVariable = Type.String({ pattern: '^[A-Z_][A-Z0-9_]{0,63}$' });

export const S3 = Type.Object(
  {
    endpoint: Url,
    region: Type.String({ pattern: '^[a-z0-9-]{1,64}$', default: 'us-east-1' }),
    bucket: Type.String({ pattern: '^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$' }),
    prefix: Type.Optional(Type.String({ pattern: '^[A-Za-z0-9._-]{1,100}(/[A-Za-z0-9._-]{1,100}){0,4}$' })),
    publicUrl: Type.Optional(Url),
    credentialsFile: Type.Optional(Path),
    credentialsEnv: Type.Optional(EnvironmentVariable),
  },
  closed,
);
export type S3 = Static<typeof S3>;

/** A chain that holds contracts which decide: wallets, access lists. */
export const Chain = Type.Object(
  {
    id: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }),
    rpc: Type.Array(RpcUrl, { minItems: 1, maxItems: 8, description: 'JSON-RPC of nodes that this operator trusts' }),
    quorum: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 8, description: 'how many of rpc must answer; more than half when absent' }),
    ),
    finality: Type.Union([Type.Enum(['finalized', 'latest']), Type.Integer({ minimum: 1, maximum: 100_000 })], {
      default: 'finalized',
      description: 'which block counts: the last one under this tag, or that many below the newest',
    }),
    timeoutMs: Type.Integer({ minimum: 100, maximum: 8_000, default: 2_000, description: 'of one exchange' }),
    staleSeconds: Type.Integer({ minimum: 1, maximum: DAY_SECONDS, default: 3_600, description: 'age of that block' }),
  },
  closed,
);
export type Chain = Static<typeof Chain>;

export const NodeFile = Type.Object(
  {
    party: PartyNumber,
    network: Type.String({ ...Path, description: 'path of network.toml, relative to this file' }),
    data: Type.String({ ...Path, description: 'data directory, relative to this file' }),
    unlock: Type.Object(
      {
        keyFile: Type.Optional(Path),
        passphraseFile: Type.Optional(Path),
        passphraseEnv: Type.Optional(EnvironmentVariable),
      },
      { ...closed, description: 'exactly one of them opens the store' },
    ),
    p2p: Type.Object({ listen: Multiaddress }, closed),
    rest: Type.Object(
      {
        host: Type.String({ minLength: 1, maxLength: 255 }),
        port: Port,
        url: Type.Optional(Type.String({ pattern: '^https?://[^\\s]{1,500}$', description: 'as callers see it' })),
        origins: Type.Array(Origin, { maxItems: 100, default: [], description: 'whose pages may read answers' }),
      },
      closed,
    ),
    log: Type.Optional(Type.Enum(['debug', 'info', 'warn', 'error'])),
    keys: Type.Object(
      {
        purposes: Type.Array(Purpose, { minItems: 1, maxItems: 2, default: ['development'] }),
        parameters: Type.Array(KeySetName, {
          minItems: 1,
          maxItems: KEY_SET_NAMES.length,
          default: ['default', 'base'],
        }),
        defaultPurpose: Type.Optional(Purpose),
        megabitPerSecond: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000 })),
      },
      { ...closed, default: {}, description: 'which key generations this node takes part in' },
    ),
    material: Type.Object(
      { s3: Type.Optional(S3) },
      { ...closed, default: {}, description: 'where public objects are stored besides this node' },
    ),
    pool: Pool,
    timing: Timing,
    limits: Limits,
    chains: Type.Array(Chain, { maxItems: 32, default: [] }),
    requesters: Type.Array(Requester, { maxItems: 1000, default: [] }),
    applications: Type.Array(Application, { maxItems: 1000, default: [] }),
  },
  closed,
);
export type NodeFile = Static<typeof NodeFile>;
