/**
 * Where a ciphertext under a production key comes from (SPEC R13): one interface, one file per way to show it. Every
 * node asks it about its own copy of the bytes, before it computes anything for a request.
 *
 * A new way is a file beside this one, a word in `ProvenanceKind` (config/schema.ts), an entry in rules.ts, and a field
 * of `ProvenanceBody` (requests/body.ts) if the caller has to send something for it.
 */
import type { KeyRecord } from '@keyquorum/protocols/services';
import type { FheType } from '@keyquorum/tfhe/ciphertext';
import type { ProvenanceKind } from '../config/schema.ts';
import { ApiError, apiErrorOf } from '../errors/api-error.ts';
import type { Ciphertext, HexAddress } from '../requests/content.ts';

/** Who alone will learn the value. */
export interface Reader {
  /** The chain that the user signed for: of its account, the contract and the delegator. */
  readonly chainId: bigint;
  /** The contract that the user named for the ciphertext. */
  readonly contract: HexAddress;
  readonly user: HexAddress;
  /** The account that the user says it reads for. Its signature is no part of the request. */
  readonly delegator: HexAddress | undefined;
}

/** What is asked about. */
export interface ProvenanceQuestion {
  /** The name of who asks: long checks are shared out among requesters. */
  readonly requester: string;
  readonly key: KeyRecord;
  /** The bytes as they came, how they are read, and what the caller sent to show where they come from. */
  readonly ciphertext: Ciphertext;
  /** Of the value in it. */
  readonly type: FheType;
  /** Undefined when everybody will. */
  readonly reader: Reader | undefined;
}

export interface Provenance {
  /** Its word in node.toml. */
  readonly kind: ProvenanceKind;
  /** Whether the caller sent what this way of showing takes; if not, it is not asked. */
  offered(ciphertext: Ciphertext): boolean;
  /**
   * Resolves when the ciphertext is genuine: made by an encryption under this key or computed from such. May take long;
   * whatever keeps the event loop busy for more than some milliseconds belongs into a worker.
   * @throws ApiError or WireError whose code says which check failed, and whose message names what is wrong
   */
  verify(question: ProvenanceQuestion): Promise<void>;
}

/** What one application allows. */
export interface AllowedProvenance {
  readonly ways: readonly Provenance[];
  /** Whether lists under development keys, which want nothing else, must be proven. */
  readonly provenLists: boolean;
}

/** Development keys only. */
export const NO_PROVENANCE: AllowedProvenance = { ways: [], provenLists: false };

/** By the name of the application; no way for those that the configuration does not list. */
export type ProvenanceRules = (app: string) => AllowedProvenance;

const LISTS: readonly Ciphertext['format'][] = ['compact-list', 'proven-list'];

/**
 * Resolves when one of the allowed ways shows that the ciphertext is genuine; development keys want nothing, unless the
 * application wants proofs for lists.
 * @throws ApiError PROVENANCE_REQUIRED when nothing was sent that could show it, else what the first way said
 */
export async function requireProvenance(allowed: AllowedProvenance, question: ProvenanceQuestion): Promise<void> {
  const { key, ciphertext } = question;
  const ways = waysFor(allowed, question);
  if (ways === undefined) return;
  const refusals: ApiError[] = [];
  for (const way of ways.filter((each) => each.offered(ciphertext))) {
    const refusal = await refusalOf(() => way.verify(question));
    if (refusal === undefined) return;
    refusals.push(refusal);
  }
  if (refusals[0]) throw refusals[0];
  const wanted = ways.map(({ kind }) => `"${kind}"`).join(' or ');
  const rule = wanted === '' ? 'this node has no rules for the application' : `the application wants it ${wanted}`;
  throw new ApiError('PROVENANCE_REQUIRED', `key ${key.keyId} is for ${key.purpose}, and ${rule}`);
}

/** Undefined when nothing has to be shown. */
function waysFor(
  { ways, provenLists }: AllowedProvenance,
  { key, ciphertext }: ProvenanceQuestion,
): readonly Provenance[] | undefined {
  if (key.purpose === 'production') return ways;
  return provenLists && LISTS.includes(ciphertext.format) ? ways.filter(({ kind }) => kind === 'proven') : undefined;
}

/** Throws what is no refusal: a bug of ours. */
async function refusalOf(check: () => Promise<void>): Promise<ApiError | undefined> {
  try {
    await check();
    return undefined;
  } catch (error) {
    const refusal = apiErrorOf(error);
    if (refusal === undefined) throw error;
    return refusal;
  }
}
