/**
 * HTTP towards a node that may be hostile: every answer has a maximum size, no redirect is followed, and the caller's
 * signal ends everything.
 */

export type HttpProblemCode =
  | 'UNREACHABLE' // no connection, or it broke
  | 'OVERSIZE' //    more bytes than the caller allows
  | 'NOT_JSON'; //   the body is no JSON

/** The exchange brought no usable answer. Aborts are not problems: they reject with the signal's reason. */
export class HttpProblem extends Error {
  override readonly name = 'HttpProblem';
  readonly code: HttpProblemCode;
  constructor(code: HttpProblemCode, message: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
  }
}

export interface Exchange {
  readonly method: 'GET' | 'POST' | 'PUT';
  readonly url: string;
  /** Value of the header; absent for what everybody may read: then browsers ask for no permission first. */
  readonly authorization?: string;
  /** JSON, or bytes as they are. */
  readonly body?: string | Uint8Array;
  readonly bytesMax: number;
  readonly signal: AbortSignal;
  /** The global one when absent. */
  readonly fetch?: typeof fetch;
}

export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** Sends and reads one JSON exchange. Throws HttpProblem, or the signal's reason. */
export async function exchange(request: Exchange): Promise<Answer> {
  const { status, bytes } = await exchangeBytes(request);
  const text = new TextDecoder().decode(bytes);
  try {
    return { status, body: JSON.parse(text) };
  } catch (error) {
    throw new HttpProblem('NOT_JSON', `answer of ${text.length} characters is no JSON`, error);
  }
}

/** Sends one exchange and reads the body as it is. Throws HttpProblem, or the signal's reason. */
export async function exchangeBytes(
  request: Exchange,
): Promise<{ readonly status: number; readonly bytes: Uint8Array }> {
  const { method, url, authorization, body, bytesMax, signal, fetch = globalThis.fetch } = request;
  try {
    const headers = {
      accept: '*/*',
      ...(authorization && { authorization }),
      ...(body && { 'content-type': typeof body === 'string' ? 'application/json' : 'application/octet-stream' }),
    };
    const response = await fetch(url, {
      method,
      headers,
      signal,
      redirect: 'error',
      ...(body && { body: body as BodyInit }),
    });
    return { status: response.status, bytes: await readBounded(response, bytesMax) };
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof HttpProblem) throw error;
    throw new HttpProblem('UNREACHABLE', `${method} ${url}: ${reasonOf(error)}`, error);
  }
}

async function readBounded({ body }: Response, bytesMax: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let received = 0;
  const reader = body?.getReader(); // not every browser iterates over streams
  for (let next = await reader?.read(); next && !next.done; next = await reader?.read()) {
    received += next.value.byteLength;
    if (received > bytesMax) {
      await reader?.cancel(); // an endless answer is cut off here
      throw new HttpProblem('OVERSIZE', `answer of more than ${bytesMax} bytes`);
    }
    chunks.push(next.value);
  }
  const whole = new Uint8Array(received);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.byteLength;
  }
  return whole;
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message : error.message;
}
