/** A refusal with a documented code: what a caller gets as `error`, at once or as the end of a request. */
import { CrsParametersError } from '@keyquorum/crs/parameters';
import { CeremonyError } from '@keyquorum/protocols/ceremony/ceremony';
import { DecryptionError } from '@keyquorum/protocols/decryption/job';
import { UnsoundSizeError } from '@keyquorum/protocols/keygen/noise';
import { MaterialDamagedError } from '@keyquorum/protocols/material/public-object';
import { CiphertextError } from '@keyquorum/tfhe/ciphertext';
import { WireError } from '@keyquorum/wire/error';
import { ERRORS, type ErrorCode } from './catalogue.ts';

interface Details {
  readonly parties?: readonly number[];
  /** When the same request may succeed, if that is known. */
  readonly retrySeconds?: number;
}

export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly code: ErrorCode;
  readonly parties: readonly number[];
  readonly retrySeconds: number | undefined;
  constructor(code: ErrorCode, message: string, { parties = [], retrySeconds }: Details = {}) {
    super(message);
    this.code = code;
    this.parties = parties;
    this.retrySeconds = retrySeconds;
  }
  get status(): number {
    return ERRORS[this.code].status || ERRORS.INTERNAL.status;
  }
  get hint(): string {
    return ERRORS[this.code].hint;
  }
}

/** The refusal that an exception of a lower floor stands for, or undefined when it is a bug of ours. */
export function apiErrorOf(error: unknown): ApiError | undefined {
  if (error instanceof ApiError) return error;
  if (error instanceof CiphertextError) return new ApiError(error.code, error.message);
  if (error instanceof CrsParametersError) return new ApiError(error.code, error.message);
  if (error instanceof UnsoundSizeError) return new ApiError(error.code, error.message);
  if (error instanceof CeremonyError) return new ApiError(error.code, error.message);
  if (error instanceof DecryptionError) {
    const { code, message, parties } = error;
    return new ApiError(code, message, { parties });
  }
  if (error instanceof MaterialDamagedError) return new ApiError(error.code, error.message);
  if (error instanceof WireError && isErrorCode(error.code)) return new ApiError(error.code, error.message);
  return undefined;
}

/** Codes after which the same request may be sent again under the same id. */
const RETRIABLE: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'POOL_EMPTY',
  'DECRYPTION_TIMEOUT',
  'DECRYPTION_ABORTED',
  'NODE_RESTARTED',
  'KEY_UNKNOWN',
]);

export function isRetriable(code: ErrorCode): boolean {
  return RETRIABLE.has(code);
}

export interface ErrorDetail {
  readonly code: string;
  readonly message: string;
  /** Of the decryption or key in question, else of this HTTP request as the log names it. */
  readonly requestId: string;
  readonly parties: number[];
  readonly hint: string;
}

function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(ERRORS, code);
}

/** The one shape in which errors reach callers. Codes of ceremonies that are not ours to explain have no hint. */
export function errorDetail(error: {
  readonly code: string;
  readonly message: string;
  readonly requestId: string;
  readonly parties: readonly number[];
}): ErrorDetail {
  const { code, message, requestId, parties } = error;
  return { code, message, requestId, parties: [...parties], hint: isErrorCode(code) ? ERRORS[code].hint : '' };
}
