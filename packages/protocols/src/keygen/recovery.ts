/**
 * How a node that did not see the end of an attempt learns it (docs/protocols/key-generation.md, "How an attempt
 * ends"). Until then it keeps its shares: a quorum may have signed COMPLETE without it, t corrupt parties among them,
 * and then the others cannot decrypt without this node. An attempt ends in one of three ways, each of which excludes
 * the others for ever: a quorum signed COMPLETE, or signed it for another attempt of the same key, or never signs it.
 */
import { type Certificate, encodeCertificate, SignatureTally } from '@keyquorum/mpc/agreement/certificate';
import { decisionSubject } from '@keyquorum/mpc/agreement/decision';
import { toHex } from '@keyquorum/mpc/bytes';
import type { Party } from '@keyquorum/mpc/party';
import { partiesOf, quorumOf } from '@keyquorum/mpc/roster';
import type { PartyId, SessionId } from '@keyquorum/mpc/transport';
import type { Board } from '../ceremony/board.ts';
import type { Log } from '../log.ts';
import { completeBodies, verifyRecord } from './certified-bodies.ts';
import { certifiedRecord, completeOf, type KeyExchange, type SignedComplete } from './key-exchange.ts';
import type { KeyStore } from './key-store.ts';

/** Waits between two rounds of questions: doubled from the first to the last, and the first again when a peer comes. */
const RETRY_MS = 1_000;
const RETRY_MS_MAX = 64_000;
/** After so many rounds the operator is told. */
const PATIENCE_ROUNDS = 5;

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
  /** Asks all peers that are up. True when it is known how the attempt ended: the key is active, or shredded. */
  one(keyId: string, session: SessionId): Promise<boolean>;
  /** Everything whose ceremony has ended here, now and until each is settled. Called again: at once. */
  soon(): void;
}

/** What a peer says of an attempt: the key that was made, or else whether it signed COMPLETE itself. */
interface Answer {
  readonly peer: PartyId;
  readonly record?: Uint8Array;
  readonly said?: SignedComplete | 'never';
}

