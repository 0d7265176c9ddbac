/**
 * Looks after the public objects on this node's disk. At start every object is read and compared with its digest, at
 * bounded speed and beside everything else; one that is damaged, then or when somebody reads it later, is refused until
 * what is missing has been fetched from peers and the object was found whole.
 */
import type { Clock } from '@keyquorum/mpc/session';
import type { Log } from '../log.ts';
import { type Description, describeObjects } from './describe.ts';
import { MaterialDamagedError, type PublicObject } from './public-object.ts';

/** A default key of 1 GB in all is verified in 16 s; hashing takes a fifth of a core then. */
const BYTES_PER_SECOND = 64 * 2 ** 20;
/** Between two tries to get a damaged object back, doubled after each. */
const RETRY_MS = 5_000;
const RETRY_MS_MAX = 300_000;

/** Objects that are made of the same bytes: those of one key. */
export interface Holding {
  /** Of the key. */
  readonly id: string;
  readonly objects: readonly PublicObject[];
  /** Fetches what the disk has lost: how many parts. @throws when no peer has it now */
  repair(): Promise<number>;
}

export interface MaterialHealth {
  /** Objects on this disk, how many of them were verified in this life of the node, and digests of damaged ones. */
  readonly objects: number;
  readonly verified: number;
  readonly damaged: readonly string[];
  /** Since the node started: times that an object was found damaged, and parts that peers gave back. */
  readonly damageFound: number;
  readonly partsFetched: number;
}

export interface Caretaker {
  /** Verifies what is there now. Ends when all of it was read; damage is taken care of beside that. */
  run(): Promise<void>;
  /** Somebody found a part of it damaged. */
  suspect(id: string): void;
  /** Whoever reads it finds damage too. @throws MaterialDamagedError while the object is known to be damaged */
  object(digest: string): PublicObject | undefined;
  objects(): readonly PublicObject[];
  health(): MaterialHealth;
}

export interface CaretakerModules {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly log: Log;
  /** All of them; new ones appear when they are finished. */
  holdings(): readonly Holding[];
}

export function createCaretaker({ clock, signal, log, holdings }: CaretakerModules): Caretaker {
  /** By digest. What is not here is whole: verified, or described from this disk in this life of the node. */
  const states = new Map<string, 'unverified' | 'damaged'>();
  const tended = new Set<string>();
  const suspectedAgain = new Set<string>();
  let [damageFound, partsFetched, freeMs] = [0, 0, 0];

  async function pace(bytes: number): Promise<void> {
    freeMs = Math.max(freeMs, clock.now()) + (1_000 * bytes) / BYTES_PER_SECOND;
    await clock.until(freeMs, signal);
  }

  function doubt({ objects }: Holding): void {
    for (const { digest } of objects) if (!states.has(digest)) states.set(digest, 'unverified');
  }

  function markDamaged({ digest, type }: PublicObject, id: string, error: unknown): void {
    if (states.get(digest) === 'damaged') return;
    states.set(digest, 'damaged');
    damageFound += 1;
    log({ level: 'error', message: 'a public object is damaged and not served', id, type, digest, ...causes(error) });
  }

  function markWhole({ digest, type }: PublicObject, id: string): void {
    if (states.get(digest) === 'damaged') {
      log({ level: 'info', message: 'a damaged public object is whole again', id, type, digest });
    }
    states.delete(digest);
  }

  /** Reads what is in doubt. False when some of it is damaged. */
  async function verify({ id, objects }: Holding): Promise<boolean> {
    const doubtful = objects.filter(({ digest }) => states.has(digest));
    const found = await describeObjects(doubtful, pace);
    signal.throwIfAborted();
    for (const [index, object] of doubtful.entries()) {
      const problem = problemOf(object, found[index]!);
      if (problem !== undefined) markDamaged(object, id, problem);
      else markWhole(object, id);
    }
    return objects.every(({ digest }) => !states.has(digest));
  }

  async function repair({ id, repair }: Holding): Promise<void> {
    try {
      const parts = await repair();
      partsFetched += parts;
      log({ level: 'info', message: 'fetched lost parts of public objects from peers', id, parts });
    } catch (error) {
      if (signal.aborted) throw error;
      log({ level: 'warn', message: 'lost parts of public objects cannot be fetched yet', id, error: String(error) });
    }
  }

  /** Until all of it is whole. One at a time for each holding. */
  async function tend(holding: Holding): Promise<void> {
    const { id } = holding;
    if (tended.has(id)) return void suspectedAgain.add(id);
    tended.add(id);
    try {
      for (let retryMs = RETRY_MS; ; retryMs = Math.min(2 * retryMs, RETRY_MS_MAX)) {
        suspectedAgain.delete(id);
        await repair(holding);
        if ((await verify(holding)) && !suspectedAgain.has(id)) return;
        await clock.until(clock.now() + retryMs, signal);
      }
    } finally {
      tended.delete(id);
    }
  }

  function tendBeside(holding: Holding): void {
    tend(holding).catch((error) => {
      if (signal.aborted) return;
      log({ level: 'error', message: 'public objects are not looked after', id: holding.id, error: String(error) });
    });
  }

  function suspect(id: string): void {
    const holding = holdings().find((each) => each.id === id);
    if (holding === undefined) return;
    doubt(holding);
    tendBeside(holding);
  }

  return {
    async run() {
      const there = holdings();
      for (const holding of there) doubt(holding);
      for (const holding of there) {
        const startMs = clock.now();
        if (await verify(holding)) {
          log({ level: 'info', message: 'public objects verified', id: holding.id, ms: clock.now() - startMs });
        } else tendBeside(holding);
      }
    },
    suspect,
    object(digest) {
      for (const { id, objects } of holdings()) {
        const object = objects.find((each) => each.digest === digest);
        if (object === undefined) continue;
        if (states.get(digest) === 'damaged')
          throw new MaterialDamagedError(`${object.type} ${digest} is damaged here`);
        return noticing(object, (error) => {
          markDamaged(object, id, error);
          suspect(id);
        });
      }
      return undefined;
    },
    objects: () => holdings().flatMap(({ objects }) => objects),
    health() {
      const objects = holdings().reduce((sum, holding) => sum + holding.objects.length, 0);
      const damaged = [...states].flatMap(([digest, state]) => (state === 'damaged' ? [digest] : []));
      return { objects, verified: objects - states.size, damaged, damageFound, partsFetched };
    },
  };
}

function problemOf({ digest, size }: PublicObject, found: Description | { readonly error: unknown }): unknown {
  if ('error' in found) return found.error;
  if (found.digest === digest && found.size === size) return undefined;
  return new MaterialDamagedError(`read ${found.size} bytes with digest ${found.digest}, want ${size} bytes`);
}

/** The object; `onDamage` is called when a reader meets damage. */
function noticing(object: PublicObject, onDamage: (error: MaterialDamagedError) => void): PublicObject {
  return {
    ...object,
    async *read(start, end) {
      try {
        yield* object.read(start, end);
      } catch (error) {
        if (error instanceof MaterialDamagedError) onDamage(error);
        throw error;
      }
    },
  };
}

function causes(error: unknown): { readonly error: string; readonly cause?: string } {
  const cause = error instanceof Error && error.cause !== undefined ? { cause: String(error.cause) } : {};
  return { error: String(error), ...cause };
}
