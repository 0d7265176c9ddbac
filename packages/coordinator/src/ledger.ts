/**
 * What request ids mean, on disk: which content and caller each is bound to, and what came of it. Decisions are made on
 * an index in memory; reports are read when somebody asks. After a crash it knows every request whose `put` had
 * resolved. A record that is damaged, or of another version, is dropped and its id is free: nodes remember, so asking
 * again brings the same answer.
 *
 * No secret is stored: of a caller a digest; of an unfinished request the Authorization header if it is a signature for
 * this request alone, never an API key.
 * Bounds: number, bytes and age of finished requests; the oldest are forgotten first. Failed ones have places of their
 * own: those of strangers always fail, and must not crowd out results. 1 kB of memory per request.
 */
import { createHash } from 'node:crypto';
import { Level } from 'level';
import Type, { type Static, type TSchema } from 'typebox';
import Compile from 'typebox/compile';
import {
  CoordinatedDecryption,
  CoordinatedUserDecryption,
  Id,
  type Kind,
  NodeVerdict,
  PublicDecryptionRequest,
  type Report,
  UserDecryptionRequest,
} from './contract.ts';
import { CoordinationError } from './errors.ts';

const TAG_BYTES = 32;
/** Failed requests kept for each that succeeded. */
const FAILED_SHARE = 1 / 8;
const LABEL = 'KEYQUORUM/coordinator/record/v1';

function recordOf<K extends Kind, B extends TSchema, R extends TSchema>(kind: K, body: B, report: R) {
  return Type.Object({
    kind: Type.Literal(kind),
    requestId: Id,
    /** SHA-256 of the request without its id, and without what shows where ciphertexts come from. */
    content: Id,
    /** SHA-256 of the Authorization header. */
    caller: Id,
    /** Milliseconds since 1970. */
    madeMs: Type.Integer({ minimum: 0 }),
    /** Of an equal request: the one whose report this is. */
    askedAs: Type.Optional(Id),
    /** To be asked after a restart. */
    open: Type.Optional(Type.Object({ body, authorization: Type.String({ pattern: '^Keyquorum ' }) })),
    report: Type.Optional(report),
    /** Names the asking, and what was told of it, for readers of events that come back. */
    run: Type.String({ maxLength: 32 }),
    verdicts: Type.Array(NodeVerdict),
  });
}

const PublicRecord = recordOf('public-decryption', PublicDecryptionRequest, CoordinatedDecryption);
const UserRecord = recordOf('user-decryption', UserDecryptionRequest, CoordinatedUserDecryption);
const LedgerRecord = Type.Union([PublicRecord, UserRecord]);
export type LedgerRecord = Static<typeof LedgerRecord>;
const ledgerRecord = Compile(LedgerRecord);

/** What decisions are made on. */
export interface Known extends Pick<LedgerRecord, 'kind' | 'requestId' | 'content' | 'caller' | 'madeMs' | 'askedAs'> {
  /** It has a report in which nothing failed: asking again would bring the same. */
  readonly complete: boolean;
  readonly bytes: number;
}

export interface LedgerLimits {
  /** Requests that succeeded; of failed ones an eighth as many. */
  readonly kept: number;
  /** Of their records together. */
  readonly keptBytes: number;
  readonly keptMs: number;
}

export interface LedgerOptions {
  readonly folder: string;
  readonly limits: LedgerLimits;
  /** Milliseconds since 1970. */
  readonly nowMs: () => number;
  /** Told when a record is dropped because it cannot be believed. */
  onDamaged(requestId: string): void;
}

export interface Ledger {
  lookUp(requestId: string): Known | undefined;
  /** The last request of this caller with this content that is no reference to another. */
  equal(caller: string, content: string): Known | undefined;
  /**
   * Effective at once, resolves when durable.
   * @param held not to be forgotten: it is being asked
   * @throws CoordinationError STORE_FAILED
   */
  put(record: LedgerRecord, held: boolean): Promise<void>;
  /** Undefined when it was forgotten, or is damaged and forgotten now. */
  read(requestId: string): Promise<LedgerRecord | undefined>;
  /** What was being asked when the process ended, and may be asked again. */
  readonly unfinished: readonly LedgerRecord[];
  status(): LedgerStatus;
  close(): Promise<void>;
}

