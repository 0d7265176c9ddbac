/**
 * The start of an epoch (docs/protocols/prss.md): one PRSS-Init whose keys serve preprocessing until the next epoch.
 * The keys live in the SecretStore; a party that was away takes them from t+1 equal private answers of the members of
 * each set.
 */
import { decode, encode, u32 } from '@keyquorum/codec/codec';
import { fixedBytes, struct, vector } from '@keyquorum/codec/composites';
import type { Party } from '@keyquorum/mpc/party';
import { familyC, subsetsWith } from '@keyquorum/mpc/prss/family';
import { initPrss } from '@keyquorum/mpc/prss/init';
import { PRSS_KEY_BYTES, type PrssKeys, prssKeys } from '@keyquorum/mpc/prss/keys';
import { agreeKeys } from '@keyquorum/mpc/prss/late-keys';
import type { Session } from '@keyquorum/mpc/session';
import type { Exchange, PartyId } from '@keyquorum/mpc/transport';
import { ask } from '../ask.ts';
import { prssInitTimes } from '../ceremony/starting.ts';
import type { SecretStore } from '../storage.ts';

/** Sets of family C that one party is in, at most (n = 13, t = 4: 495). */
const SETS_MAX = 6435;

/** A peer that is silent holds up a start this long. */
const ANSWER_LIMIT_MS = 2_000;

const keyListCodec = vector(struct({ set: u32, key: fixedBytes(PRSS_KEY_BYTES) }), SETS_MAX);
const keysExchange: Exchange = {
  name: 'epoch/keys',
  requestBytesMax: 4,
  responseBytesMax: 8 + SETS_MAX * (4 + PRSS_KEY_BYTES),
};

export interface EpochStart {
  readonly epoch: number;
  readonly context: Uint8Array;
  readonly startMs: number;
  readonly roundMs: number;
}

/** Runs PRSS-Init for the epoch and stores this party's keys. @throws PrssInitError */
export async function startEpoch(session: Session, secrets: SecretStore, start: EpochStart): Promise<PrssKeys> {
  const families = [familyC(session.roster)];
  const init = await initPrss(session, { families, context: start.context, ...prssInitTimes(start, session.t) });
  const keys = init.keys.get('C');
  if (keys === undefined) throw new Error('PRSS-Init made no keys of family C');
  init.contributions.erase(); // epoch keys are never revealed; a burnt session shows keys derived from them
  const encoded = encodeKeys(keys);
  await secrets.put(secretName(start.epoch), encoded);
  encoded.fill(0);
  return keys;
}

/** The stored keys of the epoch, if this party has them. */
export async function loadEpoch(party: Party, secrets: SecretStore, epoch: number): Promise<PrssKeys | undefined> {
  const encoded = await secrets.get(secretName(epoch));
  if (encoded === undefined) return undefined;
  const bySubset = decodeKeys(encoded);
  encoded.fill(0);
  return prssKeys(familyC(party.roster), party.self, bySubset);
}

/** Answers members of common sets: a party learns only keys that it is entitled to. */
export function serveEpochKeys(party: Party, current: () => { epoch: number; keys: PrssKeys } | undefined): void {
  party.transport.serve(keysExchange, async (from, body) => {
    const held = current();
    const epoch = decode(u32, body);
    if (held === undefined || held.epoch !== epoch) throw new Error(`no keys of epoch ${epoch}`);
    const common = subsetsWith(held.keys.family, from).filter((index) => held.keys.bySubset.has(index));
    return encode(
      keyListCodec,
      common.map((set) => ({ set, key: held.keys.bySubset.get(set)! })),
    );
  });
}

/** Catches up with an epoch that started without this party: undefined until t+1 members of every set agree. */
export async function fetchEpoch(
  party: Party,
  secrets: SecretStore,
  { epoch, signal }: { epoch: number; signal: AbortSignal },
): Promise<PrssKeys | undefined> {
  const answers = new Map<PartyId, ReadonlyMap<number, Uint8Array>>();
  const asked = party.connected().map(async (peer) => {
    const question = { to: peer, exchange: keysExchange, body: encode(u32, epoch), limitMs: ANSWER_LIMIT_MS, signal };
    answers.set(peer, decodeKeys(await ask(party, question)));
  });
  await Promise.allSettled(asked); // who refuses, is silent or sends something else has not answered
  const keys = agreeKeys(familyC(party.roster), party.self, answers, party.roster.t);
  if (keys === undefined) return undefined;
  const encoded = encodeKeys(keys);
  await secrets.put(secretName(epoch), encoded);
  encoded.fill(0);
  return keys;
}

function secretName(epoch: number): string {
  return `epoch/${epoch}/prss`;
}

function encodeKeys(keys: PrssKeys): Uint8Array {
  return encode(
    keyListCodec,
    [...keys.bySubset].map(([set, key]) => ({ set, key })),
  );
}

/** Keys of their own buffers. @throws CodecError */
function decodeKeys(encoded: Uint8Array): Map<number, Uint8Array> {
  return new Map(decode(keyListCodec, encoded).map(({ set, key }) => [set, Uint8Array.from(key)]));
}
