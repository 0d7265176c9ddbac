/**
 * Decryptions of one kind from admission to the durable, signed answer. A request comes in from a caller of this node
 * or is forwarded by another node; both ways go through the same checks, and only the first asks the other nodes.
 */
import { toHex } from '@keyquorum/mpc/bytes';
import type { PartyId } from '@keyquorum/mpc/transport';
import type { Output } from '@keyquorum/protocols/decryption/job';
import type { Services } from '@keyquorum/protocols/services';
import type { CiphertextValue } from '@keyquorum/tfhe/ciphertext';
import { INLINE_BYTES_MAX } from '@keyquorum/wire/ciphertext-shelf';
import type { Limits, Requester } from '../config/schema.ts';
import { ApiError, apiErrorOf } from '../errors/api-error.ts';
import type { HandleBook } from '../provenance/handle-book.ts';
import type { ProvenanceRules } from '../provenance/provenance.ts';
import type { CiphertextBody } from './body.ts';
import type { CiphertextSource, Ciphertexts } from './ciphertexts.ts';
import type { Ciphertext, Content } from './content.ts';
import { capacityChecks, type Explanation, explained } from './explain.ts';
import type { Forwarding } from './forwarding.ts';
import { blocksOf, type Check, type Judged, judge, judgementOf } from './judge.ts';
import type { Quotas } from './quotas.ts';
import type { Answer, RequestRecord } from './record.ts';
import type { RequestBook } from './request-book.ts';
import type { Caller, ContentSignature } from './requester.ts';
import { createSharedChecks } from './shared-checks.ts';

/** What differs between kinds of decryption. */
export interface DecryptionKind<Body, Asked extends Content> {
  readonly name: Asked['kind'];
  /** Whom the answer is for. */
  readonly output: Output;
  contentOf(body: Body, requester: string): Asked;
  /** What only this kind must fulfil. `values` are there when the checks of the ciphertexts have run. */
  checks(content: Asked, values: readonly CiphertextValue[]): readonly Check[];
  /** Runs the protocol. `first`: the node that was asked by the caller. */
  answer(content: Asked, values: readonly CiphertextValue[], first: PartyId): Promise<Answer>;
}

type RecordOf<Asked extends Content> = Extract<RequestRecord, { readonly kind: Asked['kind'] }>;

export interface Decryptions<Body, Asked extends Content> {
  /** A request of a caller; resolves when it is durably admitted. Throws what apiErrorOf understands. */
  ask(body: Body, caller: Caller): Promise<RecordOf<Asked>>;
  /** The request, if this caller made it. Throws UNAUTHENTICATED when the caller signed another one. */
  find(requestId: string, caller: Caller): RecordOf<Asked> | undefined;
  onEnd(requestId: string, listener: () => void): () => void;
  /** What would become of the request, without running or remembering anything. */
  explain(body: Body, caller: Caller): Promise<Explanation>;
  /** Admits nothing new; resolves when nothing runs any more. Whoever stops the node bounds the wait. */
  drain(): Promise<void>;
}

interface Admission {
  readonly requester: Requester;
  /** The node that was asked by the caller. */
  readonly first: PartyId;
  readonly source: CiphertextSource;
}

interface Admitted {
  readonly ciphertexts: readonly Ciphertext[];
  readonly durable: Promise<void>;
}

export interface Metering {
  ended(outcome: 'succeeded' | 'failed', seconds: number): void;
}

export interface DecryptionModules {
  readonly self: PartyId;
  readonly services: Services;
  readonly book: RequestBook;
  readonly ciphertexts: Ciphertexts;
  readonly handles: HandleBook;
  readonly provenance: ProvenanceRules;
  readonly quotas: Quotas;
  readonly limits: Limits;
  readonly metering: Metering;
  now(): number;
  warn(message: string, fields: object): void;
}

/** What bodies of all kinds have. */
interface AnyBody {
  readonly requestId: string;
  readonly ciphertexts: readonly CiphertextBody[];
}

