/**
 * The requests that a coordinator service knows: finds a request again by its id, binds the id to its content and to
 * its caller, and forgets the oldest finished ones. In memory only: nodes remember, and a caller may simply ask again.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { Coordination } from '@keyquorum/client/public-decryption';
import type { PublicDecryptionRequest } from './contract.ts';
import { CoordinationError } from './errors.ts';

/** Requests under way at once; each holds one body and n connections. */
export const RUNNING_MAX = 256;
/** Finished requests remembered. */
export const FINISHED_MAX = 1_024;

interface Entry {
  readonly content: Buffer;
  readonly caller: Buffer;
  readonly coordination: Coordination;
}

export interface Requests {
  /** The request under its id, started when new. Throws REQUEST_CONFLICT or BUSY. */
  open(request: PublicDecryptionRequest, authorization: string): Coordination;
  /** Throws REQUEST_UNKNOWN, also for another caller's request. */
  find(requestId: string, authorization: string): Coordination;
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

export function createRequests(
  start: (request: PublicDecryptionRequest, authorization: string) => Coordination,
): Requests {
  const running = new Map<string, Entry>();
  const finished = new Map<string, Entry>(); // in order of finishing

  function retire(requestId: string, entry: Entry): void {
    running.delete(requestId);
    finished.set(requestId, entry);
    for (const oldest of finished.keys()) {
      if (finished.size <= FINISHED_MAX) return;
      finished.delete(oldest);
    }
  }

  function lookUp(requestId: string, authorization: string): Entry | undefined {
    const entry = running.get(requestId) ?? finished.get(requestId);
    return entry && timingSafeEqual(entry.caller, sha256(authorization)) ? entry : undefined;
  }

  return {
    open(request, authorization) {
      const { requestId } = request;
      const content = sha256(JSON.stringify(request));
      const known = lookUp(requestId, authorization);
      if (known?.content.equals(content)) return known.coordination;
      if (running.has(requestId) || finished.has(requestId)) {
        throw new CoordinationError('REQUEST_CONFLICT', `request ${requestId} is known with other content or caller`);
      }
      if (running.size >= RUNNING_MAX) {
        throw new CoordinationError('BUSY', `${RUNNING_MAX} requests are under way`);
      }
      const coordination = start(request, authorization);
      const entry = { content, caller: sha256(authorization), coordination };
      running.set(requestId, entry);
      coordination.finished.finally(() => retire(requestId, entry));
      return coordination;
    },
    find(requestId, authorization) {
      const entry = lookUp(requestId, authorization);
      if (!entry) throw new CoordinationError('REQUEST_UNKNOWN', `no request ${requestId} of this caller`);
      return entry.coordination;
    },
  };
}
