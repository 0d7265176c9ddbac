/** Exit codes of the command line, and how an error becomes one. */

import { CrsError, CrsFileError } from '@keyquorum/crs/crs-error';
import { TranscriptError } from '@keyquorum/protocols/crs/transcript';
import { EvidenceError } from '@keyquorum/protocols/evidence/evidence-error';
import { ConfigError } from '../config/config-error.ts';
import { apiErrorOf } from '../errors/api-error.ts';
import { ERRORS, type ErrorCode } from '../errors/catalogue.ts';
import { StoreError } from '../store/store-error.ts';
import { NodeRefusal, NodeUnreachable } from './node-client.ts';

export const EXIT = {
  ok: 0,
  /** A bug, or something the program has no name for. */
  unexpected: 1,
  /** Unknown command or option. */
  usage: 2,
  /** Configuration or cards (CONFIG_*). */
  configuration: 3,
  /** Data directory (STORE_*). */
  store: 4,
  /** The node answered with an error code. */
  refused: 5,
  /** No answer from the node, or a check found peers that cannot be reached. */
  unreachable: 6,
  /** The ceremony or decryption ended without success. */
  failed: 7,
  /** A file of evidence proves nothing (EVIDENCE_*). */
  evidence: 8,
  /** A reference string or its transcript does not hold (CRS_*). */
  crs: 9,
} as const;

function line(code: string, message: string, hint: string): string {
  return `keyquorum: ${code}: ${message}${hint === '' ? '' : `\n  hint: ${hint}`}`;
}

/** What to print on standard error, and the exit code. */
export function describeFailure(error: unknown): { readonly text: string; readonly exitCode: number } {
  const hintOf = (code: ErrorCode) => ERRORS[code].hint;
  if (error instanceof ConfigError) {
    return { text: line(error.code, error.message, hintOf(error.code)), exitCode: EXIT.configuration };
  }
  if (error instanceof StoreError) {
    return { text: line(error.code, error.message, hintOf(error.code)), exitCode: EXIT.store };
  }
  if (error instanceof EvidenceError) {
    return { text: line(error.code, error.message, hintOf(error.code)), exitCode: EXIT.evidence };
  }
  if (error instanceof CrsError || error instanceof CrsFileError || error instanceof TranscriptError) {
    return { text: line(error.code, error.message, hintOf(error.code)), exitCode: EXIT.crs };
  }
  if (error instanceof NodeRefusal)
    return { text: line(error.code, error.message, error.hint), exitCode: EXIT.refused };
  if (error instanceof NodeUnreachable) {
    return { text: line('UNREACHABLE', error.message, 'is the node running?'), exitCode: EXIT.unreachable };
  }
  const known = apiErrorOf(error);
  if (known) return { text: line(known.code, known.message, known.hint), exitCode: EXIT.failed };
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { text: `keyquorum: unexpected error\n${text}`, exitCode: EXIT.unexpected };
}
