/**
 * The state of an EVM chain as this node's own endpoints tell it, at one block that is final by the operator's rule.
 * A lying endpoint decides for this node alone; with several, all that answer must agree, and enough must answer.
 *
 *   1. each endpoint says which block is final; the lowest of them is taken
 *   2. each says hash and time of that block: equal everywhere, and not old
 *   3. every question of one request is asked at exactly that block, by its hash (EIP-1898)
 *
 * Three exchanges for the first question of a request, one for each later one. Nothing is kept between requests: what
 * was allowed may have been revoked since.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Hex } from 'viem';
import type { Chain } from '../config/schema.ts';
import { ApiError } from '../errors/api-error.ts';
import { askRpc, type RpcCall, RpcProblem, type RpcResult } from './json-rpc.ts';

/** What a contract may use for its own work; Zama's connector allows the same. */
const GAS = 100_000;
/** Of any transaction, and at most for a byte of call data (EIP-7623). */
const GAS_BASE = 21_000;
const GAS_PER_BYTE = 40;
/** All that is asked for answers one word. */
const RESULT_BYTES_MAX = 1_024;

const QUANTITY = /^0x[0-9a-f]{1,14}$/;
const HASH = /^0x[0-9a-f]{64}$/;
const BYTES = /^0x([0-9a-f]{2})*$/;

export interface ContractCall {
  readonly to: Hex;
  readonly data: Hex;
}

/** The chain at one block. */
export interface ChainView {
  readonly chainId: bigint;
  /**
   * What the contracts return, lower-case hex; undefined where a call failed: reverted, out of gas. An account without
   * code returns nothing, 0x. Throws ApiError CHAIN_UNAVAILABLE, CHAIN_DISAGREES, CHAIN_STALE.
   */
  read(calls: readonly ContractCall[]): Promise<readonly (Hex | undefined)[]>;
}

export interface HostChains {
  /** The chain as it is when the view is first read; undefined when it is not configured. */
  view(chainId: bigint): ChainView | undefined;
}

interface Modules {
  /** Milliseconds since 1970. */
  now(): number;
  warn(message: string, fields: object): void;
}

interface Endpoint {
  /** The setting, which shows no key of a provider. */
  readonly name: string;
  readonly url: string;
}

interface Pinned {
  /** That know the block. */
  readonly endpoints: readonly Endpoint[];
  readonly block: { readonly blockHash: string; readonly requireCanonical: true };
}

interface Heard<T> {
  readonly endpoint: Endpoint;
  readonly answer: T;
}

export function createHostChains(chains: readonly Chain[], modules: Modules): HostChains {
  const known = new Map(chains.map((chain, index) => [BigInt(chain.id), new HostChain(chain, index, modules)]));
  return { view: (chainId) => known.get(chainId)?.view() };
}

class HostChain {
  readonly #chain: Chain;
  readonly #endpoints: readonly Endpoint[];
  readonly #quorum: number;
  readonly #modules: Modules;

  constructor(chain: Chain, index: number, modules: Modules) {
    this.#chain = chain;
    this.#endpoints = chain.rpc.map((url, at) => ({ name: `chains.${index}.rpc.${at}`, url }));
    this.#quorum = chain.quorum ?? Math.floor(chain.rpc.length / 2) + 1;
    this.#modules = modules;
  }

  view(): ChainView {
    let pinned: Promise<Pinned> | undefined;
    return {
      chainId: BigInt(this.#chain.id),
      read: async (calls) => {
        pinned ??= this.#pin();
        const { endpoints, block } = await pinned;
        const answers = await this.#ask(
          endpoints,
          calls.map(({ to, data }) => ({ method: 'eth_call', params: [{ to, data, gas: gasOf(data) }, block] })),
          (results) => results.map(returnedBytes),
        );
        return this.#agreed(answers, 'what a contract answers');
      },
    };
  }

