/**
 * Timing of single operations. Each number is the minimum over short windows: on a shared machine means say more about
 * the neighbours. Budgets are for a quiet core on Node 24; missing one fails nothing.
 */
const WINDOW_MS = 2;
const WINDOWS = 40;
/** Slow operations get fewer windows, but at least three. */
const ROW_MS = 3000;
const WINDOWS_MIN = 3;
const NS_PER_MS = 1e6;

export interface Row {
  readonly name: string;
  /** Items per call: the time is divided by it. */
  readonly items: number;
  readonly run: () => unknown;
  readonly budgetNs?: number;
}

export function report(title: string, rows: readonly Row[]): void {
  console.log(
    `${title} on Node ${process.version}, minimum of ${WINDOWS} windows of about ${WINDOW_MS} ms, ns per item`,
  );
  for (const row of rows) {
    const ns = measure(row);
    const digits = ns < 100 ? 1 : 0;
    const budget = row.budgetNs === undefined ? '' : `budget ${row.budgetNs}${ns > row.budgetNs ? '  OVER' : ''}`;
    console.log(`${row.name.padEnd(44)}${ns.toFixed(digits).padStart(10)}  ${budget}`);
  }
}

/** Nanoseconds per item. */
function measure({ items, run }: Row): number {
  let calls = 1;
  for (let elapsed = 0; elapsed < WINDOW_MS; calls *= 2) elapsed = timed(run, calls);
  calls = Math.max(1, calls / 2);
  let best = Number.POSITIVE_INFINITY;
  const start = performance.now();
  for (let window = 0; window < WINDOWS; window++) {
    best = Math.min(best, timed(run, calls) / calls);
    if (window + 1 >= WINDOWS_MIN && performance.now() - start > ROW_MS) break;
  }
  return (best * NS_PER_MS) / items;
}

function timed(run: () => unknown, calls: number): number {
  const start = performance.now();
  for (let i = 0; i < calls; i++) run();
  return performance.now() - start;
}
