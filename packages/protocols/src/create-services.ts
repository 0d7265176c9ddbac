/**
 * Puts the services of one node together: ceremonies, keys, pool and decryption over one `Party`. The order of a start:
 * keys and records are loaded, exchanges are served, the transport starts, then the epoch, then the pool.
 */
import { abandonEnteredSessions } from '@keyquorum/mpc/agreement/decision';
import type { Party } from '@keyquorum/mpc/party';
import { eraseKeys } from '@keyquorum/mpc/prss/keys';
import { partiesOf } from '@keyquorum/mpc/roster';
import { type Board, createBoard } from './ceremony/board.ts';
import { type AdmissionPolicy, createJointCeremonies } from './ceremony/joint.ts';
import { type Announcement, createStarting } from './ceremony/starting.ts';
import { createProvenLearning, serveProven } from './closed/learn-proven.ts';
import { createProvenParties } from './closed/proven.ts';
import { createCrsCeremonies } from './crs/ceremony.ts';
import { TFHE_FORMAT } from './crs/content.ts';
import { createCrsStore } from './crs/crs-store.ts';
import type { CurveModules } from './crs/curve-modules.ts';
import { createCrsMemory } from './crs/memory.ts';
import { serveBatchList, storedBatches } from './decryption/batch-list.ts';
import { DecryptionError, type PoolStatus } from './decryption/job.ts';
import { createLedger } from './decryption/ledger.ts';
import { createPool, type Pool } from './decryption/pool.ts';
import { createRefill, type Refill } from './decryption/refill.ts';
import { createReservations } from './decryption/reservations.ts';
import { createSelfTest } from './decryption/self-test.ts';
import { createDecryptionService } from './decryption/service.ts';
import { createEpochs } from './epoch/ceremony.ts';
import type { EpochKeys } from './epoch/epoch.ts';
import { createEvidenceArchive } from './evidence/archive.ts';
import { createKeygenCeremonies } from './keygen/ceremony.ts';
import { createKeyMaterial } from './keygen/key-holdings.ts';
import { createKeyStore } from './keygen/key-store.ts';
import type { Log } from './log.ts';
import type { ServiceLimits, Services } from './services.ts';
import type { PublicStore, SecretStore } from './storage.ts';

export interface ServiceOptions extends AdmissionPolicy {
  readonly party: Party;
  readonly secrets: SecretStore;
  readonly publics: PublicStore;
  readonly limits: ServiceLimits;
  /** What computes reference strings. */
  readonly curves: CurveModules;
  readonly log?: Log;
}

const SELF_TEST_RETRY_MS = 500;
const DAMAGED =
  "this node's PRSS keys do not fit those of the others: its disk is damaged or old; it stays silent, replace it";

const RECALLING = 'asking 2t+1 other parties what this node had used before its restart';