  /** Steps 1 and 2: the block, by its hash, and the endpoints that know it. */
  async #pin(): Promise<Pinned> {
    const heads = await this.#ask(this.#endpoints, [{ method: 'eth_chainId', params: [] }, this.#headCall()], (told) =>
      this.#finalNumber(told),
    );
    const number = Math.min(...heads.map(({ answer }) => answer));
    const call = { method: 'eth_getBlockByNumber', params: [quantity(number), false] };
    const blocks = await this.#ask(endpointsOf(heads), [call], ([told]) => readBlock(told));
    const { hash, timestamp } = this.#agreed(blocks, `block ${number}`);
    this.#requireFresh(number, timestamp);
    return { endpoints: endpointsOf(blocks), block: { blockHash: hash, requireCanonical: true } };
  }

  #headCall(): RpcCall {
    if (this.#chain.finality === 'finalized') return { method: 'eth_getBlockByNumber', params: ['finalized', false] };
    return { method: 'eth_blockNumber', params: [] };
  }

  /** Number of the last block that counts. */
  #finalNumber([chainId, head]: readonly RpcResult[]): number {
    const { id, finality } = this.#chain;
    const found = readQuantity(resultOf(chainId));
    if (found !== id) throw new RpcProblem(`is of chain ${found}, not ${id}`);
    if (finality === 'finalized') return readQuantity(fieldOf(resultOf(head), 'number'));
    const number = readQuantity(resultOf(head)) - (finality === 'latest' ? 0 : finality);
    if (number < 0) throw new RpcProblem(`has fewer than ${finality} blocks`);
    return number;
  }

  #requireFresh(number: number, timestamp: number): void {
    const { id, staleSeconds } = this.#chain;
    const ageSeconds = Math.floor(this.#modules.now() / 1000) - timestamp;
    if (ageSeconds <= staleSeconds) return;
    const problem = `block ${number}, the last final one, is ${ageSeconds} s old, more than ${staleSeconds} s`;
    throw new ApiError('CHAIN_STALE', `chain ${id}: ${problem}`);
  }

  /** One batch to each endpoint. `read` throws RpcProblem for what makes no sense: that endpoint did not answer. */
  async #ask<T>(
    endpoints: readonly Endpoint[],
    calls: readonly RpcCall[],
    read: (results: readonly RpcResult[]) => T,
  ): Promise<readonly Heard<T>[]> {
    const problems: string[] = [];
    const heard = await Promise.all(
      endpoints.map(async (endpoint): Promise<Heard<T> | undefined> => {
        try {
          const results = await askRpc(endpoint.url, calls, AbortSignal.timeout(this.#chain.timeoutMs));
          return { endpoint, answer: read(results) };
        } catch (error) {
          if (!(error instanceof RpcProblem)) throw error;
          problems.push(`${endpoint.name} ${error.message}`);
          return undefined;
        }
      }),
    );
    const answered = heard.filter((each) => each !== undefined);
    const { id } = this.#chain;
    if (problems.length > 0) this.#modules.warn('an endpoint of a chain is of no use', { chain: id, problems });
    if (answered.length >= this.#quorum) return answered;
    const found = `${answered.length} of ${this.#endpoints.length} endpoints answer, want ${this.#quorum}`;
    throw new ApiError('CHAIN_UNAVAILABLE', `chain ${id}: ${[found, ...problems].join('; ')}`);
  }

  /** What all say. */
  #agreed<T>(answers: readonly Heard<T>[], what: string): T {
    const [first, ...others] = answers;
    if (!first) throw new RangeError('nobody was asked'); // a quorum has answered
    const other = others.find(({ answer }) => !isDeepStrictEqual(answer, first.answer));
    if (!other) return first.answer;
    const { id } = this.#chain;
    const pair = `${first.endpoint.name} and ${other.endpoint.name}`;
    this.#modules.warn('endpoints of a chain disagree', { chain: id, endpoints: pair, what });
    throw new ApiError('CHAIN_DISAGREES', `chain ${id}: ${pair} disagree about ${what}`);
  }
}

function endpointsOf(heard: readonly Heard<unknown>[]): Endpoint[] {
  return heard.map(({ endpoint }) => endpoint);
}

function gasOf(data: Hex): Hex {
  const bytes = (data.length - 2) / 2;
  return quantity(GAS_BASE + GAS_PER_BYTE * bytes + GAS);
}

function quantity(value: number): Hex {
  return `0x${value.toString(16)}`;
}

function resultOf(told: RpcResult | undefined): unknown {
  if (told && 'result' in told) return told.result;
  throw new RpcProblem(`refuses: ${told?.error ?? 'nothing'}`);
}

function fieldOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) throw new RpcProblem('knows no such block');
  return (value as Readonly<Record<string, unknown>>)[name]; // any object can be read like this; its fields are checked
}

function readQuantity(value: unknown): number {
  const number = typeof value === 'string' && QUANTITY.test(value) ? Number(value) : Number.NaN;
  if (Number.isSafeInteger(number)) return number;
  throw new RpcProblem('answers something else than a number');
}

function readBlock(told: RpcResult | undefined): { readonly hash: string; readonly timestamp: number } {
  const block = resultOf(told);
  const hash = fieldOf(block, 'hash');
  if (typeof hash !== 'string' || !HASH.test(hash)) throw new RpcProblem('answers something else than a block');
  return { hash, timestamp: readQuantity(fieldOf(block, 'timestamp')) };
}

/** A call that the endpoint refuses is one that failed: neither allows anything, and neither is remembered. */
function returnedBytes(told: RpcResult): Hex | undefined {
  if ('error' in told) return undefined;
  const { result } = told;
  if (typeof result !== 'string') throw new RpcProblem('answers something else than bytes');
  if (result.length > 2 + 2 * RESULT_BYTES_MAX) return undefined;
  const bytes = result.toLowerCase();
  if (!BYTES.test(bytes)) throw new RpcProblem('answers something else than bytes');
  return bytes as Hex;
}
