/**
 * A journal in memory that forgets like a real disk. A `MemoryDisk` outlives its process: each incarnation of a party
 * opens its own journal on it. What was not synced when the process died is lost, or kept in part, as on a real disk.
 */
import type { Clock, Journal } from '../session.ts';

type Records = ReadonlyMap<string, Uint8Array>;

export interface DiskSnapshot {
  readonly records: Records;
}

export interface MemoryDisk {
  /** The journal of a process that starts now. A journal opened before is dead from now on. */
  open(clock: Clock): Journal;
  /** The process dies. The first `kept` unsynced writes had reached the disk, the others are lost. */
  crash(kept?: number): void;
  /** Number of writes a crash could lose. */
  unsynced(): number;
  /** What is durable now; `restore` brings it back later, like an operator with yesterday's backup. */
  snapshot(): DiskSnapshot;
  restore(snapshot: DiskSnapshot): void;
}

/** `syncMs`: how long a sync takes on the clock of the journal. */
export function createMemoryDisk({ syncMs = 1 }: { syncMs?: number } = {}): MemoryDisk {
  const durable = new Map<string, Uint8Array>();
  let writes: ((records: Map<string, Uint8Array>) => void)[] = []; // not yet durable, in order
  let process = 0; // number of the living process; journals of older ones change nothing

  const persist = (count: number) => {
    for (const write of writes.splice(0, count)) write(durable);
  };

  return {
    open(clock) {
      const mine = ++process;
      persist(writes.length); // a clean stop: the operating system writes everything
      const visible = new Map(durable);
      let persisted = 0; // writes of this process already durable
      const record = (write: (records: Map<string, Uint8Array>) => void) => {
        write(visible);
        if (mine === process) writes.push(write);
      };
      return {
        get: (key) => copied(visible.get(key)),
        set(key, value) {
          const stored = new Uint8Array(value);
          record((records) => void records.set(key, stored));
        },
        delete: (key) => record((records) => void records.delete(key)),
        keys: (prefix) => [...visible.keys()].filter((key) => key.startsWith(prefix)).sort(),
        async sync() {
          const upTo = persisted + writes.length;
          await clock.until(clock.now() + syncMs);
          if (mine !== process) return new Promise<never>(() => undefined); // a dead process waits for ever
          const count = Math.max(0, upTo - persisted); // another sync may have done it meanwhile
          persisted += count;
          persist(count);
        },
      };
    },
    crash(kept = 0) {
      process++;
      persist(kept);
      writes = [];
    },
    unsynced: () => writes.length,
    snapshot: () => ({ records: new Map(durable) }),
    restore(snapshot) {
      process++;
      writes = [];
      durable.clear();
      for (const [key, value] of snapshot.records) durable.set(key, value);
    },
  };
}

function copied(bytes: Uint8Array | undefined): Uint8Array | undefined {
  return bytes && new Uint8Array(bytes);
}
