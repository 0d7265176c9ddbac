/**
 * Everything in a data directory, in one place. Retired names stay listed and are never used again.
 *
 *   store.json            sealed master key (master-key.ts)
 *   head                  generation and sum of the newest records, beside the database (head-file.ts)
 *   records/              Level database:
 *     !journal/v1!<key>     -> tag 32 | value     decisions of the protocols (Journal)
 *     !requests/v1!<id>     -> tag 32 | JSON      public decryptions: content hash, state, answer
 *     !handles/v1!<key>/<handle> -> tag 32 | digest 32 | ms   ciphertext that a handle names under a production key
 *     !quotas/v1!<requester>/<key> -> tag 32 | JSON   blocks that a requester has had today
 *     !published/v1!<uri>   -> tag 32 | version   public objects that were verified in object storage
 *     !meta/v1!head         -> same bytes as the head file
 *   secrets/<name>.key    data key of a secret (secrets.ts)
 *   secrets/<name>.box    the secret
 *   public/<name>.bin     tag 32 | bytes (publics.ts)
 */
export const RECORDS_FOLDER = 'records';
export const SECRETS_FOLDER = 'secrets';
export const PUBLIC_FOLDER = 'public';
export const HEAD_FILE = 'head';

/** Tables of the record database: name -> what it holds. */
export const TABLES = {
  journal: 'journal/v1',
  requests: 'requests/v1',
  handles: 'handles/v1',
  quotas: 'quotas/v1',
  published: 'published/v1',
} as const;
export type TableName = keyof typeof TABLES;

export const META_TABLE = 'meta/v1';
export const HEAD_KEY = 'head';

/** Names of secrets that the node itself owns; everything else belongs to the ceremonies. */
export const IDENTITY_SECRET = 'identity/ed25519';
export const SIGNER_SECRET = 'identity/secp256k1';
