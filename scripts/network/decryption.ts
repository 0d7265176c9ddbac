/** One public decryption at one node, as a client sees it. */
import type { EncryptedValue } from './encryption.ts';
import { newRequestId } from './key-generation.ts';
import type { Rest } from './rest.ts';

const WAIT_SECONDS = 30;

export interface DecryptionState {
  readonly requestId: string;
  readonly state: 'pending' | 'running' | 'succeeded' | 'failed' | 'aborted';
  readonly values: readonly { readonly handle: string; readonly fheType: string | number; readonly value: string }[];
  readonly abiEncoded: string;
  readonly signature: string;
  readonly signer: string;
  readonly faults: readonly { readonly party: number; readonly kind: string }[];
  readonly error?: { readonly code: string; readonly message: string };
}

export interface TimedDecryption extends DecryptionState {
  /** From sending the request to reading the value. */
  readonly ms: number;
}

/** A ciphertext that the nodes hold. */
export interface NamedValue extends Omit<EncryptedValue, 'bytes'> {
  /** SHA-256 of its bytes, hex. */
  readonly digest: string;
}

export function decryptionRequest<C extends EncryptedValue | NamedValue>(keyId: string, ciphertexts: readonly C[]) {
  return { requestId: newRequestId(), keyId, app: 'default', ciphertexts: [...ciphertexts], extraData: '' };
}

export type DecryptionRequest = ReturnType<typeof decryptionRequest<EncryptedValue | NamedValue>>;

/** Waits for the final state of a request at a node that knows it. */
export async function decryptionOf(rest: Rest, requestId: string): Promise<DecryptionState> {
  for (;;) {
    const state = await rest.get<DecryptionState>(`/v1/public-decryptions/${requestId}?wait=${WAIT_SECONDS}`);
    if (isOver(state)) return state;
  }
}

function isOver({ state }: DecryptionState): boolean {
  return state !== 'pending' && state !== 'running';
}

/** Throws with the node's reason when the request does not succeed. */
export async function decrypt(rest: Rest, request: DecryptionRequest): Promise<TimedDecryption> {
  const started = performance.now();
  const asked = await rest.post<DecryptionState>(`/v1/public-decryptions?wait=${WAIT_SECONDS}`, request);
  const state = isOver(asked) ? asked : await decryptionOf(rest, request.requestId);
  if (state.state !== 'succeeded') {
    throw new Error(`decryption ${state.state}: ${state.error?.code} ${state.error?.message}`);
  }
  return { ...state, ms: performance.now() - started };
}
