/** What waits for the same few threads, in the order of arrival for each owner, and one owner after the other. */
export interface FairQueue<T> {
  readonly size: number;
  /** How much of this owner waits. */
  sizeOf(owner: string): number;
  add(owner: string, item: T): void;
  /** The next one; undefined when nothing waits. Who has more behind it waits until all others had their turn. */
  take(): T | undefined;
}

export function createFairQueue<T>(): FairQueue<T> {
  /** In the order of turns; nobody is in it with nothing. */
  const queues = new Map<string, T[]>();

  return {
    get size() {
      return [...queues.values()].reduce((sum, { length }) => sum + length, 0);
    },
    sizeOf: (owner) => queues.get(owner)?.length ?? 0,
    add(owner, item) {
      const queue = queues.get(owner);
      if (queue) queue.push(item);
      else queues.set(owner, [item]);
    },
    take() {
      const [turn] = queues;
      if (turn === undefined) return undefined;
      const [owner, [item, ...later]] = turn;
      queues.delete(owner);
      if (later.length > 0) queues.set(owner, later);
      return item;
    },
  };
}
