/** Public objects of random bytes, and what services tell of them. */
import { createPrng } from '@keyquorum/mpc/simulate/prng';
import type { PublicObject } from '@keyquorum/protocols/material/public-object';
import type { Services } from '@keyquorum/protocols/services';
import { DIGEST_LABEL, keyDigest } from '@keyquorum/wire/digest';

const PIECE_BYTES = 2 ** 20;

export interface MadeObject extends PublicObject {
  readonly bytes: Uint8Array;
}

export function madeObject(seed: number, size: number): MadeObject {
  const bytes = createPrng(seed).bytes(size);
  return {
    ...{ type: 'CompactPublicKey', label: DIGEST_LABEL.key, size, bytes },
    digest: Buffer.from(keyDigest(bytes)).toString('hex'),
    async *read(start = 0, end = size) {
      for (let at = start; at < end; at += PIECE_BYTES) yield bytes.subarray(at, Math.min(end, at + PIECE_BYTES));
    },
  };
}

type Told = Pick<Services, 'objects' | 'material' | 'watch'>;
type Listener = Parameters<Services['watch']>[0];

/** Services that have these objects; `add` finishes a ceremony. */
export function servicesWith(...objects: PublicObject[]): Told & { add(object: PublicObject): void } {
  const listeners = new Set<Listener>();
  return {
    objects: () => [...objects],
    material: (digest) => objects.find((each) => each.digest === digest),
    watch(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    add(object) {
      objects.push(object);
      for (const listener of listeners) listener(ended);
    },
  };
}

const ended: Parameters<Listener>[0] = {
  ...{ id: 'ab'.repeat(32), phase: '', done: 1, total: 1, startedMs: 0, changedMs: 0, deadlineMs: 0 },
  ...{ waitingFor: [], bytesSent: 0, etaSeconds: null },
  kind: 'keygen',
  state: 'succeeded',
};
