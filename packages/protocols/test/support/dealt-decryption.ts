/** Decryption services of n parties on material and keys dealt by the test: what ceremonies leave behind. */
import { asGr64, type Gr64 } from '@keyquorum/kernel/batch';
import type { Party } from '@keyquorum/mpc/party';
import { familyC } from '@keyquorum/mpc/prss/family';
import { sessionKeys } from '@keyquorum/mpc/prss/keys';
import { createPrss } from '@keyquorum/mpc/prss/prss';
import type { Prng } from '@keyquorum/mpc/simulate/prng';
import { type Run, type SimulateOptions, type Simulation, simulate } from '@keyquorum/mpc/simulate/simulate';
import type { PartyId } from '@keyquorum/mpc/transport';
import type { Value64 } from '@keyquorum/tfhe/ciphertext';
import type { DecryptionJob, DecryptionOutcome } from '../../src/decryption/job.ts';
import { createLedger } from '../../src/decryption/ledger.ts';
import type { Material } from '../../src/decryption/material.ts';
import { createPool } from '../../src/decryption/pool.ts';
import { openValues, recomputeBatch, shareMessage } from '../../src/decryption/preprocessing.ts';
import { createReservations } from '../../src/decryption/reservations.ts';
import { createDecryptionService } from '../../src/decryption/service.ts';
import { SHARE_CODECS } from '../../src/share-codecs.ts';
import { dealKeys } from './dealt-keys.ts';
import { kernel } from './kernel.ts';

const BATCH = 'ba'.repeat(32);
const ELEMENT_BYTES = 32;
const DEADLINE_MS = 60_000;

/** One byte per bit, LWE order; parts that the key was generated without are left out. */
export type KeyBits = Readonly<Partial<Record<Value64['key'], Uint8Array>>>;

interface Dealt {
  readonly keyId: string;
  readonly keyBits: KeyBits;
  /** Ciphertexts that can be decrypted. */
  readonly bundles: number;
}

export interface DealtDecryption {
  readonly sim: Simulation;
  /** Every party decrypts, then answers slower ones for a while. */
  decrypt(job: DecryptionJob): Promise<Run<DecryptionOutcome>>;
}

export function createDealtDecryption(
  options: Omit<SimulateOptions, 'kernel'>,
  { keyId, keyBits, bundles }: Dealt,
): DealtDecryption {
  const sim = simulate({ codecs: SHARE_CODECS, ...options, kernel });
  const random = sim.random.fork('dealt');
  const material = dealMaterial(options, bundles);
  const names = Object.keys(keyBits) as Value64['key'][];
  const keys = new Map(names.map((name) => [name, shareBits(keyBits[name]!, options, random)]));

  async function boot(party: Party) {
    const signal = new AbortController().signal;
    const ledger = createLedger(party.journal);
    const reservations = createReservations(party, ledger, signal);
    const keyShares = {
      of: (id: string, name: Value64['key']) => (id === keyId ? keys.get(name)?.get(party.self) : undefined),
    };
    const modules = { party, keyShares, deadlineMs: DEADLINE_MS, signal, log: () => undefined };
    const service = createDecryptionService({ ...modules, pool: () => pool });
    const { admitted, onBound } = service;
    const pool = createPool({ party, ledger, reservations, admitted, onBound, signal });
    pool.add({ id: BATCH, material: material.get(party.self)! }, Promise.resolve());
    await party.start();
    return service;
  }

  const running = new Map<PartyId, ReturnType<typeof boot>>();
  return {
    sim,
    decrypt: (job) =>
      sim.run(async (party) => {
        const service = running.get(party.self) ?? boot(party);
        running.set(party.self, service);
        const outcome = await (await service).decrypt(job);
        await party.clock.until(party.clock.now() + 16_000);
        return outcome;
      }),
  };
}

/** The batch of every party, as preprocessing makes it. */
function dealMaterial({ seed, n, t }: { seed: number | string; n: number; t: number }, bundles: number) {
  const keys = dealKeys(familyC({ n, t }), seed);
  const entries = [...keys].map(([party, own]) => {
    const prss = createPrss(kernel, sessionKeys(own, BATCH));
    return [party, shareMessage(kernel, prss, bundles).message] as const;
  });
  const values = openValues(kernel, new Map(entries), { expected: [...keys.keys()], t, bundles })!;
  return new Map<PartyId, Material>(
    [...keys].map(([party, own]) => [party, recomputeBatch(kernel, { id: BATCH, keys: own, bundles, values })]),
  );
}

/** Shares of degree t of key bits. */
function shareBits(bits: Uint8Array, { n, t }: { n: number; t: number }, random: Prng): Map<PartyId, Gr64> {
  const secret = kernel.gr64.embed(new Uint8Array(BigUint64Array.from(bits, BigInt).buffer));
  const others = Array.from({ length: t }, () => asGr64(random.bytes(ELEMENT_BYTES * bits.length)));
  const parties = Array.from({ length: n }, (_, index) => index + 1);
  return new Map(parties.map((party) => [party, kernel.gr64.evaluate([secret, ...others], party)]));
}
