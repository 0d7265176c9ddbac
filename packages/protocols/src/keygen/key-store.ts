/**
 * The keys of a node. Shares are secret and live in the SecretStore; the opened bodies are public. A key is usable once
 * its record, with the COMPLETE certificate of a quorum, is in the journal. Shares without a record belong to an
 * attempt that did not end here: others may use the key all the same, so the shares stay until it is known how it ended
 * (recovery.ts).
 */
import { asGr128, type Gr64, type Gr128 } from '@keyquorum/kernel/batch';
import type { Kernel } from '@keyquorum/kernel/kernel';
import { fromHex } from '@keyquorum/mpc/bytes';
import type { Roster } from '@keyquorum/mpc/roster';
import type { Journal } from '@keyquorum/mpc/session';
import type { SessionId } from '@keyquorum/mpc/transport';
import type { SecretKeyName } from '@keyquorum/tfhe/key-set-components';
import { type KeySetName, keySetChoice, secretKeyPlaces } from '@keyquorum/tfhe/key-sets';
import { describeObjects } from '../material/describe.ts';
import type { PublicObject, ReadableObject } from '../material/public-object.ts';
import type { KeyObject, KeyRecord, UndescribedRecord } from '../services.ts';
import type { PublicStore, SecretStore } from '../storage.ts';
import { type BodyStore, bodyStore, sessionsWithBodies } from './bodies.ts';
import { type CertifiedBodies, certifiedBodies } from './certified-bodies.ts';
import { type ObjectType, publicObjects } from './objects.ts';
import { modulo64, type SecretKeyShares, secretKeyShares } from './secret-keys.ts';

const RECORD_PREFIX = 'key/';
/** Of a session: the record, but for the certificate. */
const PROMISE_PREFIX = 'promised-key/';

/** The keys that ciphertexts are decrypted under, modulo 2^64 and modulo 2^128. */
const KEYS_64 = ['pke', 'big', 'compression'] as const satisfies readonly SecretKeyName[];
const KEYS_128 = ['noise-squashing', 'noise-squashing-compression'] as const satisfies readonly SecretKeyName[];

/** A key that is in use: shares of the bits of its secret keys. */
export interface LoadedKey {
  readonly parameters: KeySetName;
  /** The ceremony that made the shares. */
  readonly session: SessionId;
  readonly shares64: ReadonlyMap<SecretKeyName, Gr64>;
  readonly shares128: ReadonlyMap<SecretKeyName, Gr128>;
}

/** What a party knows of a key when it signs COMPLETE. */
export type PromisedKey = Omit<UndescribedRecord, 'certificate'>;

/** What is known of a key before it has a record. */
export type PendingKey = Pick<KeyRecord, 'keyId' | 'session' | 'parameters'>;

export interface KeyStore {
  records(): KeyRecord[];
  record(keyId: string): KeyRecord | undefined;
  /** The key, when it is in use. Its shares are those of the store: they are only read. */
  loaded(keyId: string): LoadedKey | undefined;
  /** K3: the shares become durable, not yet usable. */
  keep(keyId: string, session: SessionId, shares: SecretKeyShares): Promise<void>;
  /** The shares of a key without a record can be used, for its trial, until it is activated or discarded. */
  loadPending(key: PendingKey): Promise<void>;
  /** Opened bodies of a session. */
  bodies(session: SessionId): BodyStore;
  /** K5: durable with the next sync of the journal, so that whoever signed COMPLETE can finish the key by itself. */
  promise(key: PromisedKey): void;
  promised(session: SessionId): PromisedKey | undefined;
  /** The ceremony ended with this record, all bodies are stored: the key becomes usable. */
  activate(record: UndescribedRecord): Promise<void>;
  /** Bodies of a finished key, compared with what was certified. @throws Error when there is no such key */
  certified(keyId: string): CertifiedBodies;
  /** The public objects of a finished key; none without its record. */
  objects(keyId: string): readonly PublicObject<ObjectType>[];
  /**
   * This party gives the attempt up, and others may not: the shares stay, on disk only. The bodies go; whoever signed
   * for them gives them back.
   */
  setAside(keyId: string, session: SessionId): Promise<void>;
  /** Nobody can ever use what the attempt made: the shares are shredded. */
  discard(keyId: string, session: SessionId): Promise<void>;
  /** Attempts of which there are shares and that did not make the key, as far as this node knows. */
  unfinished(): Promise<{ keyId: string; session: SessionId }[]>;
  load(): Promise<void>;
  erase(): void;
}

interface Modules {
  readonly kernel: Kernel;
  readonly roster: Roster;
  readonly journal: Journal;
  readonly secrets: SecretStore;
  readonly publics: PublicStore;
}

