/**
 * A party that comes back checks its own PRSS keys before it trusts them (SPEC O12): every batch has a probe, a PRSS
 * value of 64 nibbles that means nothing else. If 2t+1 parties' probe shares lie on one polynomial of degree t and the
 * own share does not, the own keys or the disk are damaged: the node stays silent and alarms, instead of being taken
 * for a liar.
 */
import { fromHex, toHex } from '@keyquorum/mpc/bytes';
import type { Party } from '@keyquorum/mpc/party';
import { eraseKeys, type PrssKeys, sessionKeys } from '@keyquorum/mpc/prss/keys';
import { createPrss } from '@keyquorum/mpc/prss/prss';
import { fromWire, wireBytes } from '@keyquorum/mpc/sharing/algebra';
import { decodeRobust } from '@keyquorum/mpc/sharing/robust';
import type { Exchange, PartyId, SessionId } from '@keyquorum/mpc/transport';
import { ask } from '../ask.ts';
import type { PublicStore } from '../storage.ts';
import { batchesOf, storedBatches } from './batch-list.ts';
import { PROBE_NIBBLES } from './preprocessing.ts';

const PROBE_BYTES = wireBytes('gf16', PROBE_NIBBLES);
const ANSWER_LIMIT_MS = 3_000;
const probeExchange: Exchange = { name: 'pool/probe', requestBytesMax: 32, responseBytesMax: PROBE_BYTES };

/** 'unknown': too few others answered, or they do not agree among themselves. */
export type SelfTestResult = 'right' | 'wrong' | 'unknown';

export interface SelfTest {
  /** Compares this party's keys with those of all that answer, by a batch that they have. */
  run(): Promise<SelfTestResult>;
}

export interface SelfTestModules {
  /** PRSS keys of the epoch. */
  readonly keys: PrssKeys;
  /** Probes of batches whose record is here are answered, no others. */
  readonly publics: PublicStore;
  readonly signal: AbortSignal;
}

export function createSelfTest(party: Party, { keys, publics, signal }: SelfTestModules): SelfTest {
  const { kernel, transport, roster } = party;

  function ownProbe(batch: SessionId): Uint8Array {
    const own = sessionKeys(keys, batch);
    const probe = kernel.gf16.pack(createPrss(kernel, own).random16('probe', PROBE_NIBBLES));
    eraseKeys(own);
    return probe;
  }

  transport.serve(probeExchange, async (_from, body) => {
    const batch = toHex(body);
    if (!(await storedBatches(publics)).includes(batch)) throw new Error('no such batch');
    return ownProbe(batch);
  });

  /** The answers of all peers that are up; silence proves nothing. */
  async function fromAll<T>(question: (peer: PartyId) => Promise<T>): Promise<Map<PartyId, T>> {
    const answers = new Map<PartyId, T>();
    const gather = async (peer: PartyId): Promise<void> => {
      const answer = await question(peer).catch(() => undefined);
      if (answer !== undefined) answers.set(peer, answer);
    };
    await Promise.all(party.connected().map(gather));
    return answers;
  }

  /**
   * The batch that most others have; undefined when too few have one for 2t+1 probes. Liars can list what they like.
   */
  async function commonBatch(): Promise<{ batch: SessionId | undefined; answers: number }> {
    const lists = [...(await fromAll((peer) => batchesOf(party, peer, signal))).values()];
    const count = (batch: SessionId): number => lists.filter((list) => list.includes(batch)).length;
    const [batch] = [...new Set(lists.flat())].sort((left, right) => count(right) - count(left));
    const isCommon = batch !== undefined && count(batch) >= 2 * roster.t;
    return { batch: isCommon ? batch : undefined, answers: lists.length };
  }

  return {
    async run() {
      const { batch, answers } = await commonBatch();
      if (answers < 2 * roster.t) return 'unknown';
      if (batch === undefined) return 'right'; // nothing was made yet, so there is nothing to compare with
      const shares = new Map<PartyId, ReturnType<typeof fromWire<'gf16'>>>();
      const body = fromHex(batch);
      const probes = await fromAll((to) =>
        ask(party, { to, exchange: probeExchange, body, limitMs: ANSWER_LIMIT_MS, signal }),
      );
      for (const [id, bytes] of probes.set(party.self, ownProbe(batch))) {
        if (bytes.length === PROBE_BYTES) shares.set(id, fromWire(kernel, 'gf16', bytes, PROBE_NIBBLES));
      }
      const opening = decodeRobust(kernel, 'gf16', shares, roster.t);
      if (opening === undefined) return 'unknown';
      return opening.wrong.includes(party.self) ? 'wrong' : 'right';
    },
  };
}
