/**
 * Public keys of the network: the record of a key counts when t+1 nodes signed the same digests, an object when its
 * bytes have the digest of the record. Where the bytes come from does not matter, so they may be cached by digest.
 * Everybody may read them.
 */
import { keyDigest } from '@keyquorum/wire/digest';
import { KEY_TYPE, type KeyType, keyGenerationDigest } from '@keyquorum/wire/eip712';
import { equalBytes } from '@keyquorum/wire/equal-bytes';
import { recoverSigner } from '@keyquorum/wire/signer';
import { hexToBytes } from '@noble/hashes/utils.js';
import type { Committee, CommitteeNode } from './committee.ts';
import { AnswerError, type KeyAnswer, type KeyObject, readKeyAnswer } from './contract.ts';
import { ClientError } from './errors.ts';
import { type Exchange, exchange, exchangeBytes, HttpProblem } from './http.ts';
import { deferred, delay } from './timing.ts';

const RECORD_BYTES_MAX = 64 * 1_024;
/** Head start of each node over the next one. */
const HEAD_START_MS = 1_000;

/** Names of public objects, and their numbers in the signed struct. */
const KEY_TYPES: ReadonlyMap<string, KeyType> = new Map([
  ['CompressedServerKey', KEY_TYPE.server],
  ['CompactPublicKey', KEY_TYPE.public],
  ['CompressedCompactPublicKey', KEY_TYPE.compressedPublic],
  ['CompressedXofKeySet', KEY_TYPE.compressedKeySet],
]);

/** Keeps objects between page loads, say in IndexedDB or a folder. What comes out is checked again. */
export interface MaterialCache {
  /** `digest`: 64 hex characters. */
  get(digest: string): Promise<Uint8Array | undefined>;
  set(digest: string, bytes: Uint8Array): Promise<void>;
}

export function createMemoryCache(): MaterialCache {
  const objects = new Map<string, Uint8Array>();
  return {
    get: async (digest) => objects.get(digest),
    async set(digest, bytes) {
      objects.set(digest, bytes);
    },
  };
}

export interface KeyMaterialOptions {
  readonly deadlineMs: number;
  readonly signal?: AbortSignal;
  readonly fetch?: typeof fetch;
  readonly cache: MaterialCache;
}

/** The objects of a key that t+1 nodes signed alike. */
export interface ProvenKey {
  readonly keyId: string;
  readonly objects: readonly { readonly type: string; readonly digest: string; readonly size: number }[];
}

type Request = Omit<Exchange, 'url' | 'bytesMax'>;

/**
 * Done as soon as t+1 nodes agree: silent ones are not waited for.
 * @throws ClientError KEY_UNPROVEN, ABORTED
 */
export async function fetchKey(committee: Committee, keyId: string, options: KeyMaterialOptions): Promise<ProvenKey> {
  const { nodes, threshold } = committee;
  const enough = new AbortController();
  const request = requestOf(options, enough.signal);
  const proven = deferred<ProvenKey>();
  const signed = new Map<string, number>();
  const asked = nodes.map((node) =>
    problemOf(async () => {
      const record = await signedRecord(committee, node, keyId, request);
      const content = contentOf(record);
      const count = (signed.get(content) ?? 0) + 1;
      signed.set(content, count);
      if (count > threshold) proven.resolve({ keyId, objects: record.objects.map(withoutSignature) });
    }, request.signal),
  );
  const failed = Promise.all(asked).then((problems): never => {
    if (options.signal?.aborted) throw new ClientError('ABORTED', 'stopped before enough nodes had told the key');
    const said = problems.map((problem, index) => `${index + 1} ${problem ?? 'signed another record'}`).join('; ');
    throw new ClientError('KEY_UNPROVEN', `want ${threshold + 1} nodes that sign the same record of ${keyId}: ${said}`);
  });
  try {
    return await Promise.race([proven.promise, failed]);
  } finally {
    enough.abort();
    failed.catch(() => {}); // too late to matter
  }
}

/**
 * The bytes of one object of the key, from the cache or from the first node that serves the right ones.
 * @throws ClientError KEY_UNPROVEN, OBJECT_MISSING, MATERIAL_UNAVAILABLE, ABORTED
 */
