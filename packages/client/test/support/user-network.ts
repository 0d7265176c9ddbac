/**
 * A network that re-encrypts, over real HTTP: every node checks the user's request as a node must, and answers with its
 * own share of values that a dealer knows, made by the wire package. Nodes may be absent, silent, late or lie.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { SigningDomain } from '@keyquorum/wire/eip712';
import { requireSigner } from '@keyquorum/wire/signer';
import { checkUserRequestTerms, type UserRequest, userRequestDigest } from '@keyquorum/wire/user-request';
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts';
import {
  type Committee,
  createCommittee,
  type DealtValue,
  deal,
  type Lie,
  type PlainValue,
  respond,
} from '../../../wire/test/support/committee.ts';
import type { Client } from '../../src/client.ts';
import type { UserDecryptionBody } from '../../src/contract.ts';
import type { UserCiphertext } from '../../src/decrypt.ts';
import type { Permit } from '../../src/permit.ts';
import { API_KEY, CHAIN_ID, CONTRACT, json, refuse, requestIdOf, textOf } from './test-node.ts';

export const DAPP_CONTRACT = '0x00000000000000000000000000000000000000aa' as const;
export const KEY_ID = 'ab'.repeat(32);

/** A contract wallet that takes its owner's signature with one more byte, as the nodes here know. */
export const WALLET = {
  address: '0x00000000000000000000000000000000000000ee',
  owner: privateKeyToAccount(generatePrivateKey()),
} as const;

const account = privateKeyToAccount(generatePrivateKey());

/** Of a user with a key, for DAPP_CONTRACT. */
export function permitOf(client: Client): Promise<Permit> {
  return client.createPermit({
    userAddress: account.address,
    contractAddresses: [DAPP_CONTRACT],
    hostChainId: 31_337,
    durationDays: 1,
    sign: (typed) => account.signTypedData(typed),
  });
}

export interface NodeBehaviour {
  readonly lie?: Lie;
  /** Holds back the result until this resolves. */
  readonly until?: Promise<unknown>;
  /** Takes over a poll; `honest` answers as the node would. */
  readonly poll?: (response: ServerResponse, honest: () => Promise<void>, polls: number) => void;
  readonly submit?: (response: ServerResponse) => void;
  /** Handles for which it refuses a request, with CIPHERTEXT_MALFORMED. */
  readonly refused?: ReadonlySet<string>;
}

const fromHex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'hex'));
const toHex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** What a node does with a submission: rebuilds what the user signed, and refuses what a node refuses. */
function answeredRequest(body: UserDecryptionBody, values: readonly DealtValue[]) {
  const { request, userAddress, encryptionKey, userSignature } = body;
  const fields = {
    publicKey: fromHex(encryptionKey),
    contractAddresses: request.contractAddresses as `0x${string}`[],
    startTimestamp: BigInt(request.startTimestamp),
    durationDays: BigInt(request.durationDays),
    extraData: fromHex(request.extraData),
  };
  const { delegatorAddress } = request as { delegatorAddress?: `0x${string}` };
  const signed: UserRequest = delegatorAddress
    ? { kind: 'delegated', ...fields, delegatorAddress }
    : { kind: 'direct', ...fields };
  const hostDomain: SigningDomain = { chainId: BigInt(request.hostChainId), verifyingContract: CONTRACT };
  checkUserRequestTerms({
    ...{ domain: hostDomain, request: signed, userAddress: userAddress as `0x${string}` },
    values: body.ciphertexts.map(({ contractAddress }, index) => {
      return { contractAddress: contractAddress as `0x${string}`, fheType: values[index]!.fheType };
    }),
    nowSeconds: Date.now() / 1_000,
    toleranceSeconds: 60,
  });
  const signature = fromHex(userSignature);
  const digest = userRequestDigest(hostDomain, signed);
  if (userAddress === WALLET.address) requireSigner(digest, signature.subarray(0, -1), WALLET.owner.address);
  else requireSigner(digest, signature, userAddress);
  const domain: SigningDomain = { chainId: CHAIN_ID, verifyingContract: CONTRACT };
  const { publicKey, extraData } = fields;
  return { domain, encryptionKey: publicKey, userAddress: userAddress as `0x${string}`, extraData };
}

