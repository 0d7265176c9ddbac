/**
 * As much of a relayer (HTTP protocol, version 2) as the relayer SDK needs to decrypt: it hands out the public key,
 * takes a request, and has the answer when it is asked again. What an answer is made of is for the caller to say.
 */
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer, json } from 'node:stream/consumers';

/** The SDK waits at least so long before it asks for the result. */
const RETRY_AFTER_SECONDS = 1;

/** Bytes are hex; of requests with 0x unless said otherwise, of results without. */
export interface PublicDecryptBody {
  readonly ciphertextHandles: readonly string[];
  readonly extraData: string;
}

export interface PublicDecryptResult {
  readonly decryptedValue: string;
  readonly signatures: readonly string[];
  readonly extraData: string;
}

export interface UserDecryptBody {
  readonly handleContractPairs: readonly { readonly handle: string; readonly contractAddress: string }[];
  readonly requestValidity: { readonly startTimestamp: string; readonly durationDays: string };
  readonly contractsChainId: string;
  readonly contractAddresses: readonly string[];
  readonly userAddress: string;
  /** Without 0x, and `publicKey` too. */
  readonly signature: string;
  readonly publicKey: string;
  readonly extraData: string;
}

/** As the request of a user, with both people and a flat period. */
export interface DelegatedUserDecryptBody extends Omit<UserDecryptBody, 'requestValidity' | 'userAddress'> {
  readonly startTimestamp: string;
  readonly durationDays: string;
  readonly delegatorAddress: string;
  readonly delegateAddress: string;
}

export interface UserDecryptResult {
  /** One of each node. */
  readonly result: readonly { readonly payload: string; readonly signature: string; readonly extraData: string }[];
}

export interface Relayed {
  /** As nodes publish it. */
  readonly publicKey: Uint8Array;
  readonly referenceString: Uint8Array;
  publicDecrypt(body: PublicDecryptBody): Promise<PublicDecryptResult>;
  userDecrypt(body: UserDecryptBody): Promise<UserDecryptResult>;
  delegatedUserDecrypt(body: DelegatedUserDecryptBody): Promise<UserDecryptResult>;
}

export interface Relayer extends AsyncDisposable {
  /** For `relayerUrl`. */
  readonly url: string;
}

/** A request that fails is answered with status 500 and its message. */
export async function startRelayer(relayed: Relayed): Promise<Relayer> {
  // What the SDK sends is what its types say; whoever answers checks no more.
  const begins: Readonly<Record<string, (body: unknown) => Promise<unknown>>> = {
    'POST /v2/public-decrypt': (body) => relayed.publicDecrypt(body as PublicDecryptBody),
    'POST /v2/user-decrypt': (body) => relayed.userDecrypt(body as UserDecryptBody),
    'POST /v2/delegated-user-decrypt': (body) => relayed.delegatedUserDecrypt(body as DelegatedUserDecryptBody),
  };
  const jobs = new Map<string, Promise<unknown>>();
  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      const failure = { label: 'internal_server_error', message: String(error) };
      send(response, 500, { status: 'failed', error: failure });
    });
  });
  const origin = await new Promise<string>((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}`));
  });

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [, version, route, jobId] = (request.url ?? '').split('/');
    const call = `${request.method} /${version}/${route}`;
    if (call === 'GET /v2/keyurl') return send(response, 200, { status: 'succeeded', response: keyUrls(origin) });
    if (call === 'GET /material/key') return void response.end(relayed.publicKey);
    if (call === 'GET /material/crs') return void response.end(relayed.referenceString);
    const begin = begins[call];
    if (begin) {
      const id = randomUUID();
      const work = begin(await json(request));
      work.catch(() => undefined); // told to whoever asks for the result
      jobs.set(id, work);
      response.setHeader('Retry-After', RETRY_AFTER_SECONDS);
      return send(response, 202, { status: 'queued', requestId: id, result: { jobId: id } });
    }
    const job = jobs.get(jobId ?? '');
    if (job) return send(response, 200, { status: 'succeeded', requestId: jobId, result: await job });
    await buffer(request);
    send(response, 404, { status: 'failed', error: { label: 'not_found', message: `no ${request.url}` } });
  }

  return {
    url: `${origin}/v2`,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function keyUrls(origin: string) {
  const dataId = (tag: string) => `0x${tag}${'00'.repeat(30)}01`;
  return {
    fheKeyInfo: [{ fhePublicKey: { dataId: dataId('04'), urls: [`${origin}/material/key`] } }],
    crs: { 2048: { dataId: dataId('05'), urls: [`${origin}/material/crs`] } },
  };
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
