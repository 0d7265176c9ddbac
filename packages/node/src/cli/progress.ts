/**
 * One line per change of a long job, at most one per 5 s, facts in the same order always:
 * `keygen 3f2a9c bits 4/9 - 41.0 MB sent - waiting for party 3 - about 2 min left`. `--json` gives the same fields.
 */
import type { CeremonyBody } from '../rest/schemas.ts';

const LINE_INTERVAL_MS = 5_000;
const MINUTE_MS = 60_000;
const MEGABYTE = 1_000_000;

export function progressLine(ceremony: CeremonyBody, nowMs: number): string {
  const { kind, id, phase, state, done, total, bytesSent, waitingFor, startedMs } = ceremony;
  const step = phase === '' ? state : phase;
  const facts = [`${kind} ${id.slice(0, 6)} ${step} ${done}/${total}`, `${(bytesSent / MEGABYTE).toFixed(1)} MB sent`];
  if (waitingFor.length > 0) facts.push(`waiting for party ${waitingFor.join(', ')}`);
  const left = remainingMs({ done, total, elapsedMs: nowMs - startedMs });
  if (left !== undefined) facts.push(`about ${spoken(left)} left`);
  return facts.join(' - ');
}

function remainingMs({ done, total, elapsedMs }: { done: number; total: number; elapsedMs: number }) {
  return done > 0 && done < total ? (elapsedMs / done) * (total - done) : undefined;
}

function spoken(ms: number): string {
  return ms < MINUTE_MS ? `${Math.ceil(ms / 1000)} s` : `${Math.ceil(ms / MINUTE_MS)} min`;
}

/** Prints what it is given, dropping intermediate lines that come too soon. */
export function createProgress(print: (line: string) => void, options: { json: boolean; now(): number }) {
  let printedMs = Number.NEGATIVE_INFINITY;
  let phase = '';
  return (ceremony: CeremonyBody, final: boolean) => {
    const nowMs = options.now();
    if (!final && nowMs - printedMs < LINE_INTERVAL_MS && ceremony.phase === phase) return;
    printedMs = nowMs;
    phase = ceremony.phase;
    print(options.json ? JSON.stringify(ceremony) : progressLine(ceremony, nowMs));
  };
}
