/**
 * Where public objects can be had, by digest: this node itself (node-material.ts), or object storage (s3-material.ts).
 * What is there under a digest is immutable; whoever reads compares it with the digest.
 */
import type { PublicObject } from '@keyquorum/protocols/material/public-object';

/** `Cache-Control` of what is named by its digest. */
export const CACHE_FOREVER = 'public, max-age=31536000, immutable';

/** What a place holds under a digest, as far as it tells without being read. */
export interface StoredObject {
  readonly size: number;
  /** Changes whenever the place holds other bytes. */
  readonly version: string;
}

export interface MaterialStore {
  /** Where the bytes are served, now or once they are there. */
  uri(digest: string): string;
  find(digest: string, signal?: AbortSignal): Promise<StoredObject | undefined>;
  /** Complete when it resolves, absent or as before when it rejects. Replaces what is there. */
  put(object: PublicObject, signal: AbortSignal): Promise<void>;
  /** Bytes as the place gives them, not yet compared with anything. @throws when nothing is there */
  read(digest: string, options?: ReadOptions): AsyncIterable<Uint8Array>;
}

export interface ReadOptions {
  readonly start?: number;
  /** Exclusive. */
  readonly end?: number;
  readonly signal?: AbortSignal;
}