export interface LedgerStatus {
  readonly requests: number;
  readonly bytes: number;
  readonly damaged: number;
  /** Nothing can be written any more. */
  readonly failed: boolean;
}

/** @throws CoordinationError STORE_FAILED */
export async function openLedger(options: LedgerOptions): Promise<Ledger> {
  const database = new Level<string, Uint8Array>(options.folder, { keyEncoding: 'utf8', valueEncoding: 'view' });
  try {
    await database.open();
    return await LevelLedger.load(database, options);
  } catch (cause) {
    await database.close();
    const advice = 'does another process use it? Otherwise move it away: nodes remember finished requests';
    throw new CoordinationError('STORE_FAILED', `${options.folder} cannot be read: ${advice}`, { cause });
  }
}

export function encodeRecord(record: LedgerRecord): Uint8Array {
  const text = Buffer.from(JSON.stringify(record));
  return Buffer.concat([tagOf(record.requestId, text), text]);
}

/** Undefined when it is not, byte for byte, what was stored under this id. */
export function decodeRecord(requestId: string, bytes: Uint8Array): LedgerRecord | undefined {
  const text = bytes.subarray(TAG_BYTES);
  if (Buffer.compare(tagOf(requestId, text), bytes.subarray(0, TAG_BYTES)) !== 0) return undefined;
  const record: unknown = JSON.parse(Buffer.from(text).toString());
  return ledgerRecord.Check(record) && record.requestId === requestId ? record : undefined;
}

function tagOf(requestId: string, text: Uint8Array): Buffer {
  return createHash('sha256').update(`${LABEL}|${requestId}|`).update(text).digest();
}

function isComplete({ state, slots }: Report): boolean {
  return state === 'succeeded' && (slots ?? []).every((slot) => slot.state === 'succeeded');
}

class LevelLedger implements Ledger {
  readonly #database: Level<string, Uint8Array>;
  readonly #options: LedgerOptions;
  readonly #known = new Map<string, Known>();
  /** Ids of what may be forgotten, oldest first. */
  readonly #complete = new Set<string>();
  readonly #failed = new Set<string>();
  /** Ids by caller and content. */
  readonly #equal = new Map<string, string>();
  readonly unfinished: LedgerRecord[] = [];
  #bytes = 0;
  #damaged = 0;
  /** Values to write; undefined deletes. */
  #pending = new Map<string, Uint8Array | undefined>();
  #writing: Promise<void> = Promise.resolve();
  #failure: CoordinationError | undefined;

  private constructor(database: Level<string, Uint8Array>, options: LedgerOptions) {
    this.#database = database;
    this.#options = options;
  }

  static async load(database: Level<string, Uint8Array>, options: LedgerOptions): Promise<LevelLedger> {
    const ledger = new LevelLedger(database, options);
    const finished: Known[] = [];
    for await (const [requestId, value] of database.iterator()) {
      const record = decodeRecord(requestId, value);
      if (!record) ledger.#drop(requestId);
      else if (record.open) {
        ledger.unfinished.push(record);
        ledger.#index(knownOf(record, value.length), true);
      } else finished.push(knownOf(record, value.length));
    }
    finished.sort((one, other) => one.madeMs - other.madeMs);
    for (const known of finished) ledger.#index(known, false);
    ledger.#forgetOld();
    await ledger.#write();
    return ledger;
  }

  lookUp(requestId: string): Known | undefined {
    this.#forgetOld();
    return this.#known.get(requestId);
  }

  equal(caller: string, content: string): Known | undefined {
    const requestId = this.#equal.get(equalKey({ caller, content }));
    return requestId === undefined ? undefined : this.lookUp(requestId);
  }

