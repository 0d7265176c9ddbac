/** What the routes work with. The daemon fills it once; routes hold no state and no logic of their own. */
import type { Services } from '@keyquorum/protocols/services';
import type { CiphertextShelf } from '@keyquorum/wire/ciphertext-shelf';
import type { Logger } from 'pino';
import type { NodeConfig } from '../config/config.ts';
import type { MaterialStore } from '../material/material-store.ts';
import type { PublicDecryptionBody, UserDecryptionBody } from '../requests/body.ts';
import type { PublicContent, UserContent } from '../requests/content.ts';
import type { Decryptions } from '../requests/decryptions.ts';
import type { Caller, Requesters } from '../requests/requester.ts';
import type { CrsViews } from './crs-view.ts';
import type { KeyViews } from './key-view.ts';
import type { Status } from './schemas.ts';
import type { Waiting } from './waiting.ts';

export interface RestContext {
  readonly config: Pick<NodeConfig, 'keys' | 'limits' | 'rest'>;
  readonly log: Logger;
  readonly requesters: Requesters;
  readonly services: Services;
  readonly shelf: CiphertextShelf;
  readonly publicDecryptions: Decryptions<PublicDecryptionBody, PublicContent>;
  readonly userDecryptions: Decryptions<UserDecryptionBody, UserContent>;
  readonly keys: KeyViews;
  readonly material: MaterialStore;
  readonly referenceStrings: CrsViews;
  readonly waiting: Waiting;
  /** EIP-55 address that signs answers. */
  readonly signer: string;
  status(): Status;
  /** Prometheus text. */
  metrics(): Promise<{ readonly contentType: string; readonly text: string }>;
  observe(operation: string, status: number, seconds: number): void;
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Set by authentication (authentication.ts) before the handler of a protected route runs. */
    caller: Caller | null;
  }
}
