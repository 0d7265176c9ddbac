/**
 * One line per change of a long job, at most one per 5 s, facts in the same order always:
 * `keygen 3f2a9c bits 4/9 - 41.0 MB sent - waiting for party 3 - about 2 min left`. `--json` gives the same fields.
 */
import type { CeremonyBody } from '../rest/schemas.ts';

const LINE_INTERVAL_MS = 5_000;
const MEGABYTE = 1_000_000;

export function progressLine(ceremony: CeremonyBody): string {
  const { kind, id, phase, state, done, total, bytesSent, waitingFor, etaSeconds } = ceremony;
  const step = phase === '' ? state : phase;
  const facts = [`${kind} ${id.slice(0, 6)} ${step} ${done}/${total}`, `${(bytesSent / MEGABYTE).toFixed(1)} MB sent`];
  if (waitingFor.length > 0) facts.push(`waiting for party ${waitingFor.join(', ')}`);
  if (etaSeconds !== null) facts.push(`about ${spoken(etaSeconds)} left`);
  return facts.join(' - ');
}

function spoken(seconds: number): string {
  return seconds < 60 ? `${seconds} s` : `${Math.ceil(seconds / 60)} min`;
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
    print(options.json ? JSON.stringify(ceremony) : progressLine(ceremony));
  };
}