export function createDecryptions<Body extends AnyBody, Asked extends Content>(
  kind: DecryptionKind<Body, Asked>,
  forwarding: Forwarding<Body>,
  modules: DecryptionModules,
): Decryptions<Body, Asked> {
  const { book, quotas, handles, services, limits, self } = modules;
  let draining = false;
  const checked = createSharedChecks<Judged>(limits.runningRequests);
  // By itself: whoever has all bytes at hand waits for nobody who may never send them.
  const pulled = createSharedChecks<CiphertextSource>(limits.runningRequests);
  const isOfKind = (record: RequestRecord): record is RecordOf<Asked> => record.kind === kind.name;
  const isProduction = ({ keyId }: Asked) => {
    return services.keys().some((key) => key.keyId === keyId && key.purpose === 'production');
  };

  /** Throws what the quota throws. The result counts the request: at once, and only when it is new. */
  function takeQuota(content: Asked, requester: Requester, values: readonly CiphertextValue[]): () => void {
    if (book.get(content.requestId)) return () => undefined; // tried before, and counted then
    const blocks = values.reduce((sum, value) => sum + blocksOf(value), 0);
    return quotas.require(requester, content.keyId, blocks);
  }

  const judgingOf = (
    content: Asked,
    { requester, source }: Pick<Admission, 'requester' | 'source'>,
  ): Parameters<typeof judge> => [
    content,
    { requester, source, keys: services.keys(), limits, provenance: modules.provenance },
    (values) => {
      const quota = { name: 'quota', needs: 'ciphertexts', run: () => void takeQuota(content, requester, values) };
      return [quota, ...kind.checks(content, values)];
    },
  ];

  /** Starts the request unless it is known. `durable` resolves when a new one is. */
  async function admit(content: Asked, admission: Admission): Promise<Admitted | undefined> {
    const { requester, first } = admission;
    if (book.knows(content)) return undefined;
    if (draining) throw new ApiError('STOPPING', 'this node is stopping');
    const copy = { hash: content.hash, from: first === self ? undefined : first };
    const { values, ciphertexts } = await checked(copy, () => judge(...judgingOf(content, admission)));
    // Another copy may have been admitted meanwhile; from here to the book nothing waits.
    if (book.knows(content)) return undefined;
    if (draining) throw new ApiError('STOPPING', 'this node is stopping');
    const count = takeQuota(content, requester, values);
    if (isProduction(content)) handles.bind(content.keyId, ciphertexts);
    const durable = book.admit(content, { riding: first !== self });
    count(); // with the record in one batch
    void run(modules, content, () => kind.answer(content, values, first));
    return { ciphertexts, durable };
  }

  forwarding.serve(async (from, body, authorize) => {
    const content = kind.contentOf(body.request, body.requester);
    const requester = authorize(content.hash);
    if (book.knows(content)) return;
    const source = await pulled({ hash: content.hash, from }, () => modules.ciphertexts.pull(from, content));
    const admitted = await admit(content, { requester, source, first: from });
    await admitted?.durable;
  });

  /** Tells the other nodes, which pull what is long, until the request has ended and they have been told. */
  function forward(body: Body, content: Asked, ciphertexts: readonly Ciphertext[], signed: ContentSignature): void {
    const withdraw = modules.ciphertexts.offer(content, ciphertexts);
    const request = {
      ...body,
      ciphertexts: body.ciphertexts.map((each, index) => shortened(each, ciphertexts[index]!)),
    };
    const { expires, signature } = signed;
    const end = forwarding.send({ request, requester: content.requester, expires, signature: toHex(signature) });
    book.onEnd(content.requestId, () => void end().then(withdraw));
  }

  return {
    async ask(body, { requester, sign }) {
      const content = kind.contentOf(body, requester.name);
      const signed = sign(content.hash);
      const source = modules.ciphertexts.own(requester.name);
      const admitted = await admit(content, { requester, source, first: self });
      if (admitted) {
        // The others may start before our record is on disk: what must not be forgotten, the ceremonies journal
        // themselves.
        forward(body, content, admitted.ciphertexts, signed);
        await admitted.durable;
      }
      const record = book.get(content.requestId);
      if (record && isOfKind(record)) return record;
      throw new ApiError('BUSY', 'the request ended and was forgotten at once: limits.keptRequests');
    },
    find(requestId, { requester, sign }) {
      const record = book.get(requestId);
      if (!record || !isOfKind(record) || record.requester !== requester.name) return undefined;
      sign(Buffer.from(record.contentHash, 'hex'));
      return record;
    },
    onEnd: (requestId, listener) => book.onEnd(requestId, listener),
    async explain(body, { requester, sign }) {
      const content = kind.contentOf(body, requester.name);
      sign(content.hash);
      const source = modules.ciphertexts.own(requester.name);
      const judgement = judgementOf(...judgingOf(content, { requester, source }));
      const id = { name: 'requestId', run: () => void book.knows(content) };
      const named = content.ciphertexts.map((_, index): Check => {
        const run = () => {
          if (isProduction(content)) handles.check(content.keyId, judgement.ciphertexts[index]!);
        };
        return { name: `handles.${index}`, needs: `provenance.${index}`, run };
      });
      const capacity = capacityChecks(judgement.values, {
        ...{ output: kind.output, services, limits, draining },
        running: book.running(),
      });
      return explained([id, ...judgement.checks, ...named, ...capacity]);
    },
    async drain() {
      draining = true;
      const ends = book.pending().map((id) => new Promise<void>((resolve) => book.onEnd(id, resolve)));
      await Promise.all(ends);
    },
  };
}

/** Names what is long instead of carrying it: a node that has it, or knows the request, does not need it again. */
function shortened({ bytes, ...rest }: CiphertextBody, { digest, bytes: decoded }: Ciphertext): CiphertextBody {
  if (bytes === undefined) return rest;
  return decoded.length > INLINE_BYTES_MAX ? { ...rest, digest: toHex(digest) } : { ...rest, bytes };
}

/** Never rejects: whatever happens ends up in the record. */
async function run(modules: DecryptionModules, content: Content, answer: () => Promise<Answer>): Promise<void> {
  const { book, metering, now, warn } = modules;
  const { requestId } = content;
  const startedMs = now();
  const seconds = () => (now() - startedMs) / 1000;
  try {
    await book.finish(requestId, { answer: await answer() });
    metering.ended('succeeded', seconds());
  } catch (error) {
    const known = apiErrorOf(error);
    if (!known) warn('a decryption failed unexpectedly', { err: error, requestId });
    const { code, message, parties } = known ?? new ApiError('INTERNAL', 'an unexpected error; see the log');
    metering.ended('failed', seconds());
    await book.finish(requestId, { failure: { code, message, parties: [...parties] } }).catch((cause: unknown) => {
      warn('the end of a request could not be recorded', { err: cause, requestId });
    });
  }
}
