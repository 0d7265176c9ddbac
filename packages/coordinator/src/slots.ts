/** Asks the nodes for every ciphertext of a batch as a request of its own, and puts the outcomes side by side. */
import { SLOTS_MAX, slotRequests } from '@keyquorum/client/slots';
import { parseAuthorization } from '@keyquorum/wire/authorization';
import { WireError } from '@keyquorum/wire/error';
import type { Ask, Coordination, Failure } from './asking.ts';
import type { Report } from './contract.ts';
import { CoordinationError } from './errors.ts';

export interface BatchCiphertext {
  readonly handle: string;
  /** Base64. */
  readonly bytes?: string;
  /** SHA-256 of the bytes, in their place. */
  readonly digest?: string;
  readonly provenance?: unknown;
}

export interface Batch {
  readonly requestId: string;
  readonly ciphertexts: readonly BatchCiphertext[];
  readonly slots?: boolean;
  readonly slotAuthorizations?: readonly string[];
}

export type Slotted<R extends Report> = Omit<R, 'requestId' | 'slots'> & { readonly handle: string };

interface Modules<B extends Batch, R extends Report> {
  /** Asks for one of the requests that the batch is made of. Throws WireError when it cannot be asked for. */
  start(request: B, asking: Omit<Ask, 'signal'>): Coordination<R>;
  /** The report of one that nodes were not asked for. */
  failed(requestId: string, error: Failure): R;
  whole(state: Report['state'], slots: Slotted<R>[]): R;
}

/** How many requests the nodes see. Throws BODY_INVALID when it cannot be a batch. */
export function countRequests(batch: Batch, signed: boolean): number {
  const { slots = false, slotAuthorizations, ciphertexts } = batch;
  const invalid = (what: string) => new CoordinationError('BODY_INVALID', what);
  if (!slots) {
    if (slotAuthorizations !== undefined) throw invalid('slotAuthorizations: only together with slots');
    return 1;
  }
  if (ciphertexts.length > SLOTS_MAX) throw invalid(`ciphertexts: at most ${SLOTS_MAX} together with slots`);
  if (signed !== (slotAuthorizations !== undefined)) {
    throw invalid('slotAuthorizations: together with slots and a signed Authorization, and only then');
  }
  const headers = (slotAuthorizations ?? []).filter((header) => parseAuthorization(header)?.scheme === 'signed');
  if (signed && headers.length !== ciphertexts.length) {
    throw invalid(`slotAuthorizations: want ${ciphertexts.length} signatures, one per ciphertext`);
  }
  return ciphertexts.length;
}

/** Starts at once. The report has the outcomes of all in request order; it has succeeded when all have ended. */
export function coordinateSlots<B extends Batch, R extends Report>(
  { slots: _, slotAuthorizations, ...batch }: B,
  { authorization, attachments, onOutcome }: Omit<Ask, 'signal'>,
  { start, failed, whole }: Modules<B, R>,
): Coordination<R> {
  const parts = slotRequests(batch as Batch as B).map((request, index) => {
    let known: R | undefined;
    const asking = {
      authorization: slotAuthorizations?.[index] ?? authorization,
      attachments: attachments.filter(({ digest }) => request.ciphertexts.some((each) => each.digest === digest)),
      onOutcome() {
        known = undefined;
        onOutcome();
      },
    };
    const part = startedOr(
      () => start(request, asking),
      (error) => failed(request.requestId, error),
    );
    return {
      finished: part.finished,
      /** Made anew only after a change: it holds all answers, and is asked for at every answer to any part. */
      report() {
        known ??= part.report();
        return known;
      },
    };
  });
  function report(): R {
    const slots = parts.map((part, index) => {
      const { requestId: _id, slots: _none, ...outcome } = part.report();
      return { handle: batch.ciphertexts[index]?.handle ?? '', ...outcome };
    });
    return whole(slots.some(({ state }) => state === 'pending') ? 'pending' : 'succeeded', slots);
  }
  return { report, finished: Promise.all(parts.map(({ finished }) => finished)).then(report) };
}

/** A part that cannot be asked for is an outcome like others. */
function startedOr<R extends Report>(start: () => Coordination<R>, failed: (error: Failure) => R): Coordination<R> {
  try {
    return start();
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    const report = failed({ code: error.code, message: error.message });
    return { finished: Promise.resolve(report), report: () => report };
  }
}