export function createServices(options: ServiceOptions): Services {
  const { party, secrets, publics, limits, log = () => undefined } = options;
  const { roster, kernel, journal, clock, transport } = party;
  const stopping = new AbortController();
  const { signal } = stopping;
  abandonEnteredSessions(journal);
  const board: Board = createBoard(journal, clock);
  const archive = createEvidenceArchive(publics, roster);
  const proven = createProvenParties(journal, archive, log);
  const learnProven = createProvenLearning({ party, proven, signal, log });
  const keys = createKeyStore({ kernel, roster, journal, secrets, publics });
  const { caretaker, exchange } = createKeyMaterial({ party, keys, signal, log });
  const crsStore = createCrsStore(journal, publics);
  const ledger = createLedger(journal);
  const reservations = createReservations(party, ledger, signal);
  let pool: Pool | undefined;
  let refill: Refill | undefined;
  let damaged = false;
  let epochKeysInUse: EpochKeys | undefined; // once they have passed their test

  const decryption = createDecryptionService({
    ...{ party, key: keys.loaded, deadlineMs: limits.decryptionDeadlineMs, signal, log },
    pool: () => pool,
    epochKeys: () => epochKeysInUse,
  });

  const starting = createStarting(party, { joint: () => joint, log });
  const announce = (announcement: Announcement) => starting.announce(announcement, signal);
  const onKeys = (epoch: EpochKeys): void => {
    startPool(epoch).catch((error) => {
      if (!signal.aborted) log({ level: 'error', message: 'the pool cannot start', error: String(error) });
    });
  };
  const epochs = createEpochs({
    ...{ party, secrets, board, proven, announce, limits, signal, log, onKeys },
    isUsed: async () => (await storedBatches(publics)).length > 0,
  });
  const keygen = createKeygenCeremonies({
    ...{ party, board, keys, exchange, proven, limits, announce, signal, log, decrypt: decryption.decrypt },
    learnProven,
    epoch: () => epochs.current()?.epoch ?? 0,
  });
  const crs = createCrsCeremonies({
    ...{ party, board, proven, limits, announce, signal, log },
    ...{ store: crsStore, memory: createCrsMemory(journal, publics), curves: options.curves, format: TFHE_FORMAT },
  });
  const joint = createJointCeremonies({ board, self: party.self }, { epoch: epochs, keygen, crs }, options);

  serveBatchList(transport, publics);
  serveProven(party, proven);

  async function startPool(epoch: EpochKeys): Promise<void> {
    damaged = !(await testOwnKeys(epoch));
    if (damaged) return log({ level: 'error', message: DAMAGED });
    epochKeysInUse = epoch;
    const { admitted, onBound } = decryption;
    pool = createPool({ party, ledger, reservations, admitted, onBound, signal });
    const sizes = { target: limits.poolTarget, batchBundles: limits.batchBundles };
    refill = createRefill({
      ...{ party, pool, ledger, reservations, publics, board, epoch, signal, log, ...sizes },
      ...{ proven, learnProven, calm: decryption.calm },
    });
    refill.run().catch((error) => {
      if (!signal.aborted) log({ level: 'error', message: 'the pool is not refilled any more', error: String(error) });
    });
    keygen.recover();
  }

  function careForMaterial(): void {
    caretaker.run().catch((error) => {
      if (!signal.aborted) log({ level: 'error', message: 'public objects are not verified', error: String(error) });
    });
  }

  /** Before keys from disk are used: a node with damaged keys must be silent, not wrong. False when they are. */
  async function testOwnKeys({ keys: epochKeys }: EpochKeys): Promise<boolean> {
    const selfTest = createSelfTest(party, { keys: epochKeys, publics, signal });
    for (;;) {
      const result = await selfTest.run();
      if (result !== 'unknown') return result === 'right';
      await clock.until(clock.now() + SELF_TEST_RETRY_MS, signal);
    }
  }

  party.onPeer((peer, state) => {
    if (state === 'restarted') keygen.peerRestarted(peer);
    if (state !== 'up') return;
    if (pool !== undefined) keygen.recover();
    crs.recover();
    learnProven().catch((error) =>
      log({ level: 'warn', message: 'asking whom others have proven failed', peer, error: String(error) }),
    );
    refill
      ?.catchUp()
      .catch((error) => log({ level: 'warn', message: 'catching up failed', peer, error: String(error) }));
  });

  function whyNotFull(): string {
    if (damaged) return DAMAGED;
    if (pool === undefined) return 'the epoch has not started';
    return pool.recalling() ? RECALLING : (refill?.reason() ?? '');
  }

  function notStarted(): DecryptionError {
    const down = partiesOf(roster).filter((id) => id !== party.self && !transport.isUp(id));
    return new DecryptionError('POOL_EMPTY', damaged ? DAMAGED : 'the epoch has not started on this node', down);
  }

  function poolStatus(): PoolStatus {
    return {
      available: pool?.available() ?? 0,
      target: limits.poolTarget,
      batches: pool?.batches() ?? 0,
      settled: pool !== undefined && refill?.loaded() === true && !pool.recalling(),
      refillPerSecond: refill?.perSecond() ?? 0,
      reason: whyNotFull(),
    };
  }

  return {
    async start() {
      await keys.load();
      await party.start();
      crs.resume();
      epochs.run().catch((error) => {
        if (!signal.aborted) log({ level: 'error', message: 'the epoch cannot start', error: String(error) });
      });
      careForMaterial();
    },
    async stop() {
      stopping.abort(new Error('the node is stopping'));
      pool?.close();
      epochKeysInUse = undefined; // erased below: noise from keys of zeros would be no secret
      keys.erase();
      const held = epochs.current();
      if (held !== undefined) eraseKeys(held.keys);
      await party.stop();
    },
    epoch: () => epochs.current()?.epoch ?? 0,
    generateKey: (request) => joint.ask(request.requestId, () => keygen.request(request)),
    ...{ ceremonies: board.list, ceremony: board.get, watch: board.watch, cancel: joint.cancel },
    keys: keys.records,
    ...{ objects: () => [...caretaker.objects(), ...crsStore.objects()], materialHealth: caretaker.health },
    ...{ evidence: archive.list, evidenceFile: archive.get },
    material: (digest) => caretaker.object(digest) ?? crsStore.material(digest),
    generateCrs: (request) => joint.ask(request.requestId, () => crs.request(request)),
    ...{ referenceStrings: crsStore.records, crsTranscript: crsStore.transcript },
    decrypt: (job) => (pool === undefined ? Promise.reject(notStarted()) : decryption.decrypt(job)),
    userShares: (job) => (pool === undefined ? Promise.reject(notStarted()) : decryption.userShares(job)),
    pool: poolStatus,
  };
}
