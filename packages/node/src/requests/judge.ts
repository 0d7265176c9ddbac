/**
 * Checks of one node before it takes part in a decryption (SPEC R13): the key is known, every ciphertext parses as one
 * canonical value under exactly that key's parameters, bounds hold, and under a production key it is shown where every
 * ciphertext comes from. Runs at every node on its own copy of the bytes.
 */
import { toHex } from '@keyquorum/mpc/bytes';
import type { Services } from '@keyquorum/protocols/services';
import {
  CiphertextError,
  type CiphertextValue,
  type FheType,
  fheTypeId,
  fheTypeName,
  isSquashed,
  readCiphertext,
} from '@keyquorum/tfhe/ciphertext';
import { keySetChoice } from '@keyquorum/tfhe/key-sets';
import type { ParameterSet } from '@keyquorum/tfhe/parameters';
import { parseExtraData } from '@keyquorum/wire/extra-data';
import type { Limits, Requester } from '../config/schema.ts';
import { ApiError, apiErrorOf } from '../errors/api-error.ts';
import { type ProvenanceRules, type Reader, requireProvenance } from '../provenance/provenance.ts';
import type { CiphertextSource } from './ciphertexts.ts';
import type { Ciphertext, Content, NamedCiphertext } from './content.ts';

/** A squashed block has the words of four to twelve others, up to 96 KiB. */
const SQUASHED_WEIGHT = 4;

/** What a value counts in limits and quotas. */
export function blocksOf(value: CiphertextValue): number {
  return value.blockBits.length * (isSquashed(value) ? SQUASHED_WEIGHT : 1);
}

/** One thing that must hold, under the name that `POST /v1/explain` shows. */
export interface Check {
  readonly name: string;
  /** Name, or first part of the names, of checks without whose success this one says nothing. */
  readonly needs?: string;
  /** Throws ApiError, CiphertextError or WireError. */
  run(): void | Promise<void>;
}

export interface Circumstances {
  readonly requester: Requester;
  readonly keys: ReturnType<Services['keys']>;
  readonly limits: Limits;
  readonly provenance: ProvenanceRules;
  readonly source: CiphertextSource;
}

/** Both per ciphertext, in order. */
export interface Judged {
  readonly ciphertexts: readonly Ciphertext[];
  readonly values: readonly CiphertextValue[];
}

export interface Judgement extends Judged {
  /** In order; nothing is computed for a request before all of them hold. The lists fill while they run. */
  readonly checks: readonly Check[];
}

/** `own`: what only this kind of request must fulfil, besides; gets the values when they are read. */
export function judgementOf(
  content: Content,
  circumstances: Circumstances,
  own: (values: readonly CiphertextValue[]) => readonly Check[],
): Judgement {
  const { requester, keys, limits, provenance, source } = circumstances;
  const { app, keyId } = content;
  const ciphertexts: Ciphertext[] = [];
  const values: CiphertextValue[] = [];
  const key = () => keys.find((candidate) => candidate.keyId === keyId) ?? unknownKey(keyId);
  let blocks = 0;
  /** By digest: values of one list share its bytes. */
  const opened = new Map<string, Uint8Array>();
  let bytesLeft = limits.bodyBytes;

  function open(named: NamedCiphertext): Ciphertext {
    const digest = toHex(named.digest);
    const bytes = opened.get(digest) ?? source(named);
    if (!opened.has(digest)) bytesLeft -= bytes.length;
    if (bytesLeft < 0) throw new ApiError('REQUEST_TOO_LARGE', `more than ${limits.bodyBytes} bytes of ciphertexts`);
    opened.set(digest, bytes);
    return { ...named, bytes };
  }

  function readOne(named: NamedCiphertext, index: number): void {
    const { parameters } = keySetChoice(key().parameters);
    const ciphertext = open(named);
    const value = readValue(ciphertext, parameters);
    blocks += blocksOf(value);
    if (blocks > limits.blocksPerRequest) {
      throw new ApiError('REQUEST_TOO_LARGE', `more than ${limits.blocksPerRequest} blocks in one request`);
    }
    ciphertexts[index] = ciphertext;
    values[index] = value;
  }

  const checks: Check[] = [
    { name: 'application', run: () => requireApplication(requester, app) },
    { name: 'extraData', run: () => void parseExtraData(content.extraData) },
    { name: 'key', run: () => void key() },
    { name: 'size', run: () => requireCount(content.ciphertexts.length, limits) },
    ...content.ciphertexts.map((named, index) => {
      const run = () => inContext(index, () => readOne(named, index));
      return { name: `ciphertexts.${index}`, needs: 'key', run };
    }),
    ...own(values),
    ...content.ciphertexts.map((_, index) => {
      const reader = readerOf(content, index);
      const question = () => {
        const [ciphertext, { type }] = [ciphertexts[index]!, values[index]!];
        return { requester: requester.name, key: key(), ciphertext, type, reader };
      };
      const run = () => inContext(index, () => requireProvenance(provenance(app), question()));
      return { name: `provenance.${index}`, needs: `ciphertexts.${index}`, run };
    }),
  ];
  return { checks, ciphertexts, values };
}

function readerOf(content: Content, index: number): Reader | undefined {
  if (content.kind !== 'user-decryption') return undefined;
  const { hostChainId: chainId, userAddress: user, delegatorAddress: delegator, contracts } = content.user;
  return { chainId, contract: contracts[index]!, user, delegator };
}

/** A request that may run. Throws what the first check that does not hold throws. */
export async function judge(...request: Parameters<typeof judgementOf>): Promise<Judged> {
  const { checks, ...judged } = judgementOf(...request);
  for (const check of checks) await check.run(); // in order: later ones cost more
  return judged;
}

function requireApplication({ name, apps }: Requester, app: string): void {
  if (!apps.includes(app)) throw new ApiError('FORBIDDEN', `requester ${name} has no application "${app}"`);
}

function unknownKey(keyId: string): never {
  throw new ApiError('KEY_UNKNOWN', `this node has no key ${keyId}`);
}

function requireCount(count: number, { ciphertextsPerRequest }: Limits): void {
  if (count <= ciphertextsPerRequest) return;
  throw new ApiError('REQUEST_TOO_LARGE', `${count} ciphertexts, want at most ${ciphertextsPerRequest}`);
}

function readValue({ format, bytes, slot, fheType }: Ciphertext, parameters: ParameterSet): CiphertextValue {
  const value = readCiphertext(format, bytes, { parameters, slot });
  if (fheType === undefined || agrees(value.type, fheType)) return value;
  const problem = `fheType: got ${fheType}, but the object holds ${fheTypeName(value.type)}`;
  throw new CiphertextError('CIPHERTEXT_TYPE', problem, { field: 'fheType' });
}

function agrees(type: FheType, claimed: string | number): boolean {
  return typeof claimed === 'number' ? fheTypeId(type) === claimed : fheTypeName(type) === claimed;
}

/** Says which ciphertext of the request is to blame. */
async function inContext(index: number, check: () => void | Promise<void>): Promise<void> {
  try {
    await check();
  } catch (error) {
    const refusal = apiErrorOf(error);
    if (!refusal) throw error;
    throw new ApiError(refusal.code, `ciphertexts.${index}: ${refusal.message}`);
  }
}
