/**
 * How a node that missed the end of a key generation gets the key: from the record of a peer, whose certificate
 * decides, and the chunks of bodies that it did not see opened. Shares it has already, or it has no part in the key.
 */
import type { Party } from '@keyquorum/mpc/party';
import type { PartyId, SessionId } from '@keyquorum/mpc/transport';
import type { Board } from '../ceremony/board.ts';
import type { Log } from '../log.ts';
import { completeBodies } from './certified-bodies.ts';
import { certifiedRecord, type KeyExchange } from './key-exchange.ts';
import type { KeyStore } from './key-store.ts';

const RECORD_RETRY_MS = 5_000;
/** This long after the deadline of a ceremony no other party ends it any more. */
const OTHERS_LATE_MS = 30_000;

export interface RecoveryModules {
  readonly party: Party;
  readonly board: Board;
  readonly keys: KeyStore;
  readonly exchange: KeyExchange;
  readonly epoch: () => number;
  readonly signal: AbortSignal;
  readonly log: Log;
}

export interface Recovery {
  /** True when the key was completed, or given up: all were asked, nobody has it and nobody can make it any more. */
  one(keyId: string, session: SessionId): Promise<boolean>;
  /** Everything unfinished, until each is completed or given up. */
  all(): Promise<void>;
}

export function createRecovery(modules: RecoveryModules): Recovery {
  const { party, board, keys, exchange, signal, log } = modules;
  const { clock, roster } = party;

  async function recoverAll(): Promise<void> {
    for (;;) {
      const kept = (await keys.unfinished()).filter(({ keyId }) => board.get(keyId)?.state !== 'running');
      let early = false;
      for (const { keyId, session } of kept) {
        if (!(await recoverOne(keyId, session))) early ||= mayYetEnd(keyId);
      }
      if (!early) return;
      await clock.until(clock.now() + RECORD_RETRY_MS, signal);
    }
  }

  /** The others may still be at it: that nobody has the key now means nothing. */
  function mayYetEnd(keyId: string): boolean {
    return clock.now() < (board.get(keyId)?.deadlineMs ?? 0) + OTHERS_LATE_MS;
  }

  async function recoverOne(keyId: string, session: SessionId): Promise<boolean> {
    let refusals = 0;
    for (const peer of party.connected()) {
      const answer = await exchange.askRecord(peer, keyId).catch((error) => {
        if ((error as { code?: unknown }).code === 'PEER_REFUSED') refusals += 1; // silence says nothing
        return undefined;
      });
      if (answer === undefined || !(await activateFrom(answer, keyId, session, peer))) continue;
      log({ level: 'info', message: 'completed a key from the record of a peer', keyId, from: peer });
      return true;
    }
    if (refusals < roster.n - 1 || mayYetEnd(keyId)) return false;
    await keys.discard(keyId, session);
    return true;
  }

  /** False when the answer of the peer is no certified record of this ceremony: the next peer is asked. */
  async function activateFrom(answer: Uint8Array, keyId: string, session: SessionId, peer: PartyId): Promise<boolean> {
    try {
      const { record, digests } = certifiedRecord(party, answer);
      if (record.session !== session || record.keyId !== keyId) return false;
      await completeBodies(record, { store: keys.bodies(session), digests }, (index, fits) =>
        exchange.chunk(peer, { keyId, index, fits }),
      );
      await keys.activate({ ...record, epoch: modules.epoch() });
      return true;
    } catch (error) {
      log({ level: 'warn', message: 'a peer sent a bad record of a key', keyId, from: peer, error: String(error) });
      return false;
    }
  }

  return { one: recoverOne, all: recoverAll };
}
