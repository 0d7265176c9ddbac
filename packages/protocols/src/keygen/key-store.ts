/**
 * The keys of a node. Shares are secret and live in the SecretStore; a key is usable once its record, with the COMPLETE
 * certificate of a quorum, is in the journal. Shares without a record belong to a ceremony that did not end here: they
 * are completed from a peer's record or shredded.
 */
import { asGr128, type Gr64, type Gr128 } from '@keyquorum/kernel/batch';
import type { Kernel } from '@keyquorum/kernel/kernel';
import { decodeCertificate, verifyCertificate } from '@keyquorum/mpc/agreement/certificate';
import { decisionSubject } from '@keyquorum/mpc/agreement/decision';
import { fromHex, sha256, sha256Hex } from '@keyquorum/mpc/bytes';
import { quorumOf, type Roster } from '@keyquorum/mpc/roster';
import type { Journal } from '@keyquorum/mpc/session';
import type { SessionId } from '@keyquorum/mpc/transport';
import { lweDimensionOf, parameterSet } from '@keyquorum/tfhe/parameters';
import { announcedSession } from '../ceremony/starting.ts';
import type { KeyRecord } from '../services.ts';
import type { PublicStore, SecretStore } from '../storage.ts';
import { encodeContent } from './content.ts';
import { publicKeyValues, publicObjects, type SecretKeyShares } from './keygen.ts';
import { modulo64 } from './public-key-body.ts';

const RECORD_PREFIX = 'key/';
const GR128_BYTES = 64;

export interface KeyStore {
  records(): KeyRecord[];
  record(keyId: string): KeyRecord | undefined;
  /** Shares modulo 2^64 of the bits of one secret key. */
  shares(keyId: string, key: 'pke' | 'big'): Gr64 | undefined;
  /** K5: the shares become durable, not yet usable. */
  keep(keyId: string, session: SessionId, shares: SecretKeyShares): Promise<void>;
  /** The ceremony ended with this record: the key becomes usable. `body`: of the public key. */
  activate(record: KeyRecord, body: Uint8Array): Promise<void>;
  /** The ceremony failed: the shares are shredded. */
  discard(keyId: string, session: SessionId): Promise<void>;
  /** Shares of ceremonies whose end this node did not see. */
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
  const loaded = new Map<string, { pke: Gr64; big: Gr64 }>();
  const recordOf = (keyId: string): KeyRecord | undefined => {
    const bytes = journal.get(RECORD_PREFIX + keyId);
    return bytes && (JSON.parse(new TextDecoder().decode(bytes)) as KeyRecord); // written by `activate`
  };
  const records = (): KeyRecord[] =>
    journal.keys(RECORD_PREFIX).map((key) => recordOf(key.slice(RECORD_PREFIX.length))!);

  async function loadShares(record: KeyRecord): Promise<void> {
    const bytes = await secrets.get(secretName(record.keyId, record.session));
    if (bytes === undefined) throw new Error(`the shares of key ${record.keyId} are missing: restore the secret store`);
    const { pke, glwe, lwe } = parameterSet(record.parameters);
    const cut = (from: number, count: number): Gr128 =>
      asGr128(bytes.slice(GR128_BYTES * from, GR128_BYTES * (from + count)));
    const shares = { pke: cut(0, pke.dimension), big: cut(pke.dimension + lwe.dimension, lweDimensionOf(glwe)) };
    loaded.set(record.keyId, { pke: modulo64(kernel, shares.pke), big: modulo64(kernel, shares.big) });
    for (const secret of [bytes, shares.pke, shares.big]) secret.fill(0);
  }

  return {
    records,
    record: recordOf,
    shares: (keyId, key) => loaded.get(keyId)?.[key],
    async keep(keyId, session, { pke, small, big }) {
      const bytes = new Uint8Array(pke.length + small.length + big.length);
      bytes.set(pke);
      bytes.set(small, pke.length);
      bytes.set(big, pke.length + small.length);
      await secrets.put(secretName(keyId, session), bytes);
      bytes.fill(0);
    },
    async activate(record, body) {
      verifyRecord(roster, record, body);
      for (const { bytes } of publicObjects(parameterSet(record.parameters), fromHex(record.seed), body)) {
        await publics.put(`material/${sha256Hex(bytes)}`, bytes);
      }
      journal.set(RECORD_PREFIX + record.keyId, new TextEncoder().encode(JSON.stringify(record)));
      await journal.sync();
      await loadShares(record);
    },
    discard: (keyId, session) => secrets.shred(secretName(keyId, session)),
    async unfinished() {
      const names = await secrets.names(RECORD_PREFIX);
      const kept = names.map((name) => {
        const [, keyId = '', session = ''] = name.split('/');
        return { keyId, session };
      });
      return kept.filter(({ keyId }) => recordOf(keyId) === undefined);
    },
    async load() {
      for (const record of records()) await loadShares(record);
    },
    erase() {
      for (const { pke, big } of loaded.values()) {
        pke.fill(0);
        big.fill(0);
      }
      loaded.clear();
    },
  };
}

/** @throws Error unless a quorum signed COMPLETE for exactly this seed and body in this session */
function verifyRecord(roster: Roster, record: KeyRecord, body: Uint8Array): void {
  const { keyId: id, attempt, startMs } = record;
  // The session id hashes what was agreed, purpose included, so a peer cannot hand us a key of another purpose.
  const announced = announcedSession(roster, { kind: 'keygen', id, attempt, startMs, content: encodeContent(record) });
  if (announced !== record.session) throw new Error(`key ${id}: the record is not of this ceremony`);
  const digest = sha256(publicKeyValues(fromHex(record.seed), body));
  const subject = decisionSubject(record.session, 'complete', digest);
  const certificate = decodeCertificate(fromHex(record.certificate));
  if (!verifyCertificate(roster, subject, certificate, quorumOf(roster))) {
    throw new Error(`key ${id}: a quorum did not sign it`);
  }
}

function secretName(keyId: string, session: SessionId): string {
  return `${RECORD_PREFIX}${keyId}/${session}`;
}
