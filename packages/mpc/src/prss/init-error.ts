/** How PRSS-Init fails (SPEC R2; docs/protocols/prss.md): always without exposure. */
import type { AgreedInit } from './init-judge.ts';

export type PrssInitErrorCode =
  | 'PRSS_INIT_TOO_FEW' //  fewer than n-t parties were heard in time; nothing was revealed, start again
  | 'PRSS_INIT_DIVERGED' // no transcript was certified, or it could not be fetched: the network is slower than agreed
  | 'PRSS_INIT_LEFT_OUT'; // the others agreed without this party: take the keys from t+1 equal answers (late-keys.ts)

/** PRSS-Init without keys for this party. Nothing that would help to compute a key was revealed. */
export class PrssInitError extends Error {
  override readonly name = 'PrssInitError';
  readonly code: PrssInitErrorCode;
  /** PRSS_INIT_LEFT_OUT: what the others agreed on. */
  readonly agreed: AgreedInit | undefined;
  constructor(
    code: PrssInitErrorCode,
    message: string,
    { agreed, cause }: { agreed?: AgreedInit; cause?: unknown } = {},
  ) {
    super(`PRSS-Init: ${message}`, { cause });
    this.code = code;
    this.agreed = agreed;
  }
}
