/**
 * Progress of steps that take longer than a second: a bar that redraws itself on a terminal, and elsewhere (a log, CI)
 * a line at most every five seconds.
 */
import { cursorTo } from 'node:readline';

const BAR_WIDTH = 28;
const LINE_EVERY_MS = 5_000;
const REDRAW_EVERY_MS = 100;

interface Step {
  /** `done` of `total`, in any unit; `detail` is a few words. */
  update(done: number, total: number, detail: string): void;
  /** Ends the step's line with a check mark and the seconds it took. */
  finish(result?: string): void;
  /** Ends it with a cross. */
  fail(): void;
}

const bar = (share: number): string => {
  const filled = Math.round(BAR_WIDTH * Math.min(1, Math.max(0, share)));
  return '█'.repeat(filled) + '░'.repeat(BAR_WIDTH - filled);
};

export const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;

function startStep(title: string, output: NodeJS.WriteStream = process.stdout): Step {
  const started = performance.now();
  const elapsed = () => seconds(performance.now() - started);
  let progress: string[] = [];
  let detail: string[] = [];

  function draw(text: string, end: string): void {
    if (output.isTTY) cursorTo(output, 0);
    output.write(output.isTTY ? `${text.slice(0, output.columns - 1)}\x1b[K${end}` : `${text}\n`);
  }

  const timer = setInterval(
    () => draw(`  ${[...progress, elapsed(), title, ...detail].join(' - ')}`, ''),
    everyMs(output),
  );
  return {
    update(done, total, text) {
      const share = total > 0 ? done / total : 0;
      progress = [`${bar(share)} ${`${Math.floor(100 * share)}`.padStart(3)} %`];
      detail = text === '' ? [] : [text];
    },
    finish(result = '') {
      clearInterval(timer);
      draw(`✓ ${[title, result, elapsed()].filter(Boolean).join(' - ')}`, '\n');
    },
    fail() {
      clearInterval(timer);
      draw(`✗ ${[title, ...progress, ...detail, elapsed()].join(' - ')}`, '\n');
    },
  };
}

const everyMs = ({ isTTY }: NodeJS.WriteStream): number => (isTTY ? REDRAW_EVERY_MS : LINE_EVERY_MS);

/** Runs something as a step. */
export async function inStep<Result>(
  title: string,
  act: (step: Pick<Step, 'update'>) => Promise<{ result: Result; detail?: string }>,
): Promise<Result> {
  const step = startStep(title);
  try {
    const { result, detail } = await act(step);
    step.finish(detail);
    return result;
  } catch (error) {
    step.fail();
    throw error;
  }
}