export async function fetchKeyObject(
  committee: Committee,
  wanted: { readonly keyId: string; readonly type: string },
  options: KeyMaterialOptions,
): Promise<Uint8Array> {
  const { objects } = await fetchKey(committee, wanted.keyId, options);
  const object = objects.find(({ type }) => type === wanted.type);
  if (object === undefined) {
    const known = objects.map(({ type }) => type).join(', ');
    throw new ClientError('OBJECT_MISSING', `key ${wanted.keyId} has no ${wanted.type}, but ${known}`);
  }
  const { digest, size } = object;
  const cached = await options.cache.get(digest);
  if (cached && equalBytes(keyDigest(cached), hexToBytes(digest))) return cached;
  const bytes = await download(committee, { digest, size }, options);
  await options.cache.set(digest, bytes);
  return bytes;
}

async function signedRecord(
  committee: Committee,
  { url, signer }: CommitteeNode,
  keyId: string,
  request: Request,
): Promise<KeyAnswer> {
  const place = new URL(`/v1/keys/${keyId}`, url).href;
  const { status, body } = await exchange({ ...request, url: place, bytesMax: RECORD_BYTES_MAX });
  if (status !== 200) throw new AnswerError(`status ${status}`);
  const record = readKeyAnswer(body);
  if (record.requestId !== keyId || record.objects.length === 0) throw new AnswerError('no finished key of this id');
  const domain = { chainId: committee.gatewayChainId, verifyingContract: committee.decryptionContract };
  const digest = keyGenerationDigest(domain, {
    prepKeygenId: 0n,
    keyId: BigInt(`0x${keyId}`),
    keyDigests: inOrder(record.objects).map(({ type, digest: hex }) => {
      return { keyType: typeNumber(type), digest: hexToBytes(hex) };
    }),
    extraData: new Uint8Array(0),
  });
  for (const { signature } of record.objects) {
    if (recoverSigner(digest, hexToBytes(signature))?.toLowerCase() === signer.toLowerCase()) continue;
    throw new AnswerError(`record not signed by ${signer}`);
  }
  return record;
}

/** Asks one node after the other, each a moment after the one before; the first right bytes count. */
async function download(
  { nodes }: Committee,
  { digest, size }: { readonly digest: string; readonly size: number },
  options: KeyMaterialOptions,
): Promise<Uint8Array> {
  const enough = new AbortController();
  const request = requestOf(options, enough.signal);
  const found = deferred<Uint8Array>();
  const asked = nodes.map(({ url }, index) =>
    problemOf(async () => {
      await delay(index * HEAD_START_MS, request.signal);
      const place = new URL(`/v1/material/${digest}`, url).href;
      const { status, bytes } = await exchangeBytes({ ...request, url: place, bytesMax: size });
      if (status !== 200) throw new AnswerError(`status ${status}`);
      if (!equalBytes(keyDigest(bytes), hexToBytes(digest))) throw new AnswerError('bytes with another digest');
      found.resolve(bytes);
    }, request.signal),
  );
  const failed = Promise.all(asked).then((problems): never => {
    if (options.signal?.aborted) throw new ClientError('ABORTED', 'stopped before the object had come');
    const said = problems.map((problem, index) => `${index + 1} ${problem}`).join('; ');
    throw new ClientError('MATERIAL_UNAVAILABLE', `no node served object ${digest}: ${said}`);
  });
  try {
    return await Promise.race([found.promise, failed]);
  } finally {
    enough.abort();
    failed.catch(() => {}); // too late to matter
  }
}

/** What went wrong with one node, in words; undefined when nothing did. */
async function problemOf(ask: () => Promise<void>, signal: AbortSignal): Promise<string | undefined> {
  try {
    await ask();
    return undefined;
  } catch (error) {
    if (error instanceof AnswerError || error instanceof HttpProblem) return error.message;
    if (signal.aborted) return 'no answer before the deadline';
    throw error;
  }
}

function requestOf({ deadlineMs, signal, fetch }: KeyMaterialOptions, enough: AbortSignal): Request {
  const signals = [AbortSignal.timeout(deadlineMs), enough, ...(signal ? [signal] : [])];
  return { method: 'GET', signal: AbortSignal.any(signals), ...(fetch && { fetch }) };
}

function withoutSignature({ type, digest, size }: KeyObject) {
  return { type, digest, size };
}

function typeNumber(type: string): KeyType {
  const number = KEY_TYPES.get(type);
  if (number === undefined) throw new AnswerError(`unknown object ${type}`);
  return number;
}

function inOrder(objects: readonly KeyObject[]): KeyObject[] {
  return [...objects].sort((left, right) => typeNumber(left.type) - typeNumber(right.type));
}

/** Equal for records that say the same. `size` is unsigned: it only bounds a download, so t+1 must agree on it. */
function contentOf({ objects }: KeyAnswer): string {
  return JSON.stringify(inOrder(objects).map(({ type, digest, size }) => [type, digest, size]));
}
