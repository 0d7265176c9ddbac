/**
 * Nodes over real HTTP that behave as told. They sign with real keys and know the answer without any decryption: the
 * coordinator must not care how nodes come to their answers.
 */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { signedWords } from '@keyquorum/wire/abi';
import { publicDecryptionDigest } from '@keyquorum/wire/eip712';
import { signedExtraData } from '@keyquorum/wire/extra-data';
import { createSigner } from '@keyquorum/wire/signer';
import type { Committee, CommitteeNode } from '../../src/committee.ts';
import type { PublicDecryptionRequest } from '../../src/contract.ts';

export const CHAIN_ID = 654_321n;
export const CONTRACT = '0x4444444444444444444444444444444444444444';
export const API_KEY = 'test-requester';

/** What a node does with a poll; it may look at and change the true answer. */
export type Behaviour = (call: {
  readonly response: ServerResponse;
  readonly request: PublicDecryptionRequest;
  /** The right, signed answer of this node, or one with other plaintexts. */
  answer(values?: readonly bigint[]): Record<string, unknown>;
  /** How often this request was polled before. */
  readonly polls: number;
}) => void;

export interface TestNode extends CommitteeNode {
  /** Bodies of submissions, in order. */
  readonly submissions: string[];
  /** Ciphertexts that were handed over, by digest; requests that name others are refused. */
  readonly held: Map<string, Buffer>;
  readonly authorizations: (string | undefined)[];
  close(): Promise<void>;
}

export function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

export function refuse(response: ServerResponse, status: number, code: string): void {
  json(response, status, { error: { code, message: code, requestId: '', parties: [], hint: '' } });
}

export const honest: Behaviour = ({ response, answer }) => json(response, 200, answer());
/** Never answers; the connection stays open. */
export const silent: Behaviour = () => {};
export const lying: Behaviour = ({ response, answer }) => json(response, 200, answer([1n, 1n]));
/** Answers as `then` once `opened` resolves. */
export const after = (opened: Promise<unknown>, then: Behaviour): Behaviour => {
  return (call) => void opened.then(() => then(call));
};

export interface TestNodeOptions {
  readonly party: number;
  readonly plaintexts: readonly bigint[];
  readonly poll?: Behaviour;
  /** Has the answer when a caller that submits waits for it. */
  readonly quick?: boolean;
  /** Answers submissions; 202 when absent. */
  readonly submit?: (response: ServerResponse, request: PublicDecryptionRequest) => void;
  /** Takes ciphertexts, and does not keep them. */
  readonly forgetful?: boolean;
  /** Signs with the key of another party. */
  readonly signAs?: number;
}

const secretKeyOf = (party: number) => new Uint8Array(32).fill(party);

export async function startTestNode(options: TestNodeOptions): Promise<TestNode> {
  const { party, poll = honest } = options;
  const submissions: string[] = [];
  const authorizations: (string | undefined)[] = [];
  const held = new Map<string, Buffer>();
  const requests = new Map<string, PublicDecryptionRequest>();
  let polls = 0;
  const server = createServer(async (incoming, response) => {
    if (incoming.url === '/health/ready') return json(response, 200, { ready: true });
    authorizations.push(incoming.headers.authorization);
    if (incoming.method === 'PUT') {
      const bytes = await bytesOf(incoming);
      if (createHash('sha256').update(bytes).digest('hex') !== requestIdOf(incoming))
        return refuse(response, 422, 'CIPHERTEXT_DIGEST');
      if (!options.forgetful) held.set(requestIdOf(incoming), bytes);
      return response.writeHead(204).end();
    }
    if (incoming.method === 'POST') {
      const text = await textOf(incoming);
      submissions.push(text);
      const submitted: PublicDecryptionRequest = JSON.parse(text);
      if (submitted.ciphertexts.some(({ digest }) => digest !== undefined && !held.has(digest))) {
        return refuse(response, 404, 'CIPHERTEXT_UNKNOWN');
      }
      requests.set(submitted.requestId, submitted);
      if (options.quick && waits(incoming)) return json(response, 200, signedAnswer(options, submitted));
      return options.submit ? options.submit(response, submitted) : json(response, 202, { state: 'pending' });
    }
    const request = requests.get(requestIdOf(incoming));
    if (!request) return refuse(response, 404, 'REQUEST_UNKNOWN');
    poll({ response, request, answer: (values) => signedAnswer(options, request, values), polls: polls++ });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    party,
    url: `http://127.0.0.1:${port}`,
    signer: createSigner(secretKeyOf(party)).address,
    ...{ submissions, held, authorizations },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function waits({ url = '' }: IncomingMessage): boolean {
  return /\?wait=[1-9]/.test(url);
}

/** Of a poll. */
export function requestIdOf({ url = '' }: IncomingMessage): string {
  return /\/([0-9a-f]{64})/.exec(url)?.[1] ?? '';
}

function signedAnswer(
  { party, plaintexts, signAs = party }: TestNodeOptions,
  request: PublicDecryptionRequest,
  values: readonly bigint[] = plaintexts,
): Record<string, unknown> {
  const signer = createSigner(secretKeyOf(signAs));
  const asked = request.ciphertexts.map(({ slot = 0 }) => values[slot] ?? 0n);
  const words = signedWords(asked.map((value) => ({ type: { kind: 'uint', bits: 64 }, value })));
  const handles = request.ciphertexts.map(({ handle }) => Buffer.from(handle, 'hex'));
  const domain = { chainId: CHAIN_ID, verifyingContract: CONTRACT } as const;
  const extraData = signedExtraData(Buffer.from(request.extraData ?? '', 'hex'));
  const signature = signer.sign(publicDecryptionDigest(domain, { handles, decryptedResult: words, extraData }));
  return {
    requestId: request.requestId,
    state: 'succeeded',
    values: request.ciphertexts.map(({ handle }, i) => ({ handle, fheType: 'uint64', value: String(asked[i]) })),
    abiEncoded: Buffer.from(words).toString('hex'),
    signature: Buffer.from(signature).toString('hex'),
    signer: signer.address,
    faults: [],
  };
}

export async function textOf(incoming: IncomingMessage): Promise<string> {
  return (await bytesOf(incoming)).toString();
}

async function bytesOf(incoming: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Four nodes (t=1) with these behaviours by party; the others are honest. */
export async function startCommittee(special: {
  readonly [party: number]: Partial<TestNodeOptions>;
}): Promise<{ committee: Committee; nodes: TestNode[] } & AsyncDisposable> {
  const nodes = await Promise.all(
    [1, 2, 3, 4].map((party) => startTestNode({ party, plaintexts: [7n, 2n ** 64n - 1n], ...special[party] })),
  );
  const committee = { nodes, threshold: 1, gatewayChainId: CHAIN_ID, decryptionContract: CONTRACT } as const;
  const dispose = async () => {
    await Promise.all(nodes.map((node) => node.close()));
  };
  return { committee, nodes, [Symbol.asyncDispose]: dispose };
}

export function requestOf(id: number): PublicDecryptionRequest {
  const requestId = id.toString(16).padStart(64, '0');
  const ciphertext = { format: 'compact-list', bytes: 'AAAA' };
  const handles = ['1', '2'].map((digit) => digit.repeat(64));
  const ciphertexts = handles.map((handle, slot) => ({ handle, slot, ...ciphertext }));
  return { requestId, keyId: 'ab'.repeat(32), app: 'default', ciphertexts, extraData: '' };
}