export function createRecovery(modules: RecoveryModules): Recovery {
  const { party, board, keys, exchange, signal, log } = modules;
  const { clock, roster } = party;
  /** Of the loop while it runs: ends its wait for the next round. */
  let hurry: AbortController | undefined;
  const rounds = new Map<SessionId, number>();

  async function run(): Promise<void> {
    try {
      for (let waitMs = RETRY_MS; ; ) {
        hurry = new AbortController(); // before the questions: who calls meanwhile wants them asked again
        const isSettled = await all();
        if (isSettled && !hurry.signal.aborted) return;
        const woken = AbortSignal.any([signal, hurry.signal]);
        await clock.until(clock.now() + waitMs, woken).catch(() => signal.throwIfAborted());
        waitMs = hurry.signal.aborted ? RETRY_MS : Math.min(2 * waitMs, RETRY_MS_MAX);
      }
    } finally {
      hurry = undefined;
    }
  }

  /** True when nothing is open. */
  async function all(): Promise<boolean> {
    let open = 0;
    for (const { keyId, session } of await keys.unfinished()) {
      if (board.get(keyId)?.state !== 'running' && !(await one(keyId, session))) open += 1;
    }
    return open === 0;
  }

  function soon(): void {
    if (hurry !== undefined) {
      hurry.abort();
      return;
    }
    run().catch((error) => {
      if (!signal.aborted) log({ level: 'warn', message: 'recovering keys failed', error: String(error) });
    });
  }

  async function one(keyId: string, session: SessionId): Promise<boolean> {
    const made = keys.record(keyId)?.session;
    if (made !== undefined) {
      if (made !== session) await keys.discard(keyId, session); // one attempt of an id makes a key
      return true;
    }
    const votes = createVotes(party, session);
    votes.add(party.self, await completeOf(party, session));
    for await (const { peer, record, said } of answers(keyId, session)) {
      votes.add(peer, said);
      const certificate = votes.certificate();
      const finished =
        (record !== undefined && (await finish(keyId, peer, () => activateFrom(record, { keyId, session, peer })))) ||
        (certificate !== undefined && (await finish(keyId, party.self, () => activateOwn(session, certificate))));
      if (finished) return true;
      if (!votes.excludeComplete()) continue;
      await keys.discard(keyId, session);
      return true;
    }
    tell(keyId, session, votes.missing());
    return false;
  }

  /** In the order of their arrival. Who has no record is asked for its COMPLETE. */
  async function* answers(keyId: string, session: SessionId): AsyncGenerator<Answer> {
    const asking = party.connected().map(async (peer): Promise<Answer> => {
      try {
        return { peer, record: await exchange.askRecord(peer, keyId) };
      } catch (error) {
        if ((error as { code?: unknown }).code !== 'PEER_REFUSED') return { peer }; // silence says nothing
      }
      return exchange.askComplete(peer, session).then(
        (said) => ({ peer, said }),
        () => ({ peer }),
      );
    });
    const open = new Map(asking.map((answer, index) => [index, answer.then((value) => ({ index, value }))]));
    while (open.size > 0) {
      const { index, value } = await Promise.race(open.values());
      open.delete(index);
      yield value;
    }
  }

  /** False when the key cannot be made now of what this party, or `from`, has: it lied, or a disk fails. */
  async function finish(keyId: string, from: PartyId, activate: () => Promise<boolean>): Promise<boolean> {
    try {
      if (!(await activate())) return false;
      log({ level: 'info', message: 'completed a key after its key generation', keyId, from });
      return true;
    } catch (error) {
      log({ level: 'warn', message: 'a key could not be completed', keyId, from, error: String(error) });
      return false;
    }
  }

  /** False when the answer of the peer is about another attempt. */
  async function activateFrom(
    answer: Uint8Array,
    { keyId, session, peer }: { keyId: string; session: SessionId; peer: PartyId },
  ): Promise<boolean> {
    const { record, digests } = certifiedRecord(party, answer);
    if (record.session !== session || record.keyId !== keyId) return false;
    await completeBodies(record, { store: keys.bodies(session), digests }, (index, fits) =>
      exchange.chunk(peer, { keyId, index, fits }),
    );
    await keys.activate({ ...record, epoch: modules.epoch() });
    return true;
  }

  /** A quorum signed COMPLETE, and if this party did, it has all of the key: nobody need have a record. */
  async function activateOwn(session: SessionId, certificate: Certificate): Promise<boolean> {
    const promised = keys.promised(session);
    const digests = await keys.bodies(session).digests();
    if (promised === undefined || digests === undefined) return false;
    const record = { ...promised, certificate: toHex(encodeCertificate(certificate)) };
    verifyRecord(roster, record, digests);
    await keys.activate(record);
    return true;
  }

  function tell(keyId: string, session: SessionId, waitingFor: readonly PartyId[]): void {
    const round = (rounds.get(session) ?? 0) + 1;
    rounds.set(session, round);
    if (round !== PATIENCE_ROUNDS) return;
    const message = 'how a key generation ended is not known yet; its shares are kept, unused';
    log({ level: 'warn', message, keyId, waitingFor });
  }

  return { one, soon };
}

/** Who signed COMPLETE of an attempt, and who never does. */
function createVotes({ roster }: Party, session: SessionId) {
  const completed = new SignatureTally(roster, quorumOf(roster));
  const never = new Set<PartyId>();

  return {
    add(from: PartyId, said: SignedComplete | 'never' | undefined): void {
      if (said === 'never') never.add(from);
      else if (said !== undefined)
        completed.add(from, decisionSubject(session, 'complete', said.digest), said.signature);
    },
    certificate: () => completed.certificate(),
    /** At most t of them lie: without the others there is no quorum. */
    excludeComplete: () => never.size >= quorumOf(roster),
    missing: () => partiesOf(roster).filter((each) => !never.has(each) && !completed.signers.has(each)),
  };
}
