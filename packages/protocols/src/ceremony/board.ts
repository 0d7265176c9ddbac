/**
 * All ceremonies of a node: every change goes through here, is written down before it is acted on, and is told to
 * whoever watches. After a crash a ceremony that was under way has failed, with that reason, unless its kind can go on:
 * nothing stays pending for ever.
 */
import type { Clock, Journal } from '@keyquorum/mpc/session';
import {
  advance,
  type Ceremony,
  CeremonyError,
  type CeremonyFailure,
  type CeremonyKind,
  isFinal,
  newCeremony,
} from './ceremony.ts';
import { NODE_RESTARTED } from './failure.ts';

/** Finished preprocessing ceremonies are many and small; only the newest are kept. */
const FINISHED_PREPROCESSING_MAX = 32;
/** Kinds whose owner ends what an earlier process began. */
const RESUMED: readonly CeremonyKind[] = ['crs'];

export type Change = Partial<Pick<Ceremony, 'phase' | 'done' | 'waitingFor' | 'bytesSent' | 'etaSeconds'>>;

export interface Board {
  /** Throws CEREMONY_EXISTS when the id is taken. */
  begin(kind: CeremonyKind, id: string, plan: { deadlineMs: number; total: number }): Ceremony;
  progress(id: string, change: Change): void;
  succeed(id: string): void;
  fail(id: string, failure: CeremonyFailure): void;
  abort(id: string): void;
  get(id: string): Ceremony | undefined;
  list(): Ceremony[];
  watch(listener: (ceremony: Ceremony) => void): () => void;
}

export function createBoard(journal: Journal, clock: Clock): Board {
  const ceremonies = new Map<string, Ceremony>();
  const listeners = new Set<(ceremony: Ceremony) => void>();

  function enter(ceremony: Ceremony): Ceremony {
    ceremonies.set(ceremony.id, ceremony);
    if (ceremony.kind !== 'preprocessing') journal.set(`ceremony/${ceremony.id}`, toBytes(ceremony));
    if (isFinal(ceremony)) journal.sync().catch(() => undefined); // the journal's owner stops the node when it fails
    for (const listener of listeners) listener(ceremony);
    return ceremony;
  }

  function known(id: string): Ceremony {
    const ceremony = ceremonies.get(id);
    if (ceremony === undefined) throw new CeremonyError('CEREMONY_UNKNOWN', `no ceremony ${id} on this node`);
    return ceremony;
  }

  /** Final states stay as they are: a late event of a finished ceremony changes nothing. */
  function move(id: string, to: Ceremony['state'], change: Parameters<typeof advance>[3] = {}): void {
    const ceremony = known(id);
    if (isFinal(ceremony) || (to === ceremony.state && changesNothing(ceremony, change))) return;
    enter(advance(ceremony, to, clock.now(), change));
  }

  for (const key of journal.keys('ceremony/')) {
    const ceremony = fromBytes(journal.get(key)!);
    ceremonies.set(ceremony.id, ceremony);
    if (isFinal(ceremony) || RESUMED.includes(ceremony.kind)) continue;
    move(ceremony.id, 'failed', { failure: NODE_RESTARTED });
  }

  return {
    begin(kind, id, { deadlineMs, total }) {
      if (ceremonies.has(id)) throw new CeremonyError('CEREMONY_EXISTS', `the id ${id} is taken by another ceremony`);
      const finished = [...ceremonies.values()].filter((each) => each.kind === 'preprocessing' && isFinal(each));
      for (const old of finished.slice(0, -FINISHED_PREPROCESSING_MAX)) ceremonies.delete(old.id);
      return enter(newCeremony(kind, id, { nowMs: clock.now(), deadlineMs, total }));
    },
    progress: (id, change) => move(id, 'running', change),
    succeed(id) {
      const { total } = known(id);
      move(id, 'succeeded', { done: total, waitingFor: [], etaSeconds: null });
    },
    fail: (id, failure) => move(id, 'failed', { failure }),
    abort: (id) => move(id, 'aborted'),
    get: (id) => ceremonies.get(id),
    list: () => [...ceremonies.values()],
    watch(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}

/** So that `changedMs` of a ceremony that is stalled says since when, and nothing is written meanwhile. */
function changesNothing(ceremony: Ceremony, change: Change): boolean {
  return JSON.stringify({ ...ceremony, ...change }) === JSON.stringify(ceremony);
}

function toBytes(ceremony: Ceremony): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(ceremony));
}

function fromBytes(bytes: Uint8Array): Ceremony {
  return JSON.parse(new TextDecoder().decode(bytes)) as Ceremony; // written by `toBytes`, guarded by the journal
}
