/**
 * The life of a long job (epoch start, key generation, preprocessing batch, reference string): states as data, time as
 * an argument, every change a new value that the caller persists before it acts on it.
 */
import type { PartyId } from '@keyquorum/mpc/transport';

export type CeremonyKind = 'epoch' | 'keygen' | 'preprocessing' | 'crs';
export type CeremonyState = 'pending' | 'running' | 'succeeded' | 'failed' | 'aborted';

/** A state without successors is final. */
const NEXT: Record<CeremonyState, readonly CeremonyState[]> = {
  pending: ['running', 'failed', 'aborted'],
  running: ['running', 'succeeded', 'failed', 'aborted'],
  succeeded: [],
  failed: [],
  aborted: [],
};

export interface CeremonyFailure {
  readonly code: string;
  readonly message: string;
  /** Parties whose own signed messages prove their fault; empty when nothing is proven. */
  readonly culprits: readonly PartyId[];
  /** Parties nobody heard from in time. Silence is never proof. */
  readonly absent: readonly PartyId[];
}

export interface Ceremony {
  /** 64 hex characters; for key generation the request id and later the key id. */
  readonly id: string;
  readonly kind: CeremonyKind;
  readonly state: CeremonyState;
  /** Name of the step under way, e.g. `bits`; '' before the first. */
  readonly phase: string;
  /** Progress inside the whole ceremony, in units of `total`. */
  readonly done: number;
  readonly total: number;
  readonly startedMs: number;
  /** The last time that anything else of this changed: since when a stalled ceremony waits. */
  readonly changedMs: number;
  readonly deadlineMs: number;
  /** Parties whose message the current phase still lacks; what an operator looks at when it stalls. */
  readonly waitingFor: readonly PartyId[];
  /** Bytes sent by this party so far. */
  readonly bytesSent: number;
  /** What is left of the current phase at its speed so far; null when nobody can tell. */
  readonly etaSeconds: number | null;
  readonly failure?: CeremonyFailure;
}

export class CeremonyError extends Error {
  override readonly name = 'CeremonyError';
  readonly code: 'CEREMONIES_RUNNING' | 'CEREMONY_BAD_TRANSITION' | 'CEREMONY_EXISTS' | 'CEREMONY_UNKNOWN';
  constructor(code: CeremonyError['code'], message: string) {
    super(message);
    this.code = code;
  }
}

export function newCeremony(
  kind: CeremonyKind,
  id: string,
  { nowMs, deadlineMs, total }: { nowMs: number; deadlineMs: number; total: number },
): Ceremony {
  const progress = { phase: '', done: 0, total, waitingFor: [], bytesSent: 0, etaSeconds: null };
  return { id, kind, state: 'pending', ...progress, startedMs: nowMs, changedMs: nowMs, deadlineMs };
}

export function isFinal(ceremony: Ceremony): boolean {
  return NEXT[ceremony.state].length === 0;
}

/** The ceremony in its next state. Throws CEREMONY_BAD_TRANSITION when the table does not allow the move. */
export function advance(
  ceremony: Ceremony,
  to: CeremonyState,
  nowMs: number,
  change: Partial<Pick<Ceremony, 'phase' | 'done' | 'waitingFor' | 'bytesSent' | 'etaSeconds' | 'failure'>> = {},
): Ceremony {
  if (!NEXT[ceremony.state].includes(to)) {
    throw new CeremonyError('CEREMONY_BAD_TRANSITION', `${ceremony.kind} ${ceremony.id}: ${ceremony.state} -> ${to}`);
  }
  return { ...ceremony, ...change, state: to, changedMs: nowMs };
}
