/**
 * A key as callers see it: state with progress, and when it is done its public objects with digest, place and this
 * node's signature (EIP-712 KeygenVerification over all digests of the key, prepKeygenId 0, no extraData).
 */
import { isFinal } from '@keyquorum/protocols/ceremony/ceremony';
import type { KeyRecord, Services } from '@keyquorum/protocols/services';
import type { PublicStore } from '@keyquorum/protocols/storage';
import { keyDigest } from '@keyquorum/wire/digest';
import { KEY_TYPE, type KeyType, keyGenerationDigest } from '@keyquorum/wire/eip712';
import { errorDetail } from '../errors/api-error.ts';
import type { AnswerSigner } from '../requests/answer.ts';
import { StoreError } from '../store/store-error.ts';
import type { KeyBody } from './schemas.ts';

type ObjectType = KeyRecord['objects'][number]['type'];
const KEY_TYPES: Readonly<Record<ObjectType, KeyType>> = {
  CompactPublicKey: KEY_TYPE.public,
  CompressedCompactPublicKey: KEY_TYPE.compressedPublic,
};

interface Material {
  readonly type: ObjectType;
  readonly size: number;
  /** SHAKE-256 digest, hex: the public name of the object. */
  readonly digest: string;
  /** Name in the public store. */
  readonly stored: string;
}

export interface KeyViews {
  /** Undefined when neither a key nor its ceremony is known. */
  view(requestId: string): Promise<KeyBody | undefined>;
  all(): Promise<KeyBody[]>;
  /** Bytes of a public object by its digest. */
  material(digest: string): Promise<Uint8Array | undefined>;
}

interface Modules {
  readonly services: Services;
  readonly publics: PublicStore;
  readonly signing: AnswerSigner;
  /** Start of the URIs of objects, without a slash at the end. */
  url(): string;
}

interface Described {
  readonly materials: readonly Material[];
  readonly signature: string;
}

export function createKeyViews({ services, publics, signing, url }: Modules): KeyViews {
  const described = new Map<string, Promise<Described>>();

  function describeOnce(record: KeyRecord): Promise<Described> {
    const known = described.get(record.keyId);
    if (known) return known;
    const fresh = describe(record, publics, signing);
    described.set(record.keyId, fresh);
    fresh.catch(() => described.delete(record.keyId)); // the reader of `fresh` sees the reason
    return fresh;
  }

  async function finished(record: KeyRecord): Promise<KeyBody> {
    const { materials, signature } = await describeOnce(record);
    const { keyId: requestId, epoch, purpose, parameters } = record;
    const ceremony = services.ceremony(requestId);
    const { done = 1, total = 1 } = ceremony ?? {};
    const objects = materials.map(({ type, digest, size }) => {
      return { type, digest, size, uris: [`${url()}/v1/material/${digest}`], signature };
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

  async function view(requestId: string): Promise<KeyBody | undefined> {
    const record = services.keys().find(({ keyId }) => keyId === requestId);
    return record ? finished(record) : unfinished(requestId);
  }

  return {
    view,
    async all() {
      const running = services.ceremonies().filter((ceremony) => ceremony.kind === 'keygen' && !isFinal(ceremony));
      const ids = new Set([...services.keys().map(({ keyId }) => keyId), ...running.map(({ id }) => id)]);
      const bodies = await Promise.all([...ids].map(view));
      return bodies.filter((body) => body !== undefined);
    },
    async material(digest) {
      for (const record of services.keys()) {
        const { materials } = await describeOnce(record);
        const match = materials.find((material) => material.digest === digest);
        if (match) return publics.get(match.stored);
      }
      return undefined;
    },
  };
}

async function describe(record: KeyRecord, publics: PublicStore, { signer, domain }: AnswerSigner): Promise<Described> {
  const inOrder = [...record.objects].sort((one, other) => KEY_TYPES[one.type] - KEY_TYPES[other.type]);
  const materials: Material[] = [];
  for (const { type, sha256, size } of inOrder) {
    const stored = `material/${sha256}`;
    const bytes = await publics.get(stored);
    if (!bytes) throw new StoreError('STORE_TAMPERED', `${stored} of key ${record.keyId} is missing`);
    materials.push({ type, size, digest: Buffer.from(keyDigest(bytes)).toString('hex'), stored });
  }
  const digest = keyGenerationDigest(domain, {
    prepKeygenId: 0n,
    keyId: BigInt(`0x${record.keyId}`),
    keyDigests: materials.map(({ type, digest: hex }) => {
      return { keyType: KEY_TYPES[type], digest: new Uint8Array(Buffer.from(hex, 'hex')) };
    }),
    extraData: new Uint8Array(0),
  });
  return { materials, signature: Buffer.from(signer.sign(digest)).toString('hex') };
}
