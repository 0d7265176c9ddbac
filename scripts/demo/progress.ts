/**
 * Progress of steps that take longer than a second: a bar that redraws itself on a terminal, and elsewhere (a log, CI) a
 * line at most every five seconds.
 */
import { cursorTo } from 'node:readline';

const BAR_WIDTH = 28;
const LINE_EVERY_MS = 5_000;
const REDRAW_EVERY_MS = 100;

export interface Step {
  /** `done` of `total`, in any unit; `detail` is a few words. */
  update(done: number, total: number, detail: string): void;
  /** Ends the step's line with a check mark and the seconds it took. */
  finish(detail?: string): void;
}

const bar = (share: number): string => {
  const filled = Math.round(BAR_WIDTH * Math.min(1, Math.max(0, share)));
  return '█'.repeat(filled) + '░'.repeat(BAR_WIDTH - filled);
};

export const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;

export function startStep(title: string, output: NodeJS.WriteStream = process.stdout): Step {
  const started = performance.now();
  const everyMs = output.isTTY ? REDRAW_EVERY_MS : LINE_EVERY_MS;
  let drawnAt = output.isTTY ? Number.NEGATIVE_INFINITY : started;

  function draw(text: string, last: boolean): void {
    if (output.isTTY) cursorTo(output, 0);
    output.write(output.isTTY ? `${text.slice(0, output.columns - 1)}\x1b[K${last ? '\n' : ''}` : `${text}\n`);
    drawnAt = performance.now();
  }

  if (output.isTTY) draw(`  ${title} ...`, false);
  return {
    update(done, total, detail) {
      if (performance.now() - drawnAt < everyMs) return;
      const share = total > 0 ? done / total : 0;
      const percent = `${Math.floor(100 * share)}`.padStart(3);
      draw(`  ${title} ${bar(share)} ${percent} % - ${detail} - ${seconds(performance.now() - started)}`, false);
    },
    finish(detail = '') {
      const facts = [title, detail, seconds(performance.now() - started)].filter(Boolean);
      draw(`✓ ${facts.join(' - ')}`, true);
    },
  };
}
