/** The REST API of a node as the command line uses it. Checks the shape of every answer. */
import type { Static, TSchema } from 'typebox';
import { Check } from 'typebox/value';
import { ErrorBody } from '../rest/schemas.ts';

/** The node is not there, or what answers is not a node. */
export class NodeUnreachable extends Error {
  override readonly name = 'NodeUnreachable';
}

/** The node refused with a documented code. */
export class NodeRefusal extends Error {
  override readonly name = 'NodeRefusal';
  readonly code: string;
  readonly hint: string;
  readonly status: number;
  constructor(status: number, { code, message, hint }: { code: string; message: string; hint: string }) {
    super(message);
    this.status = status;
    this.code = code;
    this.hint = hint;
  }
}

export interface NodeClient {
  call<Schema extends TSchema>(
    schema: Schema,
    path: string,
    init?: { method: string; body?: object },
  ): Promise<Static<Schema>>;
  /** The raw answer, for streams and bytes; refusals throw. */
  open(path: string, init?: { method: string; body?: object }): Promise<Response>;
}

export function createNodeClient(url: string, apiKey: string | undefined): NodeClient {
  const base = url.replace(/\/$/, '');

  async function open(path: string, { method, body }: { method: string; body?: object } = { method: 'GET' }) {
    const headers = {
      ...(apiKey !== undefined && { authorization: `Bearer ${apiKey}` }),
      ...(body && { 'content-type': 'application/json' }),
    };
    const response = await fetch(base + path, { method, headers, ...(body && { body: JSON.stringify(body) }) }).catch(
      (cause: unknown) => {
        throw new NodeUnreachable(`no answer from ${base}`, { cause });
      },
    );
    if (response.ok) return response;
    const refusal: unknown = await response.json().catch(() => undefined);
    if (Check(ErrorBody, refusal)) throw new NodeRefusal(response.status, refusal.error);
    throw new NodeUnreachable(`${base}${path} answered ${response.status}, but not like a node`);
  }

  return {
    open,
    async call(schema, path, init) {
      const response = await open(path, init);
      const body: unknown = await response.json().catch(() => undefined);
      if (Check(schema, body)) return body;
      throw new NodeUnreachable(`${base}${path} answered something else than a node of this version does`);
    },
  };
}
