/**
 * A reference string as callers see it: state with progress, and when it is done its digest, place and this node's
 * signature (EIP-712 CrsgenVerification, no extraData).
 */
import { isFinal } from '@keyquorum/protocols/ceremony/ceremony';
import type { CrsRecord, Services } from '@keyquorum/protocols/services';
import { crsGenerationDigest } from '@keyquorum/wire/eip712';
import { errorDetail } from '../errors/api-error.ts';
import type { AnswerSigner } from '../requests/public-answer.ts';
import type { CrsBody } from './schemas.ts';

export interface CrsViews {
  /** Undefined when neither a reference string nor its ceremony is known. */
  view(requestId: string): CrsBody | undefined;
  all(): CrsBody[];
}

interface Modules {
  readonly services: Services;
  readonly signing: AnswerSigner;
  /** Where a file can be fetched, by its digest. */
  uris(digest: string): string[];
  /** Start of URIs of this node, without a slash at the end. */
  url(): string;
}

export function createCrsViews({ services, signing, uris, url }: Modules): CrsViews {
  const signatures = new Map<string, string>();

  function signatureOf(record: CrsRecord): string {
    const signature = signatures.get(record.crsId) ?? sign(record, signing);
    signatures.set(record.crsId, signature);
    return signature;
  }

  function finished(record: CrsRecord): CrsBody {
    const { crsId: requestId, parameters, maxBits, digest, size } = record;
    const { done = 1, total = 1 } = services.ceremony(requestId) ?? {};
    const file = { digest, size, uris: uris(digest), signature: signatureOf(record) };
    const transcript = `${url()}/v1/crs/${requestId}/transcript`;
    const contributors = [...record.contributors];
    const progress = { state: 'succeeded' as const, phase: '', done, total };
    return { requestId, ...progress, parameters, maxBits, contributors, file, transcript };
  }

  function unfinished(requestId: string): CrsBody | undefined {
    const ceremony = services.ceremony(requestId);
    if (ceremony?.kind !== 'crs') return undefined;
    const { state, phase, done, total, failure } = ceremony;
    const error = failure && errorDetail({ ...failure, requestId, parties: [...failure.culprits, ...failure.absent] });
    return { requestId, state, phase, done, total, contributors: [], ...(error && { error }) };
  }

  function view(requestId: string): CrsBody | undefined {
    const record = services.referenceStrings().find(({ crsId }) => crsId === requestId);
    return record ? finished(record) : unfinished(requestId);
  }

  return {
    view,
    all() {
      const running = services.ceremonies().filter((ceremony) => ceremony.kind === 'crs' && !isFinal(ceremony));
      const ids = new Set([...services.referenceStrings().map(({ crsId }) => crsId), ...running.map(({ id }) => id)]);
      return [...ids].map(view).filter((body) => body !== undefined);
    },
  };
}

function sign({ crsId, maxBits, digest }: CrsRecord, { signer, domain }: AnswerSigner): string {
  const outcome = {
    crsId: BigInt(`0x${crsId}`),
    maxBitLength: BigInt(maxBits),
    crsDigest: new Uint8Array(Buffer.from(digest, 'hex')),
    extraData: new Uint8Array(0),
  };
  return Buffer.from(signer.sign(crsGenerationDigest(domain, outcome))).toString('hex');
}
