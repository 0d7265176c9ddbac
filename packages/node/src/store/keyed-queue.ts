/** Runs tasks of one key after another and tasks of different keys side by side. */

export function createKeyedQueue(): <T>(key: string, task: () => Promise<T>) => Promise<T> {
  const tails = new Map<string, Promise<unknown>>();
  return (key, task) => {
    const before = tails.get(key) ?? Promise.resolve();
    const result = before.then(task, task); // the failure of one task is told to its own caller only
    const tail: Promise<unknown> = result.then(forget, forget);
    function forget(): void {
      if (tails.get(key) === tail) tails.delete(key);
    }
    tails.set(key, tail);
    return result;
  };
}
