/** Dry runs: every check of a request with its answer, instead of the first refusal. Nothing is run or remembered. */
import { bundlesFor } from '@keyquorum/protocols/decryption/admission';
import type { Output } from '@keyquorum/protocols/decryption/job';
import type { Services } from '@keyquorum/protocols/services';
import type { CiphertextValue } from '@keyquorum/tfhe/ciphertext';
import Type, { type Static } from 'typebox';
import type { Limits } from '../config/schema.ts';
import { ApiError, apiErrorOf } from '../errors/api-error.ts';
import type { Check } from './judge.ts';

const Verdict = Type.Object({
  check: Type.String({ description: 'requestId, application, key, ciphertexts.0, provenance.0, ...' }),
  passed: Type.Union([Type.Boolean(), Type.Null()], { description: 'null: not reached, because another one failed' }),
  code: Type.Optional(Type.String()),
  message: Type.Optional(Type.String()),
  hint: Type.Optional(Type.String({ description: 'what to do about it' })),
});
type Verdict = Static<typeof Verdict>;

export const Explanation = Type.Object({
  allowed: Type.Boolean({ description: 'whether the request would run now' }),
  checks: Type.Array(Verdict),
});
export type Explanation = Static<typeof Explanation>;

/** Runs all checks. Throws what is no refusal: a bug of ours. */
export async function explained(checks: readonly Check[]): Promise<Explanation> {
  const verdicts = new Map<string, Verdict>();
  for (const check of checks) verdicts.set(check.name, await verdictOn(check, verdicts));
  const all = [...verdicts.values()];
  return { allowed: all.every(({ passed }) => passed), checks: all };
}

async function verdictOn({ name: check, needs, run }: Check, before: ReadonlyMap<string, Verdict>): Promise<Verdict> {
  const needed = [...before.values()].filter((each) => each.check === needs || each.check.startsWith(`${needs}.`));
  if (needed.some(({ passed }) => passed !== true)) return { check, passed: null };
  try {
    await run();
    return { check, passed: true };
  } catch (error) {
    const refusal = apiErrorOf(error);
    if (!refusal) throw error;
    const { code, message, hint } = refusal;
    return { check, passed: false, code, message, hint };
  }
}

interface Capacity {
  /** Whom the answer is for. */
  readonly output: Output;
  readonly services: Services;
  readonly running: number;
  readonly limits: Limits;
  readonly draining: boolean;
}

/** Whether this node has what running the request takes. `values` are read when the checks before have run. */
export function capacityChecks(
  values: readonly CiphertextValue[],
  { output, services, running, limits, draining }: Capacity,
): readonly Check[] {
  return [
    {
      name: 'running',
      run() {
        if (draining) throw new ApiError('STOPPING', 'this node is stopping');
        if (running < limits.runningRequests) return;
        throw new ApiError('BUSY', `${running} requests are running, the limit of this node`);
      },
    },
    {
      name: 'pool',
      needs: 'ciphertexts',
      run() {
        const needed = bundlesFor(values, output);
        const { available, reason } = services.pool();
        if (available >= needed) return;
        const why = reason === '' ? 'it is being filled' : reason;
        throw new ApiError('POOL_EMPTY', `the pool holds ${available} bundles and the request needs ${needed}: ${why}`);
      },
    },
  ];
}
