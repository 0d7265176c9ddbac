/**
 * Small durable records (decisions, states, answers; never secrets) in Level, mirrored in memory so that reading and
 * deciding are synchronous (SPEC R14). `sync` writes everything changed since the last batch in one flushed batch;
 * callers that come while a batch is being written share the next one.
 *
 * Promises: after a crash the records are those of some batch that contains every `sync` that had resolved. A record
 * that is damaged, missing, foreign or older than a resolved `sync` makes opening fail (STORE_TAMPERED,
 * STORE_ROLLED_BACK). A write that fails closes the store for good: a node that cannot remember must not promise
 * anything.
 * Cost: about 1 ms per batch; 250 bytes of memory per record besides its bytes; all records are read at boot.
 */

import { createHmac, timingSafeEqual } from 'node:crypto';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import type { Journal } from '@keyquorum/mpc/session';
import { Level } from 'level';
import { LABELS } from '../labels.ts';
import { addTag, decodeHead, EMPTY_HEAD, encodeHead, type Head, removeTag, TAG_BYTES } from './head.ts';
import { type HeadFile, openHeadFile } from './head-file.ts';
import { HEAD_FILE, HEAD_KEY, META_TABLE, RECORDS_FOLDER, TABLES, type TableName } from './layout.ts';
import { StoreError, systemCode } from './store-error.ts';

/** A table is a Journal: synchronous reads and writes, asynchronous durability. */
export interface Records {
  table(name: TableName): Journal;
  close(): Promise<void>;
}

interface Entry {
  readonly value: Uint8Array;
  readonly tag: Uint8Array;
}

interface Options {
  readonly path: string;
  readonly integrityKey: Uint8Array;
  /** Called once when a write fails; the process should end in order. */
  onFailure?(error: StoreError): void;
}

type Operation =
  | { readonly type: 'put'; readonly key: string; readonly value: Uint8Array }
  | { readonly type: 'del'; readonly key: string };

export async function openRecords(options: Options): Promise<Records> {
  const location = join(options.path, RECORDS_FOLDER);
  const database = new Level<string, Uint8Array>(location, { keyEncoding: 'utf8', valueEncoding: 'view' });
  try {
    await database.open();
  } catch (cause) {
    if (systemCode(cause) !== 'LEVEL_LOCKED') throw new StoreError('STORE_TAMPERED', unreadable(location), { cause });
    throw new StoreError('STORE_LOCKED', `${location} is in use: another process runs this node`, { cause });
  }
  let headFile: HeadFile | undefined;
  try {
    headFile = await openHeadFile(join(options.path, HEAD_FILE), options.integrityKey);
    return await LevelRecords.load(database, headFile, options);
  } catch (error) {
    await headFile?.close();
    await database.close();
    throw error;
  }
}

function unreadable(location: string): string {
  return `${location} cannot be read: the disk is damaged; see docs/errors.md, STORE_TAMPERED`;
}

class LevelRecords implements Records {
  readonly #database: Level<string, Uint8Array>;
  readonly #headFile: HeadFile;
  readonly #options: Options;
  readonly #tables = new Map<string, Map<string, Entry>>();
  #head: Head = EMPTY_HEAD;
  #pending = new Map<string, Operation>();
  /** True while the batch under way still takes changes. */
  #gathering = false;
  #writing: Promise<void> | undefined;
  #next: Promise<void> | undefined;
  #failure: StoreError | undefined;
  #closed = false;

  private constructor(database: Level<string, Uint8Array>, headFile: HeadFile, options: Options) {
    this.#database = database;
    this.#headFile = headFile;
    this.#options = options;
    for (const name of Object.values(TABLES)) this.#tables.set(name, new Map());
  }

