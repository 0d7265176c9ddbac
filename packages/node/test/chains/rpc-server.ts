/** An endpoint of a chain that can be told to misbehave: real HTTP, in front of a real chain. */
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';

export interface Call {
  readonly id: number;
  readonly method: string;
  readonly params: readonly unknown[];
}
export interface Reply {
  readonly id: unknown;
  readonly result?: unknown;
  readonly error?: unknown;
}

/** What is sent for a batch: nothing means that the response is the test's own. */
export type Answering = (
  calls: readonly Call[],
  chain: () => Promise<Reply[]>,
  response: ServerResponse,
) => Promise<unknown> | unknown;

/** Answers as `answering` says; `chain` asks the chain behind. */
export async function startRpc(
  onEnd: (task: () => Promise<void>) => void,
  chainUrl: string,
  answering: Answering,
): Promise<string> {
  const server = createServer(async (request, response) => {
    const calls = (await json(request)) as Call[];
    const chain = async () => {
      const body = JSON.stringify(calls);
      const asked = await fetch(chainUrl, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
      return (await asked.json()) as Reply[];
    };
    const answer = await answering(calls, chain, response);
    if (answer !== undefined) response.end(JSON.stringify(answer));
  });
  const url = await new Promise<string>((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}`));
  });
  onEnd(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return url;
}

/** Changes the results of one method. */
export function changing(method: string, change: (result: unknown) => unknown): Answering {
  return async (calls, chain) => {
    const replies = await chain();
    return replies.map((reply) => {
      const asked = calls.find(({ id }) => id === reply.id);
      return asked?.method === method ? { ...reply, result: change(reply.result) } : reply;
    });
  };
}
