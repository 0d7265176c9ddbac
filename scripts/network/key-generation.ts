/**
 * Asks a network for a key and fetches what it published, as any client would: over REST, trusting no byte unchecked.
 */
import { randomBytes } from 'node:crypto';
import type { KeySetName } from '@keyquorum/tfhe/key-sets';
import { keyDigest } from '@keyquorum/wire/digest';
import { type Rest, waitFor } from './rest.ts';

/** Long polls end at once when something changes. */
const WAIT_SECONDS = 20;

export interface KeyObject {
  readonly type: string;
  readonly digest: string;
  readonly size: number;
  readonly uris: readonly string[];
  readonly signature: string;
}

export interface KeyState {
  readonly requestId: string;
  readonly state: 'pending' | 'running' | 'succeeded' | 'failed' | 'aborted';
  readonly phase: string;
  readonly done: number;
  readonly total: number;
  readonly objects: readonly KeyObject[];
  readonly error?: { readonly code: string; readonly message: string };
}

export interface KeyRequest {
  readonly parameters: KeySetName;
  readonly purpose: 'development' | 'production';
}

export function newRequestId(): string {
  return randomBytes(32).toString('hex');
}

/** One `ceremony` event of `GET /v1/ceremonies/{id}/events`, as far as it is shown. */
export interface CeremonyProgress {
  readonly phase: string;
  readonly done: number;
  readonly total: number;
  readonly waitingFor: readonly number[];
  readonly bytesSent: number;
  readonly etaSeconds: number | null;
}

/** Starts a key generation and follows it to its end. Throws with the node's reason when it does not succeed. */
export async function generateKey(
  rest: Rest,
  request: KeyRequest,
  onProgress: (progress: CeremonyProgress) => void = () => {},
): Promise<KeyState> {
  const requestId = newRequestId();
  await rest.post('/v1/keys', { requestId, ...request });
  for await (const { data } of rest.events(`/v1/ceremonies/${requestId}/events`)) onProgress(JSON.parse(data));
  for (;;) {
    const state = await rest.get<KeyState>(`/v1/keys/${requestId}?wait=${WAIT_SECONDS}`);
    if (state.state === 'succeeded') return state;
    if (state.state === 'failed' || state.state === 'aborted') {
      throw new Error(`key generation ${state.state}: ${state.error?.code} ${state.error?.message}`);
    }
  }
}

/** The key as another node tells it, once that node has finished too. */
export function finishedKey(rest: Rest, keyId: string, withinMs: number): Promise<KeyState> {
  return waitFor({ what: `key ${keyId.slice(0, 8)} at ${rest.url}`, withinMs }, async () => {
    const state = await rest.get<KeyState>(`/v1/keys/${keyId}?wait=${WAIT_SECONDS}`);
    return state.state === 'succeeded' ? state : undefined;
  });
}

/** The bytes of a published object, fetched by its digest. Throws when they are not the announced ones. */
export async function fetchObject(rest: Rest, key: KeyState, type: string): Promise<Uint8Array> {
  const object = key.objects.find((candidate) => candidate.type === type);
  if (!object) throw new Error(`key ${key.requestId} has no ${type}`);
  const bytes = await rest.bytes(`/v1/material/${object.digest}`);
  const digest = Buffer.from(keyDigest(bytes)).toString('hex');
  if (bytes.length !== object.size || digest !== object.digest) {
    throw new Error(
      `${type}: ${bytes.length} bytes with digest ${digest}, announced ${object.size} and ${object.digest}`,
    );
  }
  return bytes;
}
