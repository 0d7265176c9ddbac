/**
 * The epoch of a node: loaded from disk, taken from the others if it started without this node, or started together.
 * The lowest party that is up announces the start once everybody is there, or enough are there for long enough; the
 * next ones follow if it does not. When messages are late a quorum may certify a start that some parties give up and
 * repeat; docs/protocols/prss.md, "When a start is missed", tells what then holds.
 */
import { toHex } from '@keyquorum/mpc/bytes';
import type { Party } from '@keyquorum/mpc/party';
import { eraseKeys } from '@keyquorum/mpc/prss/keys';
import { quorumOf } from '@keyquorum/mpc/roster';
import type { PartyId } from '@keyquorum/mpc/transport';
import type { Board } from '../ceremony/board.ts';
import { type Announcement, announcedSession } from '../ceremony/starting.ts';
import type { ProvenParties } from '../closed/proven.ts';
import { closeLater } from '../linger.ts';
import type { Log } from '../log.ts';
import type { ServiceLimits } from '../services.ts';
import type { SecretStore } from '../storage.ts';
import {
  decodeEpochContent,
  type EpochKeys,
  encodeEpochContent,
  fetchEpoch,
  loadEpoch,
  serveEpochKeys,
  startEpoch,
  storeEpoch,
} from './epoch.ts';

/** The first epoch of a network. Later ones begin by resharing, which is not built yet. */
const FIRST_EPOCH = 1;
const TICK_MS = 250;
/** Without everybody, the start waits this long for the missing parties. */
const PATIENCE_MS = 30_000;
const LEAD_MS = 800;
/** Rounds double with every failed start, up to this often. */
const DOUBLINGS_MAX = 5;
const DEADLINE_MS = 60_000;
const ID_BYTES = 32;

export interface EpochModules {
  readonly party: Party;
  readonly secrets: SecretStore;
  readonly board: Board;
  readonly proven: ProvenParties;
  announce(announcement: Announcement): Promise<PartyId[]>;
  readonly limits: ServiceLimits;
  readonly signal: AbortSignal;
  readonly log: Log;
  /** Called once, when this node holds the keys of the epoch. */
  onKeys(epoch: EpochKeys): void;
  /** Whether there is a released batch on disk: then the epoch is in use, and all honest parties have its keys. */
  isUsed(): Promise<boolean>;
}

export interface Epochs {
  current(): EpochKeys | undefined;
  /** Resolves when this node holds the epoch's keys. */
  run(): Promise<void>;
  accept(announcement: Announcement): void;
  enter(announcement: Announcement): void;
}

export function createEpochs(modules: EpochModules): Epochs {
  const { party, secrets, board, proven, limits, signal, log } = modules;
  const { clock, roster, self } = party;
  let held: EpochKeys | undefined;
  let starting = true; // until it is known what is on disk
  let failures = 0;
  serveEpochKeys(party, () => held);

  function hold(keys: EpochKeys): void {
    held = keys;
    modules.onKeys(keys);
  }

  async function keep(late: EpochKeys): Promise<void> {
    starting = true; // no other start begins meanwhile
    await storeEpoch(secrets, late).finally(() => {
      starting = false;
    });
    hold(late);
  }

  /** True when this party should announce the start now: the lowest, or the next one if those before it do not. */
  function isMyTurn(sinceMs: number): boolean {
    const up = party.connected();
    const all = up.length === roster.n - 1;
    const enough = up.length + 1 >= quorumOf(roster) && clock.now() - sinceMs >= PATIENCE_MS;
    const before = up.filter((peer) => peer < self).length;
    return (all || enough) && clock.now() - sinceMs >= before * PATIENCE_MS;
  }

  async function announceStart(): Promise<void> {
    const id = toHex(party.random(ID_BYTES));
    const startMs = Math.round(clock.now()) + LEAD_MS;
    const attempt = Math.min(failures, DOUBLINGS_MAX);
    await modules.announce({ kind: 'epoch', id, attempt, startMs, content: encodeEpochContent(FIRST_EPOCH) });
  }

  async function runCeremony(announcement: Announcement): Promise<void> {
    const { id, attempt } = announcement;
    const session = party.open(announcedSession(roster, announcement), { signal });
    const deadlineMs = clock.now() + DEADLINE_MS;
    board.begin('epoch', id, { deadlineMs, total: 1 });
    board.progress(id, { phase: 'prss-init' });
    starting = true;
    try {
      const roundMs = limits.roundMs * 2 ** Math.min(attempt, DOUBLINGS_MAX);
      hold(await startEpoch(session, secrets, { announcement, roundMs, prove: proven.add }));
      board.succeed(id);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      failures += 1;
      board.fail(id, { code: 'EPOCH_START_FAILED', message, culprits: [], absent: [] });
      log({ level: 'warn', message: 'starting the epoch failed, it is tried again', error: message });
    } finally {
      starting = false;
      closeLater(session);
    }
  }

  /**
   * Of a start that this node holds and has never used: the keys of another one, if t+1 others hold that. One of them
   * is honest, so no batch was ever released with the keys of this one: that takes all honest parties.
   */
  async function startOfOthers(own: EpochKeys): Promise<EpochKeys | undefined> {
    while (party.connected().length < 2 * roster.t) await clock.until(clock.now() + TICK_MS, signal);
    const other = await fetchEpoch(party, { epoch: FIRST_EPOCH, signal });
    if (other === undefined || other.start === own.start) return undefined;
    await storeEpoch(secrets, other);
    held = other; // before they are erased: nobody is told zeros
    eraseKeys(own.keys);
    log({ level: 'warn', message: 'took the keys of the start of the epoch that the others hold' });
    return other;
  }

  return {
    current: () => held,
    async run() {
      held = await loadEpoch(party, secrets, FIRST_EPOCH);
      starting = false;
      if (held !== undefined) return hold((await modules.isUsed()) ? held : ((await startOfOthers(held)) ?? held));
      const sinceMs = clock.now();
      while (held === undefined) {
        await clock.until(clock.now() + TICK_MS, signal);
        if (starting || held !== undefined) continue;
        const late = await fetchEpoch(party, { epoch: FIRST_EPOCH, signal });
        if (starting || held !== undefined) continue; // meanwhile
        if (late !== undefined) await keep(late);
        else if (isMyTurn(sinceMs)) await announceStart();
      }
    },
    accept({ content }) {
      if (held !== undefined) throw new Error('this node has the epoch already');
      if (starting) throw new Error('an epoch is starting');
      if (decodeEpochContent(content) !== FIRST_EPOCH) throw new Error('unknown epoch');
    },
    enter(announcement) {
      runCeremony(announcement).catch((error) =>
        log({ level: 'error', message: 'starting the epoch ended badly', error: String(error) }),
      );
    },
  };
}