export interface UserNode {
  readonly party: number;
  readonly url: string;
  readonly signer: `0x${string}`;
  readonly submissions: string[];
  close(): Promise<void>;
}

async function startUserNode(
  committee: Committee,
  party: number,
  values: readonly DealtValue[],
  behaviour: NodeBehaviour,
): Promise<UserNode> {
  const submissions: string[] = [];
  const bodies = new Map<string, UserDecryptionBody>();
  let polls = 0;

  const valuesOf = ({ ciphertexts }: UserDecryptionBody) => {
    return ciphertexts.flatMap(({ handle }) => values.filter((value) => toHex(value.handle) === handle));
  };

  async function answer(response: ServerResponse, body: UserDecryptionBody): Promise<void> {
    await behaviour.until;
    const asked = valuesOf(body);
    const { payload, signature, extraData } = await respond(committee, answeredRequest(body, asked), asked, {
      party,
      lie: behaviour.lie,
    });
    json(response, 200, {
      requestId: body.requestId,
      state: 'succeeded',
      payload: toHex(payload),
      signature: toHex(signature),
      extraData: toHex(extraData),
      faults: [],
    });
  }

  async function serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    if (incoming.headers.authorization !== `Bearer ${API_KEY}`) return refuse(response, 401, 'UNAUTHENTICATED');
    if (incoming.method !== 'POST') {
      const body = bodies.get(requestIdOf(incoming));
      if (!body) return refuse(response, 404, 'REQUEST_UNKNOWN');
      if (behaviour.poll) return behaviour.poll(response, () => answer(response, body), polls++);
      return answer(response, body);
    }
    const text = await textOf(incoming);
    if (behaviour.submit) return behaviour.submit(response);
    const body: UserDecryptionBody = JSON.parse(text);
    const refused = body.ciphertexts.some(({ handle }) => behaviour.refused?.has(handle));
    if (refused) return refuse(response, 422, 'CIPHERTEXT_MALFORMED');
    answeredRequest(body, valuesOf(body));
    submissions.push(text);
    bodies.set(body.requestId, body);
    json(response, 202, { requestId: body.requestId, state: 'pending' });
  }

  const server = createServer((incoming, response) => {
    serve(incoming, response).catch((error) => refuse(response, 422, error.code ?? String(error)));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    party,
    url: `http://127.0.0.1:${port}`,
    signer: committee.signers[party - 1]!.address,
    submissions,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export interface UserNetwork extends AsyncDisposable {
  readonly nodes: readonly UserNode[];
  readonly options: {
    readonly nodes: readonly UserNode[];
    readonly threshold: number;
    readonly gatewayChainId: bigint;
    readonly decryptionContract: typeof CONTRACT;
    readonly apiKey: string;
  };
  /** Ciphertexts of a request for all values. The bytes are not looked at: shares are dealt. */
  readonly ciphertexts: readonly UserCiphertext[];
}

/** n nodes with these behaviours by party; the others are honest. */
export async function startUserNetwork(
  { n, t }: { readonly n: number; readonly t: number },
  plain: readonly PlainValue[],
  special: { readonly [party: number]: NodeBehaviour },
): Promise<UserNetwork> {
  const committee = createCommittee(n, t);
  const values = plain.map((value) => deal(value, n, t));
  const parties = Array.from({ length: n }, (_, index) => index + 1);
  const nodes = await Promise.all(
    parties.map((party) => startUserNode(committee, party, values, special[party] ?? {})),
  );
  return {
    nodes,
    options: { nodes, threshold: t, gatewayChainId: CHAIN_ID, decryptionContract: CONTRACT, apiKey: API_KEY },
    ciphertexts: values.map(({ handle }, slot) => {
      return { handle: toHex(handle), contractAddress: DAPP_CONTRACT, format: 'compact-list', bytes: 'AAAA', slot };
    }),
    [Symbol.asyncDispose]: async () => {
      await Promise.all(nodes.map((node) => node.close()));
    },
  };
}