  static async load(database: Level<string, Uint8Array>, headFile: HeadFile, options: Options): Promise<LevelRecords> {
    const records = new LevelRecords(database, headFile, options);
    let head = EMPTY_HEAD;
    let stored: Head | undefined;
    for await (const [key, bytes] of database.iterator()) {
      const { table, name } = splitKey(key);
      if (table === META_TABLE && name === HEAD_KEY) stored = decodeHead(options.integrityKey, bytes);
      else head = addTag(head, records.#restore({ table, name, bytes }));
    }
    records.#head = checkedHead({ found: head, stored, beside: headFile.newest });
    return records;
  }

  #restore({ table, name, bytes }: { table: string; name: string; bytes: Uint8Array }): Uint8Array {
    const entries = this.#tables.get(table);
    const tag = new Uint8Array(bytes.subarray(0, TAG_BYTES));
    const value = new Uint8Array(bytes.subarray(TAG_BYTES));
    if (!entries || tag.length !== TAG_BYTES || !timingSafeEqual(tag, this.#tagOf(table, name, value))) {
      throw tampered(`record ${table}/${name.slice(0, 80)} fails its authentication`);
    }
    entries.set(name, { value, tag });
    return tag;
  }

  #tagOf(table: string, name: string, value: Uint8Array): Buffer {
    return createHmac('sha256', this.#options.integrityKey)
      .update(`${LABELS.record}|${table}|${Buffer.byteLength(name)}|${name}|`)
      .update(value)
      .digest();
  }

  table(tableName: TableName): Journal {
    const table = TABLES[tableName];
    const entries = this.#tables.get(table) ?? new Map<string, Entry>();
    return {
      get: (name) => entries.get(name)?.value.slice(),
      set: (name, value) => this.#change(entries, { table, name, value: value.slice() }),
      delete: (name) => this.#change(entries, { table, name, value: undefined }),
      keys: (prefix) => [...entries.keys()].filter((name) => name.startsWith(prefix)).sort(),
      sync: () => this.#sync(),
    };
  }

  #change(
    entries: Map<string, Entry>,
    { table, name, value }: { table: string; name: string; value: Uint8Array | undefined },
  ): void {
    this.#refuseWhenUnusable();
    const key = joinKey(table, name);
    const before = entries.get(name);
    if (before) this.#head = removeTag(this.#head, before.tag);
    if (value) {
      const tag = new Uint8Array(this.#tagOf(table, name, value));
      entries.set(name, { value, tag });
      this.#head = addTag(this.#head, tag);
      this.#pending.set(key, { type: 'put', key, value: Buffer.concat([tag, value]) });
    } else if (before) {
      entries.delete(name);
      this.#pending.set(key, { type: 'del', key });
    }
  }

  #sync(): Promise<void> {
    if (this.#failure) return Promise.reject(this.#failure);
    if (this.#pending.size === 0) return this.#writing ?? Promise.resolve();
    if (!this.#writing) return this.#startWriting();
    if (this.#gathering) return this.#writing;
    this.#next ??= this.#writing.then(() => {
      this.#next = undefined;
      return this.#startWriting();
    });
    return this.#next;
  }

  #startWriting(): Promise<void> {
    const writing = this.#write().finally(() => {
      // With a next batch waiting, the slot stays taken: nobody may start a batch beside it.
      if (!this.#next) this.#writing = undefined;
    });
    this.#writing = writing;
    return writing;
  }

  /** Two turns of the event loop: what one step of a request changes in several tables is flushed once. */
  async #gather(): Promise<void> {
    this.#gathering = true;
    for (let turn = 0; turn < 2; turn++) await setImmediate();
    this.#gathering = false;
  }

  async #write(): Promise<void> {
    await this.#gather();
    const operations = [...this.#pending.values()];
    this.#pending = new Map();
    const head = { ...this.#head, generation: this.#head.generation + 1n };
    this.#head = head;
    const value = encodeHead(this.#options.integrityKey, head);
    try {
      const batch: Operation[] = [...operations, { type: 'put', key: joinKey(META_TABLE, HEAD_KEY), value }];
      await this.#database.batch(batch, { sync: true });
      await this.#headFile.write(head);
    } catch (cause) {
      throw this.#fail(cause);
    }
  }

  #fail(cause: unknown): StoreError {
    const problem = `records cannot be written (${systemCode(cause) ?? 'unknown cause'}): check the disk, then restart`;
    const failure = new StoreError('STORE_FAILED', problem, { cause });
    this.#failure = failure;
    this.#options.onFailure?.(failure);
    return failure;
  }

  #refuseWhenUnusable(): void {
    if (this.#failure) throw this.#failure;
    if (this.#closed) throw new StoreError('STORE_FAILED', 'the store is closed: the node is stopping');
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    try {
      if (!this.#failure) await this.#sync();
    } finally {
      await this.#headFile.close();
      await this.#database.close();
    }
  }
}

/** The head to go on from, when records, database head and head file tell one story. */
function checkedHead({
  found,
  stored,
  beside,
}: {
  found: Head;
  stored: Head | undefined;
  beside: Head | undefined;
}): Head {
  if (!stored) {
    if (found.count === 0n && !beside) return EMPTY_HEAD;
    throw beside ? rolledBack(0n, beside.generation) : tampered('the head record is missing or damaged');
  }
  if (beside && stored.generation < beside.generation) throw rolledBack(stored.generation, beside.generation);
  if (!beside && stored.generation > 1n) throw tampered('the head file is missing or damaged');
  if (found.sum !== stored.sum || found.count !== stored.count) {
    throw tampered(`${found.count} records do not add up to the head, which counts ${stored.count}`);
  }
  return stored;
}

const SEPARATOR = '!';

function joinKey(table: string, name: string): string {
  return `${SEPARATOR}${table}${SEPARATOR}${name}`;
}

function splitKey(key: string): { table: string; name: string } {
  const end = key.indexOf(SEPARATOR, 1);
  return { table: key.slice(1, end), name: key.slice(end + 1) };
}

function tampered(problem: string): StoreError {
  const remedy = 'this party must not go on with it; see docs/errors.md, STORE_TAMPERED';
  return new StoreError('STORE_TAMPERED', `${problem}: ${remedy}`);
}

function rolledBack(found: bigint, promised: bigint): StoreError {
  const problem = `records end at batch ${found}, but this node acted on batch ${promised}`;
  const remedy = 'an older copy was restored or the disk lost writes; see docs/errors.md, STORE_ROLLED_BACK';
  return new StoreError('STORE_ROLLED_BACK', `${problem}: ${remedy}`);
}
