/**
 * A key as callers see it: state with progress, and when it is done its public objects with digest, place and this
 * node's signature (EIP-712 KeygenVerification over all digests of the key, prepKeygenId 0, no extraData).
 */
import { isFinal } from '@keyquorum/protocols/ceremony/ceremony';
import type { ObjectType } from '@keyquorum/protocols/keygen/objects';
import type { KeyRecord, Services } from '@keyquorum/protocols/services';
import { KEY_TYPE, type KeyType, keyGenerationDigest } from '@keyquorum/wire/eip712';
import { errorDetail } from '../errors/api-error.ts';
import type { AnswerSigner } from '../requests/public-answer.ts';
import type { KeyBody } from './schemas.ts';

const KEY_TYPES: Readonly<Record<ObjectType, KeyType>> = {
  CompressedServerKey: KEY_TYPE.server,
  CompactPublicKey: KEY_TYPE.public,
  CompressedCompactPublicKey: KEY_TYPE.compressedPublic,
  CompressedXofKeySet: KEY_TYPE.compressedKeySet,
};

export interface KeyViews {
  /** Undefined when neither a key nor its ceremony is known. */
  view(requestId: string): KeyBody | undefined;
  all(): KeyBody[];
}

interface Modules {
  readonly services: Services;
  readonly signing: AnswerSigner;
  /** Where an object is had, this node first. */
  uris(digest: string): string[];
}

export function createKeyViews({ services, signing, uris }: Modules): KeyViews {
  const signatures = new Map<string, string>();

  function signatureOf(record: KeyRecord): string {
    const signature = signatures.get(record.keyId) ?? sign(record, signing);
    signatures.set(record.keyId, signature);
    return signature;
  }

  function finished(record: KeyRecord): KeyBody {
    const { keyId: requestId, epoch, purpose, parameters } = record;
    const signature = signatureOf(record);
    const ceremony = services.ceremony(requestId);
    const { done = 1, total = 1 } = ceremony ?? {};
    const objects = record.objects.map(({ type, digest, size }) => {
      return { type, digest, size, uris: uris(digest), signature };
    });
    return { requestId, state: 'succeeded', phase: '', done, total, epoch, purpose, parameters, objects };
  }

  function unfinished(requestId: string): KeyBody | undefined {
    const ceremony = services.ceremony(requestId);
    if (ceremony?.kind !== 'keygen') return undefined;
    const { state, phase, done, total, failure } = ceremony;
    const epoch = services.epoch();
    // Finished, but the record is not there yet: one more look will find it.
    const shown = state === 'succeeded' ? 'running' : state;
    const error = failure && errorDetail({ ...failure, requestId, parties: [...failure.culprits, ...failure.absent] });
    return { requestId, state: shown, phase, done, total, epoch, objects: [], ...(error && { error }) };
  }

  function view(requestId: string): KeyBody | undefined {
    const record = services.keys().find(({ keyId }) => keyId === requestId);
    return record ? finished(record) : unfinished(requestId);
  }

  return {
    view,
    all() {
      const running = services.ceremonies().filter((ceremony) => ceremony.kind === 'keygen' && !isFinal(ceremony));
      const ids = new Set([...services.keys().map(({ keyId }) => keyId), ...running.map(({ id }) => id)]);
      return [...ids].map(view).filter((body) => body !== undefined);
    },
  };
}

/** Over the digests in the order of their numbers. */
function sign(record: KeyRecord, { signer, domain }: AnswerSigner): string {
  const inOrder = [...record.objects].sort((one, other) => KEY_TYPES[one.type] - KEY_TYPES[other.type]);
  const digest = keyGenerationDigest(domain, {
    prepKeygenId: 0n,
    keyId: BigInt(`0x${record.keyId}`),
    keyDigests: inOrder.map(({ type, digest: hex }) => {
      return { keyType: KEY_TYPES[type], digest: new Uint8Array(Buffer.from(hex, 'hex')) };
    }),
    extraData: new Uint8Array(0),
  });
  return Buffer.from(signer.sign(digest)).toString('hex');
}
