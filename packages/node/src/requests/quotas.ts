/**
 * How many blocks a requester may have decrypted in a day under each key: what bounds the harm of a stolen API key.
 * Each node counts for itself, and every node sees every request. A request counts once, when it is first admitted,
 * whatever becomes of it; asking again for it costs nothing.
 *
 * Cost: one small record per request, written with the request itself. Days are those of UTC. A clock that is put right
 * at midnight renews nothing twice; one that was wrong by days does not lock anybody out until then.
 */
import type { Journal } from '@keyquorum/mpc/session';
import Type, { type Static } from 'typebox';
import { Check } from 'typebox/value';
import type { Requester } from '../config/schema.ts';
import { ApiError } from '../errors/api-error.ts';
import { StoreError } from '../store/store-error.ts';

const DAY_MS = 86_400_000;

export interface QuotaUse {
  readonly requester: string;
  readonly keyId: string;
  /** Today. */
  readonly blocks: number;
}

export interface Quotas {
  /** Throws QUOTA_EXCEEDED, or REQUEST_TOO_LARGE when no day would be enough. The result counts the blocks. */
  require(requester: Requester, keyId: string, blocks: number): () => void;
  /** Of requesters with a quota that asked today. */
  uses(): readonly QuotaUse[];
}

interface Options {
  readonly table: Journal;
  /** Milliseconds since 1970. */
  now(): number;
}

const Use = Type.Object({ day: Type.Integer(), blocks: Type.Integer() });
type Use = Static<typeof Use>;

/** Names of requesters have no slash. */
const recordName = (requester: string, keyId: string) => `${requester}/${keyId}`;

export function createQuotas({ table, now }: Options): Quotas {
  const stored = (name: string): Use | undefined => decodeUse(table.get(name));
  /** Since 1970; the one that the records are of. */
  let day = table.keys('').reduce((latest, name) => Math.max(latest, stored(name)?.day ?? 0), 0);

  /** Forgets other days when a new one begins. */
  function today(): number {
    const current = Math.floor(now() / DAY_MS);
    if (current === day || current === day - 1) return day;
    day = current;
    for (const name of table.keys('')) table.delete(name);
    return day;
  }

  function useOf(name: string): Use {
    const use = stored(name);
    return use?.day === today() ? use : { day, blocks: 0 };
  }

  return {
    require({ name: requester, blocksPerDay }, keyId, blocks) {
      if (blocksPerDay === undefined) return () => undefined;
      if (blocks > blocksPerDay) {
        const problem = `${blocks} blocks, and requester ${requester} may have ${blocksPerDay} a day under a key`;
        throw new ApiError('REQUEST_TOO_LARGE', problem);
      }
      const name = recordName(requester, keyId);
      const use = useOf(name);
      if (use.blocks + blocks > blocksPerDay) throw exceeded({ requester, keyId, use, blocks, blocksPerDay }, now());
      return () => table.set(name, encodeUse({ day: use.day, blocks: use.blocks + blocks }));
    },
    uses() {
      return table.keys('').flatMap((name) => {
        const [requester = '', keyId = ''] = name.split('/');
        const { blocks } = useOf(name);
        return blocks === 0 ? [] : [{ requester, keyId, blocks }];
      });
    },
  };
}

interface Excess {
  readonly requester: string;
  readonly keyId: string;
  readonly use: Use;
  readonly blocks: number;
  readonly blocksPerDay: number;
}

function exceeded({ requester, keyId, use, blocks, blocksPerDay }: Excess, nowMs: number): ApiError {
  const renewalMs = (use.day + 1) * DAY_MS;
  const used = `requester ${requester} has had ${use.blocks} of ${blocksPerDay} blocks under key ${keyId} today`;
  const message = `${used}, and this request takes ${blocks}; renewed at ${new Date(renewalMs).toISOString()}`;
  return new ApiError('QUOTA_EXCEEDED', message, { retrySeconds: Math.ceil((renewalMs - nowMs) / 1000) });
}

function encodeUse(use: Use): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(use));
}

function decodeUse(bytes: Uint8Array | undefined): Use | undefined {
  if (bytes === undefined) return undefined;
  const value: unknown = JSON.parse(new TextDecoder().decode(bytes));
  if (Check(Use, value)) return value;
  throw new StoreError('STORE_TAMPERED', 'a quota record was written by another version of this program');
}