export function createKeyStore({ kernel, roster, journal, secrets, publics }: Modules): KeyStore {
  const loaded = new Map<string, LoadedKey>();
  /** By session; they remember that they have verified a certificate. */
  const certified = new Map<SessionId, CertifiedBodies>();
  const recordOf = (keyId: string): KeyRecord | undefined => {
    const bytes = journal.get(RECORD_PREFIX + keyId);
    return bytes && (JSON.parse(new TextDecoder().decode(bytes)) as KeyRecord); // written by `activate`
  };
  const records = (): KeyRecord[] =>
    journal.keys(RECORD_PREFIX).map((key) => recordOf(key.slice(RECORD_PREFIX.length))!);
  const bodies = (session: SessionId): BodyStore => bodyStore(publics, session);

  async function loadShares({ keyId, session, parameters }: PendingKey): Promise<void> {
    const bytes = await secrets.get(secretName(keyId, session));
    if (bytes === undefined) throw new Error(`the shares of key ${keyId} are missing: restore the secret store`);
    if (loaded.get(keyId)?.session === session) {
      bytes.fill(0); // what is loaded may be in use
      return;
    }
    const choice = keySetChoice(parameters);
    const shares = secretKeyShares(choice, asGr128(bytes));
    const present = secretKeyPlaces(choice).map(({ key }) => key);
    const [used64, used128] = [KEYS_64, KEYS_128].map((keys) => keys.filter((key) => present.includes(key)));
    unload(keyId);
    loaded.set(keyId, {
      ...{ parameters, session },
      shares64: new Map(used64!.map((key) => [key, modulo64(kernel, shares.of(key))])),
      shares128: new Map(used128!.map((key) => [key, shares.of(key)])),
    });
    shares.erase();
  }

  function unload(keyId: string): void {
    const key = loaded.get(keyId);
    if (key === undefined) return;
    for (const shares of [...key.shares64.values(), ...key.shares128.values()]) shares.fill(0);
    loaded.delete(keyId);
  }

  function readable(record: UndescribedRecord): readonly ReadableObject<ObjectType>[] {
    const choice = keySetChoice(record.parameters);
    return publicObjects(choice, fromHex(record.seed), certifiedOf(record).chunk);
  }

  function certifiedOf(record: UndescribedRecord): CertifiedBodies {
    const made = certified.get(record.session) ?? certifiedBodies(roster, record, bodies(record.session));
    certified.set(record.session, made);
    return made;
  }

  async function unfinished(): Promise<{ keyId: string; session: SessionId }[]> {
    const names = await secrets.names(RECORD_PREFIX);
    const kept = names.map((name) => {
      const [, keyId = '', session = ''] = name.split('/');
      return { keyId, session };
    });
    return kept.filter(({ keyId, session }) => recordOf(keyId)?.session !== session);
  }

  /** Chunks of sessions whose shares were shredded, when the node crashed before it had removed these too. */
  async function discardOrphans(): Promise<void> {
    const wanted = new Set([...records(), ...(await unfinished())].map(({ session }) => session));
    for (const session of await sessionsWithBodies(publics)) if (!wanted.has(session)) await bodies(session).discard();
  }

  async function setAside(keyId: string, session: SessionId): Promise<void> {
    if (loaded.get(keyId)?.session === session) unload(keyId);
    certified.delete(session);
    await bodies(session).discard();
  }

  return {
    records,
    record: recordOf,
    bodies,
    setAside,
    promise: (key) => journal.set(PROMISE_PREFIX + key.session, new TextEncoder().encode(JSON.stringify(key))),
    promised(session) {
      const bytes = journal.get(PROMISE_PREFIX + session);
      return bytes && (JSON.parse(new TextDecoder().decode(bytes)) as PromisedKey); // written by `promise`
    },
    loaded: (keyId) => loaded.get(keyId),
    keep: (keyId, session, shares) => secrets.put(secretName(keyId, session), shares.bits),
    async activate(record) {
      const readers = readable(record);
      const described = await describeObjects(readers);
      const objects = described.map((description, index): KeyObject => {
        if ('error' in description) throw description.error;
        return { type: readers[index]!.type, ...description };
      });
      const full: KeyRecord = { ...record, objects };
      journal.set(RECORD_PREFIX + record.keyId, new TextEncoder().encode(JSON.stringify(full)));
      journal.delete(PROMISE_PREFIX + record.session);
      await journal.sync();
      await loadShares(record);
    },
    certified(keyId) {
      const record = recordOf(keyId);
      if (record === undefined) throw new Error('no such key');
      return certifiedOf(record);
    },
    objects(keyId) {
      const record = recordOf(keyId);
      if (record === undefined) return [];
      const described = new Map(record.objects.map((object) => [object.type, object]));
      return readable(record).map((object) => ({ ...described.get(object.type)!, ...object }));
    },
    loadPending: loadShares,
    async discard(keyId, session) {
      await setAside(keyId, session);
      await secrets.shred(secretName(keyId, session));
      journal.delete(PROMISE_PREFIX + session);
    },
    unfinished,
    async load() {
      await discardOrphans();
      for (const record of records()) await loadShares(record);
    },
    erase() {
      for (const keyId of [...loaded.keys()]) unload(keyId);
    },
  };
}

function secretName(keyId: string, session: SessionId): string {
  return `${RECORD_PREFIX}${keyId}/${session}`;
}
