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
  readonly method: 'GET' | 'POST';
  readonly url: string;
  readonly authorization: string;
  readonly body?: string;
  readonly bytesMax: number;
  readonly signal: AbortSignal;
}

export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** Sends and reads one JSON exchange. Throws HttpProblem, or the signal's reason. */
export async function exchange({ method, url, authorization, body, bytesMax, signal }: Exchange): Promise<Answer> {
  try {
    const headers = { authorization, accept: 'application/json', ...(body && { 'content-type': 'application/json' }) };
    const response = await fetch(url, { method, headers, signal, redirect: 'error', ...(body && { body }) });
    return { status: response.status, body: parseJson(await readBounded(response, bytesMax)) };
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof HttpProblem) throw error;
    throw new HttpProblem('UNREACHABLE', `${method} ${url}: ${reasonOf(error)}`, error);
  }
}

async function readBounded(response: Response, bytesMax: number): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  let received = 0;
  if (!response.body) return text;
  // Leaving the loop by a throw cancels the body, so an endless answer is cut off here.
  for await (const chunk of response.body) {
    received += chunk.byteLength;
    if (received > bytesMax) throw new HttpProblem('OVERSIZE', `answer of more than ${bytesMax} bytes`);
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new HttpProblem('NOT_JSON', `answer of ${text.length} characters is no JSON`, error);
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message : error.message;
}
