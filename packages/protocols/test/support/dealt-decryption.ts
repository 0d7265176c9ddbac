/** Decryption services of n parties on material and keys dealt by the test: what ceremonies leave behind. */
import { asGr64, type Gr128 } from '@keyquorum/kernel/batch';
import type { Party } from '@keyquorum/mpc/party';
import { familyC } from '@keyquorum/mpc/prss/family';
import { sessionKeys } from '@keyquorum/mpc/prss/keys';
import { createPrss } from '@keyquorum/mpc/prss/prss';
import type { Prng } from '@keyquorum/mpc/simulate/prng';
import { type Run, type SimulateOptions, type Simulation, simulate } from '@keyquorum/mpc/simulate/simulate';
import type { PartyId } from '@keyquorum/mpc/transport';
import type { CiphertextValue } from '@keyquorum/tfhe/ciphertext';
import type { SecretKeyName } from '@keyquorum/tfhe/key-set-components';
import type { DecryptionJob, DecryptionOutcome } from '../../src/decryption/job.ts';
import { createLedger } from '../../src/decryption/ledger.ts';
import type { Material } from '../../src/decryption/material.ts';
import { createPool } from '../../src/decryption/pool.ts';
import { openValues, recomputeBatch, shareMessage } from '../../src/decryption/preprocessing.ts';
import { createReservations } from '../../src/decryption/reservations.ts';
import { createDecryptionService, type DecryptionService } from '../../src/decryption/service.ts';
import type { LoadedKey } from '../../src/keygen/key-store.ts';
import { SHARE_CODECS } from '../../src/share-codecs.ts';
import { dealBits, dealKeys } from './dealt-keys.ts';
import { kernel } from './kernel.ts';

const BATCH = 'ba'.repeat(32);
const DEADLINE_MS = 60_000;

/** One byte per bit, LWE order; parts that the key was generated without are left out. */
export type KeyBits = Readonly<Partial<Record<CiphertextValue['key'], Uint8Array>>>;

const KEYS_64: readonly SecretKeyName[] = ['pke', 'big', 'compression'];
const SESSION = '5e'.repeat(32);

interface Dealt {
  readonly keyId: string;
  readonly keyBits: KeyBits;
  /** Ciphertexts that can be decrypted. */
  readonly bundles: number;
}

export interface DealtDecryption {
  readonly sim: Simulation;
  /** The service of a party's current process; made on first use. */
  service(party: Party): Promise<DecryptionService>;
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
  const keys = dealKey(keyBits, options, random);
  const prss = dealKeys(familyC(options), options.seed);

  async function boot(party: Party) {
    const signal = new AbortController().signal;
    const ledger = createLedger(party.journal);
    const reservations = createReservations(party, ledger, signal);
    const service = createDecryptionService({
      ...{ party, deadlineMs: DEADLINE_MS, signal, log: () => undefined },
      pool: () => pool,
      key: (id) => (id === keyId ? keys.get(party.self) : undefined),
      epochKeys: () => ({ epoch: 1, start: BATCH, keys: prss.get(party.self)! }),
    });
    const { admitted, onBound } = service;
    const pool = createPool({ party, ledger, reservations, admitted, onBound, signal });
    const own = material.get(party.self);
    if (own !== undefined) pool.add({ id: BATCH, material: own }, Promise.resolve());
    await party.start();
    return service;
  }

  const running = new Map<Party, Promise<DecryptionService>>();
  const service = (party: Party) => {
    const known = running.get(party) ?? boot(party);
    running.set(party, known);
    return known;
  };
  return {
    sim,
    service,
    decrypt: (job) =>
      sim.run(async (party) => {
        const outcome = await (await service(party)).decrypt(job);
        await party.clock.until(party.clock.now() + 16_000);
        return outcome;
      }),
  };
}

/** The batch of every party, as preprocessing makes it. */
function dealMaterial({ seed, n, t }: { seed: number | string; n: number; t: number }, bundles: number) {
  const keys = dealKeys(familyC({ n, t }), seed);
  if (bundles === 0) return new Map<PartyId, Material>();
  const entries = [...keys].map(([party, own]) => {
    const prss = createPrss(kernel, sessionKeys(own, BATCH));
    return [party, shareMessage(kernel, prss, bundles).message] as const;
  });
  const values = openValues(kernel, new Map(entries), { expected: [...keys.keys()], t, bundles })!;
  return new Map<PartyId, Material>(
    [...keys].map(([party, own]) => [party, recomputeBatch(kernel, { id: BATCH, keys: own, bundles, values })]),
  );
}

/** Every party's shares of the key. */
function dealKey(bits: KeyBits, size: { n: number; t: number }, random: Prng): Map<PartyId, LoadedKey> {
  const parties = Array.from({ length: size.n }, (_, index) => index + 1);
  const shared = (Object.entries(bits) as [SecretKeyName, Uint8Array][]).map(([name, secret]) => {
    return { name, shares: dealBits(secret, { n: size.n, degree: size.t, random }) };
  });
  return new Map(
    parties.map((party) => {
      const of = (wide: boolean) => shared.filter(({ name }) => wide !== KEYS_64.includes(name));
      const shares64 = of(false).map(({ name, shares }) => [name, asGr64(low(shares.get(party)!))] as const);
      const shares128 = of(true).map(({ name, shares }) => [name, shares.get(party)!] as const);
      const maps = { shares64: new Map(shares64), shares128: new Map(shares128) };
      return [party, { parameters: 'test' as const, session: SESSION, ...maps }];
    }),
  );
}

const low = (shares: Gr128): Uint8Array => kernel.gr128.toWire(shares, 8);
