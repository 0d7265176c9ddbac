/**
 * Object storage that speaks S3 as a place of public objects: `<prefix>/<digest>` in one bucket. Objects are streamed
 * in parts, so that memory stays small; an upload that fails leaves nothing under the name. Requests are retried with
 * back-off by the client library.
 */
import { Readable } from 'node:stream';
import { GetObjectCommand, HeadObjectCommand, NotFound, S3Client } from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { CACHE_FOREVER, type MaterialStore } from './material-store.ts';

/** Two parts of this size are in memory at a time; at most 10 000 of them make an object. */
const PART_BYTES = 8 * 2 ** 20;
const PARTS_UNDER_WAY = 2;
const ATTEMPTS = 4;
const CONNECT_MS = 10_000;
/** Of silence on an open connection. */
const IDLE_MS = 60_000;

export interface S3Place {
  /** Without a slash at the end, as `publicUrl`. */
  readonly endpoint: string;
  readonly region: string;
  readonly bucket: string;
  readonly prefix: string | undefined;
  /** Where anybody reads what is under the prefix, when that is not the endpoint. */
  readonly publicUrl: string | undefined;
}

export interface S3Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

export function createS3Material(place: S3Place, credentials: S3Credentials): MaterialStore {
  const { endpoint, region, bucket, prefix } = place;
  const client = new S3Client({
    ...{ endpoint, region, credentials, maxAttempts: ATTEMPTS },
    forcePathStyle: true, // all stores understand it
    // Not all stores understand checksums in trailers; what is stored is compared with its digest anyway.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: { connectionTimeout: CONNECT_MS, socketTimeout: IDLE_MS },
  });
  const folder = prefix === undefined ? '' : `${prefix}/`;
  const base = place.publicUrl ?? `${endpoint}/${bucket}${prefix === undefined ? '' : `/${prefix}`}`;
  const named = (digest: string) => ({ Bucket: bucket, Key: folder + digest });

  return {
    uri: (digest) => `${base}/${digest}`,
    async find(digest, signal) {
      try {
        const { ContentLength, ETag } = await client.send(new HeadObjectCommand(named(digest)), {
          ...(signal && { abortSignal: signal }),
        });
        return { size: ContentLength ?? 0, version: ETag ?? '' };
      } catch (error) {
        if (error instanceof NotFound) return undefined;
        throw error;
      }
    },
    async put({ digest, read }, signal) {
      let unread: unknown;
      const body = async function* () {
        try {
          yield* read();
        } catch (error) {
          unread = error;
          throw error;
        }
      };
      const upload = new Upload({
        client,
        params: {
          ...named(digest),
          Body: Readable.from(body(), { objectMode: false }),
          ContentType: 'application/octet-stream',
          CacheControl: CACHE_FOREVER,
        },
        partSize: PART_BYTES,
        queueSize: PARTS_UNDER_WAY,
      });
      const abort = () => void upload.abort();
      signal.addEventListener('abort', abort, { once: true });
      try {
        signal.throwIfAborted();
        await upload.done();
      } catch (error) {
        throw unread ?? error; // why it was given up, not what the storage says to that
      } finally {
        signal.removeEventListener('abort', abort);
      }
    },
    async *read(digest, { start = 0, end, signal } = {}) {
      const range =
        start === 0 && end === undefined ? {} : { Range: `bytes=${start}-${end === undefined ? '' : end - 1}` };
      const { Body } = await client.send(new GetObjectCommand({ ...named(digest), ...range }), {
        ...(signal && { abortSignal: signal }),
      });
      if (!(Body instanceof Readable)) throw new TypeError('the object storage sent no stream');
      yield* Body as AsyncIterable<Uint8Array>;
    },
  };
}
