/**
 * A small client of the nodes' REST interface for the demo, the benches and the end-to-end tests. It only sends and
 * reads JSON; what an answer means is the caller's business.
 */
import { setTimeout as delay } from 'node:timers/promises';

const REQUEST_TIMEOUT_MS = 60_000;
const RETRY_MS_MIN = 20;
const RETRY_MS_MAX = 500;

export interface RestAnswer<Body> {
  readonly status: number;
  readonly body: Body;
}

/** A node said no, or something else than this program expects. */
export class RestError extends Error {
  override readonly name = 'RestError';
  readonly status: number;
  readonly body: unknown;
  constructor(what: string, status: number, body: unknown) {
    super(`${what}: status ${status}: ${JSON.stringify(body)?.slice(0, 500)}`);
    this.status = status;
    this.body = body;
  }
}

export interface Rest {
  readonly url: string;
  /** Any status; the body parsed as JSON, or undefined when it is none. Rejects when nothing answers. */
  ask<Body = unknown>(method: 'GET' | 'POST' | 'DELETE', path: string, body?: unknown): Promise<RestAnswer<Body>>;
  /** The body of a 2xx answer. Throws RestError for any other. */
  get<Body>(path: string): Promise<Body>;
  post<Body>(path: string, body: unknown): Promise<Body>;
  bytes(path: string): Promise<Uint8Array>;
  /** Sends bytes as they are. Throws RestError for any answer but 2xx. */
  put(path: string, bytes: Uint8Array): Promise<void>;
  /** Server-sent events until the server ends the stream. */
  events(path: string): AsyncIterable<ServerEvent>;
}

export interface ServerEvent {
  readonly event: string;
  readonly data: string;
}

/** `apiKey` undefined sends no Authorization header. */
export function createRest(url: string, apiKey?: string): Rest {
  async function send(method: string, path: string, body?: unknown): Promise<Response> {
    const isBinary = body instanceof Uint8Array;
    const headers = new Headers();
    if (apiKey !== undefined) headers.set('authorization', `Bearer ${apiKey}`);
    if (body !== undefined) headers.set('content-type', isBinary ? 'application/octet-stream' : 'application/json');
    return fetch(new URL(path, url), {
      method,
      headers,
      signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
      ...(body !== undefined && {
        body: isBinary || typeof body === 'string' ? (body as BodyInit) : JSON.stringify(body),
      }),
    });
  }
  const rest: Rest = {
    url,
    async ask<Body>(method: string, path: string, body?: unknown) {
      const response = await send(method, path, body);
      const text = await response.text();
      return { status: response.status, body: parse(text) as Body };
    },
    async get<Body>(path: string) {
      return expectOk(`GET ${path}`, await rest.ask<Body>('GET', path));
    },
    async post<Body>(path: string, body: unknown) {
      return expectOk(`POST ${path}`, await rest.ask<Body>('POST', path, body));
    },
    async bytes(path) {
      const response = await send('GET', path);
      if (!response.ok) throw new RestError(`GET ${path}`, response.status, parse(await response.text()));
      return new Uint8Array(await response.arrayBuffer());
    },
    async put(path, bytes) {
      const response = await send('PUT', path, bytes);
      if (!response.ok) throw new RestError(`PUT ${path}`, response.status, parse(await response.text()));
    },
    async *events(path) {
      // No timeout: a key generation may take half an hour, and heartbeats keep the stream alive.
      const response = await fetch(new URL(path, url), {
        headers: apiKey ? { authorization: `Bearer ${apiKey}` } : {},
      });
      if (!response.ok || !response.body) throw new RestError(`GET ${path}`, response.status, await response.text());
      yield* parseEvents(response.body.pipeThrough(new TextDecoderStream()));
    },
  };
  return rest;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // a body that is no JSON, e.g. of a proxy or of /metrics
  }
}

/** Events are separated by empty lines; lines that start with a colon are heartbeats. */
export async function* parseEvents(chunks: AsyncIterable<string>): AsyncGenerator<ServerEvent> {
  let pending = '';
  for await (const chunk of chunks) {
    const blocks = (pending + chunk).split('\n\n');
    pending = blocks.pop() ?? '';
    for (const block of blocks) {
      const field = (name: string) => new RegExp(`^${name}: ?(.*)$`, 'm').exec(block)?.[1];
      const data = field('data');
      if (data !== undefined) yield { event: field('event') ?? 'message', data };
    }
  }
}

function expectOk<Body>(what: string, { status, body }: RestAnswer<Body>): Body {
  if (status < 200 || status >= 300) throw new RestError(what, status, body);
  return body;
}

export interface Wait {
  readonly what: string;
  readonly withinMs: number;
  /** Ends the wait early, e.g. because the process is gone. */
  readonly signal?: AbortSignal;
}

/**
 * Asks again and again, ever more rarely, until `probe` gives something. Connections that fail count as "not yet".
 * Throws what the last probe said when the time is over.
 */
export async function waitFor<Result>(
  { what, withinMs, signal }: Wait,
  probe: () => Promise<Result | undefined>,
): Promise<Result> {
  const deadline = Date.now() + withinMs;
  let problem: unknown;
  for (let pause = RETRY_MS_MIN; ; pause = Math.min(2 * pause, RETRY_MS_MAX)) {
    signal?.throwIfAborted();
    try {
      const result = await probe();
      if (result !== undefined) return result;
    } catch (error) {
      problem = error;
    }
    if (Date.now() > deadline) throw new Error(`${what}: not within ${withinMs} ms`, { cause: problem });
    await delay(pause, undefined, { ...(signal && { signal }) }).catch(() => signal?.throwIfAborted());
  }
}
