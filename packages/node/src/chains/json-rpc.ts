/**
 * JSON-RPC 2.0 over HTTP towards a node of an EVM chain, as much as reading needs: one batch, one answer per call. The
 * endpoint may be slow, broken or hostile to this process: its answer has a maximum size and belongs to the batch by
 * its ids, and redirects are not followed, so that nothing is asked but what is configured. Whether it tells the truth
 * about the chain is for host-chain.ts to judge.
 */
import Type from 'typebox';
import { Compile } from 'typebox/compile';

/** A header without its transactions has 50 KB on the busiest chains, and one batch asks for one. */
const ANSWER_BYTES_MAX = 2 ** 21;
const MESSAGE_LENGTH_MAX = 200;

export interface RpcCall {
  readonly method: string;
  readonly params: readonly unknown[];
}

/** `error`: the endpoint understood the call, and says why there is no result. */
export type RpcResult = { readonly result: unknown } | { readonly error: string };

/** The endpoint gave no answer that can be used. Messages never hold its URL: providers put their keys there. */
export class RpcProblem extends Error {
  override readonly name = 'RpcProblem';
}

const Id = Type.Integer({ minimum: 0 });
const Replies = Compile(
  Type.Array(
    Type.Union([
      Type.Object({ id: Id, error: Type.Object({ code: Type.Number(), message: Type.String() }) }),
      Type.Object({ id: Id, result: Type.Unknown() }),
    ]),
  ),
);

/** Results in the order of the calls. Throws RpcProblem, also when the signal fires. */
export async function askRpc(url: string, calls: readonly RpcCall[], signal: AbortSignal): Promise<RpcResult[]> {
  const replies = await post(
    url,
    calls.map((call, id) => ({ jsonrpc: '2.0', id, ...call })),
    signal,
  );
  if (!Replies.Check(replies) || replies.length !== calls.length) throw new RpcProblem('answers no JSON-RPC batch');
  const byId = new Map(replies.map((reply) => [reply.id, reply]));
  return calls.map((_, id) => {
    const reply = byId.get(id);
    if (!reply) throw new RpcProblem('answers other calls than it was asked');
    return 'error' in reply ? { error: reply.error.message.slice(0, MESSAGE_LENGTH_MAX) } : { result: reply.result };
  });
}

async function post(url: string, body: unknown, signal: AbortSignal): Promise<unknown> {
  try {
    const headers = { 'content-type': 'application/json', accept: 'application/json' };
    const request = { method: 'POST', headers, body: JSON.stringify(body), redirect: 'error', signal } as const;
    const response = await fetch(url, request);
    if (!response.ok) {
      await response.body?.cancel();
      throw new RpcProblem(`answers with HTTP status ${response.status}`);
    }
    return JSON.parse(await boundedText(response));
  } catch (error) {
    if (error instanceof RpcProblem) throw error;
    if (signal.aborted) throw new RpcProblem('did not answer in time');
    if (error instanceof SyntaxError) throw new RpcProblem('answers no JSON');
    throw new RpcProblem(`cannot be reached${causeOf(error)}`);
  }
}

async function boundedText({ body }: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let received = 0;
  for await (const chunk of body ?? []) {
    received += chunk.byteLength;
    if (received > ANSWER_BYTES_MAX) throw new RpcProblem(`answers with more than ${ANSWER_BYTES_MAX} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** What fetch hides behind "fetch failed", when that is a code of the system. */
function causeOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  return typeof code === 'string' ? ` (${code})` : '';
}
