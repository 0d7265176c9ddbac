/**
 * The epoch of a node: loaded from disk, taken from the others if it started without this node, or started together.
 * The lowest party that is up announces the start once everybody is there, or enough are there for long enough; the
 * next ones follow if it does not.
 */
import { decode, encode, u32 } from '@keyquorum/codec/codec';
import { toHex } from '@keyquorum/mpc/bytes';
import type { Party } from '@keyquorum/mpc/party';
import type { PrssKeys } from '@keyquorum/mpc/prss/keys';
import { quorumOf } from '@keyquorum/mpc/roster';
import type { PartyId } from '@keyquorum/mpc/transport';
import type { Board } from '../ceremony/board.ts';
import { type Announcement, announcedSession } from '../ceremony/starting.ts';
import { closeLater } from '../linger.ts';
import type { Log } from '../log.ts';
import type { ServiceLimits } from '../services.ts';
import type { SecretStore } from '../storage.ts';
import { fetchEpoch, loadEpoch, serveEpochKeys, startEpoch } from './epoch.ts';

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
  announce(announcement: Announcement): Promise<PartyId[]>;
  readonly limits: ServiceLimits;
  readonly signal: AbortSignal;
  readonly log: Log;
  /** Called once, when this node holds the keys of the epoch. */
  onKeys(epoch: number, keys: PrssKeys): void;
}

export interface Epochs {
  current(): { readonly epoch: number; readonly keys: PrssKeys } | undefined;
  /** Resolves when this node holds the epoch's keys. */
  run(): Promise<void>;
  accept(announcement: Announcement): void;
  enter(announcement: Announcement): void;
}

export function createEpochs(modules: EpochModules): Epochs {
  const { party, secrets, board, limits, signal, log } = modules;
  const { clock, roster, self } = party;
  let held: { epoch: number; keys: PrssKeys } | undefined;
  let starting = false;
  let failures = 0;
  serveEpochKeys(party, () => held);

  function hold(keys: PrssKeys): void {
    held = { epoch: FIRST_EPOCH, keys };
    modules.onKeys(FIRST_EPOCH, keys);
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
    await modules.announce({ kind: 'epoch', id, attempt, startMs, content: encode(u32, FIRST_EPOCH) });
  }

  async function runCeremony(announcement: Announcement): Promise<void> {
    const { id, attempt, content, startMs } = announcement;
    const session = party.open(announcedSession(roster, announcement), { signal });
    const deadlineMs = clock.now() + DEADLINE_MS;
    board.begin('epoch', id, { deadlineMs, total: 1 });
    board.progress(id, { phase: 'prss-init' });
    starting = true;
    try {
      const times = { startMs, roundMs: limits.roundMs * 2 ** Math.min(attempt, DOUBLINGS_MAX) };
      hold(await startEpoch(session, secrets, { epoch: FIRST_EPOCH, context: content, ...times }));
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

  return {
    current: () => held,
    async run() {
      const loaded = await loadEpoch(party, secrets, FIRST_EPOCH);
      if (loaded !== undefined) return hold(loaded);
      const sinceMs = clock.now();
      while (held === undefined) {
        await clock.until(clock.now() + TICK_MS, signal);
        if (starting || held !== undefined) continue;
        const late = await fetchEpoch(party, secrets, { epoch: FIRST_EPOCH, signal });
        if (late !== undefined && held === undefined) return hold(late);
        if (isMyTurn(sinceMs) && !starting) await announceStart();
      }
    },
    accept({ content }) {
      if (held !== undefined) throw new Error('this node has the epoch already');
      if (starting) throw new Error('an epoch is starting');
      if (decode(u32, content) !== FIRST_EPOCH) throw new Error('unknown epoch');
    },
    enter(announcement) {
      runCeremony(announcement).catch((error) =>
        log({ level: 'error', message: 'starting the epoch ended badly', error: String(error) }),
      );
    },
  };
}
