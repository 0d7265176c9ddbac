/**
 * The start of an epoch (docs/protocols/prss.md): one PRSS-Init whose keys serve preprocessing until the next epoch.
 * The keys live in the SecretStore; a party that was away takes them from t+1 equal private answers of the members of
 * each set.
 */
import { decode, encode, u32 } from '@keyquorum/codec/codec';
import { fixedBytes, struct, vector } from '@keyquorum/codec/composites';
import { fromHex, toHex } from '@keyquorum/mpc/bytes';
import type { Party } from '@keyquorum/mpc/party';
import { familyC, subsetsWith } from '@keyquorum/mpc/prss/family';
import { createScope, type InitScope } from '@keyquorum/mpc/prss/init-scope';
import { PRSS_KEY_BYTES, type PrssKeys, prssKeys } from '@keyquorum/mpc/prss/keys';
import { agreeKeys } from '@keyquorum/mpc/prss/late-keys';
import type { Roster } from '@keyquorum/mpc/roster';
import type { Session } from '@keyquorum/mpc/session';
import type { Exchange, PartyId, SessionId } from '@keyquorum/mpc/transport';
import { ask } from '../ask.ts';
import { type AnnouncedInit, initAnnounced } from '../ceremony/announced-init.ts';
import type { SecretStore } from '../storage.ts';

/** Sets of family C that one party is in, at most (n = 13, t = 4: 495). */
const SETS_MAX = 6435;

/** A peer that is silent holds up a start this long. */
const ANSWER_LIMIT_MS = 2_000;

const START_BYTES = 32;
/** The PRSS-Init that made the keys, and one key for each of some sets. */
const epochCodec = struct({
  start: fixedBytes(START_BYTES),
  keys: vector(struct({ set: u32, key: fixedBytes(PRSS_KEY_BYTES) }), SETS_MAX),
});
const keysExchange: Exchange = {
  name: 'epoch/keys',
  requestBytesMax: 4,
  responseBytesMax: START_BYTES + 8 + SETS_MAX * (4 + PRSS_KEY_BYTES),
};

/** PRSS keys of an epoch, family C. */
export interface EpochKeys {
  readonly epoch: number;
  /**
   * The session of the PRSS-Init that made them. A session certifies one view, so parties with keys of one start have
   * the same; two starts of one epoch may both be certified when messages are late.
   */
  readonly start: SessionId;
  readonly keys: PrssKeys;
}

/** What the parties announce for the start of an epoch: its number. */
export function encodeEpochContent(epoch: number): Uint8Array {
  return encode(u32, epoch);
}

/** @throws CodecError */
export function decodeEpochContent(content: Uint8Array): number {
  return decode(u32, content);
}

function epochFamilies(roster: Roster) {
  return [familyC(roster)] as const;
}

/** What the PRSS-Init of a start is about; `context` is the announced content. */
export function epochScope(roster: Roster, session: SessionId, context: Uint8Array): InitScope {
  return createScope({ session, roster }, epochFamilies(roster), context);
}

/**
 * Runs PRSS-Init for the announced epoch and stores this party's keys. @throws PrssInitError, the session's reason, or
 * what the disk says
 */
export async function startEpoch(
  session: Session,
  secrets: SecretStore,
  start: Omit<AnnouncedInit, 'families'>,
): Promise<EpochKeys> {
  const init = await initAnnounced(session, { ...start, families: epochFamilies(session.roster) });
  const keys = init.keys.get('C');
  if (keys === undefined) throw new Error('PRSS-Init made no keys of family C');
  init.contributions.erase(); // epoch keys are never revealed; a burnt session shows keys derived from them
  const made = { epoch: decodeEpochContent(start.announcement.content), start: session.id, keys };
  await storeEpoch(secrets, made);
  return made;
}

/** Durable when it resolves. */
export async function storeEpoch(secrets: SecretStore, epoch: EpochKeys): Promise<void> {
  const encoded = encodeEpoch(epoch, [...epoch.keys.bySubset.keys()]);
  await secrets.put(secretName(epoch.epoch), encoded);
  encoded.fill(0);
}

/** The stored keys of the epoch, if this party has them. */
export async function loadEpoch(party: Party, secrets: SecretStore, epoch: number): Promise<EpochKeys | undefined> {
  const encoded = await secrets.get(secretName(epoch));
  if (encoded === undefined) return undefined;
  const { start, bySubset } = decodeEpoch(encoded);
  encoded.fill(0);
  return { epoch, start, keys: prssKeys(familyC(party.roster), party.self, bySubset) };
}

/** Answers members of common sets: a party learns only keys that it is entitled to. */
export function serveEpochKeys(party: Party, current: () => EpochKeys | undefined): void {
  party.transport.serve(keysExchange, async (from, body) => {
    const held = current();
    const epoch = decode(u32, body);
    if (held === undefined || held.epoch !== epoch) throw new Error(`no keys of epoch ${epoch}`);
    const common = subsetsWith(held.keys.family, from).filter((index) => held.keys.bySubset.has(index));
    return encodeEpoch(held, common);
  });
}

/** The keys of an epoch from the others: undefined until t+1 members of every set agree, all about one start. */
export async function fetchEpoch(
  party: Party,
  { epoch, signal }: { epoch: number; signal: AbortSignal },
): Promise<EpochKeys | undefined> {
  const answers = new Map<SessionId, Map<PartyId, ReadonlyMap<number, Uint8Array>>>();
  const asked = party.connected().map(async (peer) => {
    const question = { to: peer, exchange: keysExchange, body: encode(u32, epoch), limitMs: ANSWER_LIMIT_MS, signal };
    const { start, bySubset } = decodeEpoch(await ask(party, question));
    answers.set(start, (answers.get(start) ?? new Map()).set(peer, bySubset));
  });
  await Promise.allSettled(asked); // who refuses, is silent or sends something else has not answered
  for (const [start, ofStart] of answers) {
    const keys = agreeKeys(familyC(party.roster), party.self, ofStart, party.roster.t);
    if (keys !== undefined) return { epoch, start, keys };
  }
  return undefined;
}

function secretName(epoch: number): string {
  return `epoch/${epoch}/prss`;
}

function encodeEpoch({ start, keys }: EpochKeys, sets: readonly number[]): Uint8Array {
  return encode(epochCodec, {
    start: fromHex(start),
    keys: sets.map((set) => ({ set, key: keys.bySubset.get(set)! })),
  });
}

/** Keys of their own buffers. @throws CodecError */
function decodeEpoch(encoded: Uint8Array): { start: SessionId; bySubset: Map<number, Uint8Array> } {
  const { start, keys } = decode(epochCodec, encoded);
  return { start: toHex(start), bySubset: new Map(keys.map(({ set, key }) => [set, Uint8Array.from(key)])) };
}
