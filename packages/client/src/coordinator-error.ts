/** What becomes of a call when a coordinator did not answer it. */
import type { Outcome } from './conversation.ts';
import { ClientError } from './errors.ts';

/** Why a coordinator brought no result. */
export function coordinatorError(
  { kind, reason }: Exclude<Outcome<unknown>, { kind: 'answered' }>,
  signal: AbortSignal | undefined,
): ClientError {
  if (signal?.aborted) return new ClientError('ABORTED', 'stopped before the coordinator had answered');
  if (kind === 'refused') return new ClientError('REQUEST_REFUSED', `refused with ${reason}`, { nodeCode: reason });
  return new ClientError('ANSWERS_TOO_FEW', `coordinator ${kind}: ${reason}`);
}
