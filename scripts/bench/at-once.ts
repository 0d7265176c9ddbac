/** Load: a fixed number of requests always under way. */

/** Seconds until all are done; `ask` is called in order, with the number of the request. */
export async function secondsAtOnce<Request>(
  requests: readonly Request[],
  concurrency: number,
  ask: (request: Request, index: number) => Promise<void>,
): Promise<number> {
  const started = performance.now();
  const left = requests.entries(); // shared: each caller takes the next
  const caller = async (): Promise<void> => {
    for (const [index, request] of left) await ask(request, index);
  };
  await Promise.all(Array.from({ length: concurrency }, caller));
  return (performance.now() - started) / 1_000;
}
