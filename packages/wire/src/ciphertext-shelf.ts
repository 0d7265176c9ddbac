/**
 * Ciphertexts that callers handed over once, so that requests name them by digest instead of carrying them: in memory,
 * by owner and SHA-256 of the bytes. An owner finds nothing but its own: what others hold, nobody can find out.
 *
 * Bounds: bytes per owner and in all; what was used longest ago goes first, that of the owner before that of others,
 * and everything goes that nobody used for `keptMs`. So there is always room, and whoever finds its ciphertext gone
 * hands it over again. What is on its way in is bounded by itself and drives nothing out before its digest is checked.
 */
import { bytesToHex } from '@noble/hashes/utils.js';
import { WireError } from './error.ts';

/** Longer ciphertexts are worth a digest; below, naming them saves less than the second call costs. */
export const INLINE_BYTES_MAX = 64 * 1024;
/** Of the largest object, 17 MiB. */
export const CIPHERTEXT_BYTES_MAX = 18 * 2 ** 20;
/** What an entry costs beside its bytes. */
const ENTRY_BYTES = 512;

/** SHA-256 that takes its input in pieces. */
export interface RunningSha256 {
  update(bytes: Uint8Array): RunningSha256;
  digest(): Uint8Array;
}

export interface ShelfLimits {
  readonly bytesMax: number;
  readonly ownerBytesMax: number;
  readonly keptMs: number;
}

/** A ciphertext on its way in. */
export interface Upload {
  readonly owner: string;
  /** SHA-256, 64 lower-case hex digits. */
  readonly digest: string;
  /** As announced; the chunks must be exactly so many bytes. */
  readonly size: number;
  readonly chunks: AsyncIterable<Uint8Array>;
}

export interface CiphertextShelf {
  /**
   * Takes a ciphertext in; the result are its bytes.
   * @throws WireError UPLOAD_TOO_LARGE or UPLOADS_BUSY before anything is read, CIPHERTEXT_DIGEST
   */
  receive(upload: Upload): Promise<Uint8Array>;
  /** Bytes that were checked against the digest. Drops what was used longest ago if there is no room. */
  put(owner: string, digest: string, bytes: Uint8Array): void;
  get(owner: string, digest: string): Uint8Array | undefined;
  held(): { readonly count: number; readonly bytes: number };
}

interface Entry {
  readonly owner: string;
  readonly bytes: Uint8Array;
  usedMs: number;
}

interface Modules {
  /** Read at every use. */
  readonly limits: ShelfLimits;
  readonly newSha256: () => RunningSha256;
  /** Milliseconds. */
  now(): number;
}

const nameOf = (owner: string, digest: string) => `${digest} ${owner}`;
const costOf = ({ bytes }: Pick<Entry, 'bytes'>) => bytes.length + ENTRY_BYTES;

export function createCiphertextShelf({ limits, newSha256, now }: Modules): CiphertextShelf {
  /** Used longest ago first. */
  const entries = new Map<string, Entry>();
  const held = createTally();
  const coming = createTally();

  function drop(name: string, entry: Entry): void {
    entries.delete(name);
    held.add(entry.owner, -costOf(entry));
  }

  function dropExpired(): void {
    for (const [name, entry] of entries) {
      if (entry.usedMs >= now() - limits.keptMs) return;
      drop(name, entry);
    }
  }

  function makeRoom(owner: string, bytes: number): void {
    for (const [name, entry] of entries) {
      if (held.of(owner) + bytes <= limits.ownerBytesMax) break;
      if (entry.owner === owner) drop(name, entry);
    }
    for (const [name, entry] of entries) {
      if (held.inAll() + bytes <= limits.bytesMax) break;
      drop(name, entry);
    }
  }

  function put(owner: string, digest: string, bytes: Uint8Array): void {
    dropExpired();
    const name = nameOf(owner, digest);
    const before = entries.get(name);
    if (before) drop(name, before);
    const entry = { owner, bytes, usedMs: now() };
    if (costOf(entry) > Math.min(limits.ownerBytesMax, limits.bytesMax)) return;
    makeRoom(owner, costOf(entry));
    entries.set(name, entry);
    held.add(owner, costOf(entry));
  }

  /** Half of an owner's share for one, all of it for all. */
  function requireWay({ owner, size }: Upload): void {
    const most = Math.min(limits.ownerBytesMax, limits.bytesMax);
    if (size > Math.min(CIPHERTEXT_BYTES_MAX, most / 2)) {
      throw new WireError('UPLOAD_TOO_LARGE', `${size} bytes, at most ${Math.min(CIPHERTEXT_BYTES_MAX, most / 2)}`);
    }
    if (coming.of(owner) + size > most / 2 || coming.inAll() + size > most) {
      throw new WireError('UPLOADS_BUSY', `${coming.inAll()} bytes of ciphertexts are on their way in`);
    }
  }

  return {
    put,
    async receive(upload) {
      requireWay(upload);
      const { owner, digest, size } = upload;
      coming.add(owner, size);
      try {
        const bytes = await collect(upload, newSha256());
        put(owner, digest, bytes);
        return bytes;
      } finally {
        coming.add(owner, -size);
      }
    },
    get(owner, digest) {
      dropExpired();
      const name = nameOf(owner, digest);
      const entry = entries.get(name);
      if (!entry) return undefined;
      entry.usedMs = now();
      entries.delete(name);
      entries.set(name, entry);
      return entry.bytes;
    },
    held: () => ({ count: entries.size, bytes: held.inAll() }),
  };
}

/** Hashes while the bytes come. What was announced is counted already, so it may be allocated. */
async function collect({ digest, size, chunks }: Upload, hash: RunningSha256): Promise<Uint8Array> {
  const bytes = new Uint8Array(size);
  let received = 0;
  for await (const chunk of chunks) {
    if (received + chunk.length > size) throw otherSize(size);
    hash.update(chunk);
    bytes.set(chunk, received);
    received += chunk.length;
  }
  if (received < size) throw otherSize(size);
  const found = bytesToHex(hash.digest());
  if (found !== digest) throw new WireError('CIPHERTEXT_DIGEST', `the SHA-256 of these bytes is ${found}`);
  return bytes;
}

function otherSize(size: number): WireError {
  return new WireError('CIPHERTEXT_DIGEST', `other than the ${size} bytes that were announced`);
}

/** What a Content-Length header announces; undefined unless it is a number of bytes. */
export function announcedBytes(contentLength: string | undefined): number | undefined {
  return contentLength !== undefined && /^[0-9]{1,15}$/.test(contentLength) ? Number(contentLength) : undefined;
}

/** Bytes by owner, and their sum. */
function createTally() {
  const byOwner = new Map<string, number>();
  let sum = 0;
  return {
    of: (owner: string) => byOwner.get(owner) ?? 0,
    inAll: () => sum,
    add(owner: string, bytes: number) {
      const now = (byOwner.get(owner) ?? 0) + bytes;
      if (now === 0) byOwner.delete(owner);
      else byOwner.set(owner, now);
      sum += bytes;
    },
  };
}