  put(record: LedgerRecord, held: boolean): Promise<void> {
    const value = encodeRecord(record);
    this.#remove(record.requestId);
    this.#index(knownOf(record, value.length), held);
    this.#pending.set(record.requestId, value);
    this.#forgetOld();
    return this.#write();
  }

  async read(requestId: string): Promise<LedgerRecord | undefined> {
    await this.#writing;
    if (!this.#known.has(requestId)) return undefined;
    const value = await this.#database.get(requestId);
    const record = value && decodeRecord(requestId, value);
    if (record) return record;
    if (this.#pending.has(requestId)) return undefined; // replaced meanwhile: what was read is old
    if (value) this.#drop(requestId);
    else this.#forget(requestId); // it could not be written
    return undefined;
  }

  status(): LedgerStatus {
    const failed = this.#failure !== undefined;
    return { requests: this.#known.size, bytes: this.#bytes, damaged: this.#damaged, failed };
  }

  async close(): Promise<void> {
    await this.#writing;
    await this.#database.close();
  }

  #index(known: Known, held: boolean): void {
    this.#known.set(known.requestId, known);
    this.#bytes += known.bytes;
    if (!held) (known.complete ? this.#complete : this.#failed).add(known.requestId);
    if (known.askedAs === undefined) this.#equal.set(equalKey(known), known.requestId);
  }

  #remove(requestId: string): void {
    const known = this.#known.get(requestId);
    if (!known) return;
    this.#known.delete(requestId);
    this.#complete.delete(requestId);
    this.#failed.delete(requestId);
    this.#bytes -= known.bytes;
    if (this.#equal.get(equalKey(known)) === requestId) this.#equal.delete(equalKey(known));
  }

  #forget(requestId: string): void {
    this.#remove(requestId);
    this.#pending.set(requestId, undefined);
  }

  #drop(requestId: string): void {
    this.#damaged++;
    this.#forget(requestId);
    this.#options.onDamaged(requestId);
  }

  /** What is deleted goes with the next write, or is forgotten again at the next start. */
  #forgetOld(): void {
    const { kept, keptBytes, keptMs } = this.#options.limits;
    const oldestMs = this.#options.nowMs() - keptMs;
    const isOld = (requestId: string) => (this.#known.get(requestId)?.madeMs ?? 0) < oldestMs;
    for (const requestId of this.#failed) {
      if (this.#failed.size <= Math.ceil(kept * FAILED_SHARE) && !isOld(requestId)) break;
      this.#forget(requestId);
    }
    for (const requestId of this.#complete) {
      if (this.#complete.size <= kept && this.#bytes <= keptBytes && !isOld(requestId)) break;
      this.#forget(requestId);
    }
  }

  /** One flushed batch at a time; each takes all that has come. */
  #write(): Promise<void> {
    const written = this.#writing.then(() => this.#flush());
    this.#writing = written.catch(() => undefined);
    return written;
  }

  async #flush(): Promise<void> {
    if (this.#failure) throw this.#failure;
    const operations = [...this.#pending].map(([key, value]) => {
      return value ? { type: 'put' as const, key, value } : { type: 'del' as const, key };
    });
    this.#pending = new Map();
    if (operations.length === 0) return;
    try {
      await this.#database.batch(operations, { sync: true });
    } catch (cause) {
      this.#failure = new CoordinationError('STORE_FAILED', 'requests cannot be written to disk', { cause });
      throw this.#failure;
    }
  }
}

function knownOf({ kind, requestId, content, caller, madeMs, askedAs, report }: LedgerRecord, bytes: number): Known {
  const complete = report !== undefined && isComplete(report);
  return { kind, requestId, content, caller, madeMs, complete, bytes, ...(askedAs !== undefined && { askedAs }) };
}

function equalKey({ caller, content }: Pick<Known, 'caller' | 'content'>): string {
  return caller + content;
}
