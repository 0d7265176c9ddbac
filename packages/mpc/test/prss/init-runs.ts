/**
 * PRSS-Init in the simulator: honest parties run the protocol, corrupt ones follow a script that may change each of
 * their broadcasts, with everything they know at hand. What they learn is kept, to see which keys they can compute.
 */
import { expect } from 'vitest';
import { broadcastAll } from '../../src/agreement/broadcast.ts';
import type { Evidence } from '../../src/agreement/evidence.ts';
import type { Party } from '../../src/party.ts';
import { familyA2, familyC } from '../../src/prss/family.ts';
import {
  initPrss,
  PRSS_INIT_SLOTS,
  type PrssInit,
  prssInitStepMs,
  prssInitSubject,
  prssInitVoteMs,
} from '../../src/prss/init.ts';
import { boxPublicKey, sealBox } from '../../src/prss/init-box.ts';
import { keyOfSet, type Openings, type PrssCommitments } from '../../src/prss/init-contributions.ts';
import { commitTo, type Deliveries, judge, readBox, viewOf } from '../../src/prss/init-judge.ts';
import {
  type Bodies,
  bodyBytesMax,
  type Complaints,
  type Contribution,
  decodeComplaints,
  encodeComplaints,
  encodeContribution,
  encodeKeys,
  OPENING_BYTES,
  othersOf,
} from '../../src/prss/init-messages.ts';
import { bySet, createScope, type InitScope } from '../../src/prss/init-scope.ts';
import { signStatement } from '../../src/runtime/statement.ts';
import type { Run, Simulation } from '../../src/simulate/simulate.ts';
import type { PartyId } from '../../src/transport.ts';

export const SESSION = 'c0'.repeat(32);
export const CONTEXT = new TextEncoder().encode('test');
export const ROUND_MS = 300;
export const LEAD_MS = 50;
const VOTE_MS = 4_000;

/** What a corrupt party may change; each hook returns the body to broadcast, or undefined for silence. */
export interface Script {
  keys?(body: Uint8Array): Uint8Array | undefined;
  contribution?(honest: Contribution, view: Uint8Array, scope: InitScope): Uint8Array | undefined;
  complaints?(tools: {
    readonly view: Uint8Array;
    readonly secretKeys: ReadonlyMap<PartyId, Uint8Array>;
    readonly scope: InitScope;
  }): Uint8Array | undefined;
  /** Parties it sends its vote to; nobody by default. */
  readonly votesTo?: readonly PartyId[];
}

export type Scripts = Readonly<Record<PartyId, Script>>;

/** What one corrupt party has seen. */
interface Seen {
  readonly self: PartyId;
  readonly own: ReadonlyMap<number, Uint8Array>;
  readonly secretKeys: ReadonlyMap<PartyId, Uint8Array>;
  readonly deliveries: Deliveries;
}

export interface InitRun {
  readonly run: Run<PrssInit | undefined>;
  readonly evidence: readonly { readonly by: PartyId; readonly found: Evidence }[];
  readonly scope: InitScope;
  readonly seen: readonly Seen[];
  /** Results of honest parties that have keys. */
  readonly results: ReadonlyMap<PartyId, PrssInit>;
  /** Error codes of honest parties without. */
  readonly failures: ReadonlyMap<PartyId, string>;
}

export interface InitSetup {
  readonly scripts?: Scripts;
  readonly session?: string;
  /** Parties that start later than agreed. */
  readonly lateMs?: Readonly<Record<PartyId, number>>;
}

export async function runInit(sim: Simulation, setup: InitSetup = {}): Promise<InitRun> {
  const { scripts = {}, session: id = SESSION, lateMs = {} } = setup;
  const { roster } = sim;
  const families = [familyC(roster), familyA2(roster)];
  const times = { startMs: sim.now() + LEAD_MS, roundMs: ROUND_MS };
  const deadlineMs = prssInitVoteMs(times, roster.t) + VOTE_MS;
  const evidence: { by: PartyId; found: Evidence }[] = [];
  const seen: Seen[] = [];
  const scope = createScope({ session: id, roster }, families, CONTEXT);
  const run = await sim.run(async (party: Party) => {
    const script = scripts[party.self];
    if (script) {
      seen.push(await followScript(party, { id, scope, times, script }));
      return undefined;
    }
    await party.clock.until(party.clock.now() + (lateMs[party.self] ?? 0));
    const onEvidence = (found: Evidence) => evidence.push({ by: party.self, found });
    return initPrss(party.open(id), { families, context: CONTEXT, ...times, deadlineMs, onEvidence });
  });
  const results = new Map<PartyId, PrssInit>();
  const failures = new Map<PartyId, string>();
  run.outcomes.forEach((outcome, index) => {
    if (outcome.status === 'fulfilled' && outcome.value) results.set(index + 1, outcome.value);
    else if (outcome.status === 'rejected') failures.set(index + 1, codeOf(outcome.reason));
    else if (outcome.status !== 'fulfilled') failures.set(index + 1, outcome.status);
  });
  return { run, evidence, scope, seen, results, failures };
}

function codeOf(reason: unknown): string {
  if (reason instanceof Error && 'code' in reason) return String(reason.code);
  throw reason;
}

interface Task {
  readonly id: string;
  readonly scope: InitScope;
  readonly times: { readonly startMs: number; readonly roundMs: number };
  readonly script: Script;
}

async function followScript(party: Party, { id, scope, times, script }: Task): Promise<Seen> {
  const { self } = party;
  const session = party.open(id);
  const secretKeys = new Map(othersOf(scope, self).map((sender) => [sender, session.random(32)]));
  const sets = scope.common(self, self);
  const own = bySet(sets, session.random(sets.length * OPENING_BYTES), OPENING_BYTES)!;
  const send = (step: 0 | 1 | 2, body: Uint8Array | undefined): Promise<Bodies> =>
    broadcastAll(session, PRSS_INIT_SLOTS[step], body, {
      startMs: prssInitStepMs(times, session.t, step),
      roundMs: times.roundMs,
      bytesMax: bodyBytesMax(scope)[step],
    });

  const keys = encodeKeys({
    nonce: session.random(32),
    keys: new Map([...secretKeys].map(([sender, secretKey]) => [sender, boxPublicKey(secretKey)])),
  });
  const first = await send(0, script.keys ? script.keys(keys) : keys);
  const honest: Contribution = {
    commitments: new Map(sets.map((set) => [set.number, commitTo(scope, self, set, own.get(set.number)!)])),
    boxes: new Map(
      [...judge(scope, [first]).announcements].flatMap(([receiver, { keys: theirs }]) => {
        const key = theirs.get(self);
        if (!key) return [];
        const content = Buffer.concat(scope.common(self, receiver).map(({ number }) => own.get(number)!));
        const owners = { scope: scope.digest, sender: self, receiver };
        return [[receiver, sealBox(owners, key, session.random(32), content)] as const];
      }),
    ),
  };
  const view = viewOf(scope, [first]);
  const second = await send(
    1,
    script.contribution ? script.contribution(honest, view, scope) : encodeContribution(view, honest),
  );
  const nextView = viewOf(scope, [first, second]);
  const tools = { view: nextView, secretKeys, scope };
  const third = await send(2, script.complaints ? script.complaints(tools) : encodeComplaints(nextView, new Map()));
  const deliveries = [first, second, third];
  const transcript = viewOf(scope, deliveries);
  const vote = Uint8Array.of(...transcript, ...signStatement(session, prssInitSubject(id, transcript)));
  for (const to of script.votesTo ?? []) session.send(to, 'prss-init/vote', vote);
  return { self, own, secretKeys, deliveries };
}

/** All honest parties ended with one transcript, and all members of a set with one key. Returns one of the results. */
export function expectAgreement({ results, failures, scope }: InitRun, honest: readonly PartyId[]): PrssInit {
  expect([...failures]).toEqual([]);
  expect([...results.keys()]).toEqual(expect.arrayContaining([...honest]));
  expectEqualKeys(results, scope);
  return [...results.values()][0]!;
}

/** Whoever has keys has the certified ones. */
export function expectEqualKeys(results: ReadonlyMap<PartyId, PrssInit>, scope: InitScope): void {
  const [first] = results.values();
  for (const result of results.values()) {
    expect(result.transcript).toEqual(first!.transcript);
    expect(result.proven).toEqual(first!.proven);
  }
  for (const { family, index, members } of scope.sets) {
    const keys = members.flatMap((member) => results.get(member)?.keys.get(family.name)?.bySubset.get(index) ?? []);
    const spelled = new Set(keys.map((key) => Buffer.from(key).toString('hex')));
    expect(spelled.size).toBeLessThanOrEqual(1);
  }
}

/**
 * Everything the corrupt parties together know of the contributions: their own, those in boxes to them, and those in
 * boxes whose key somebody published.
 */
export function coalitionOpenings({ seen, scope }: InitRun, commitments: PrssCommitments): Openings {
  const known = new Map<PartyId, Map<number, Uint8Array>>();
  const learn = (sender: PartyId, openings: ReadonlyMap<number, Uint8Array> | undefined) => {
    const ofSender = known.get(sender) ?? new Map<number, Uint8Array>();
    known.set(sender, ofSender);
    for (const [number, opening] of openings ?? []) ofSender.set(number, opening);
  };
  const open = (deliveries: Deliveries, sender: PartyId, receiver: PartyId, secretKey: Uint8Array) => {
    const box = judge(scope, deliveries.slice(0, 2)).contributions.get(sender)?.boxes.get(receiver);
    const ofSender = commitments.bySender.get(sender);
    if (box && ofSender) learn(sender, readBox(scope, { sender, receiver, secretKey, box, commitments: ofSender }));
  };
  for (const { self, own, secretKeys, deliveries } of seen) {
    learn(self, own);
    for (const [sender, secretKey] of secretKeys) open(deliveries, sender, self, secretKey);
    for (const [complainer, sender, secretKey] of published(scope, deliveries)) {
      open(deliveries, sender, complainer, secretKey);
    }
  }
  return known;
}

/** One-time keys in complaints: who complained, about whom, the key. */
export function published(scope: InitScope, [, , third = new Map()]: Deliveries): [PartyId, PartyId, Uint8Array][] {
  return [...third].flatMap(([complainer, body]) => {
    const complaints: Complaints = decodeComplaints(scope, complainer, body) ?? new Map();
    return [...complaints].map(([sender, key]): [PartyId, PartyId, Uint8Array] => [complainer, sender, key]);
  });
}

/** The coalition cannot compute the key of any all-honest set, although some member contributed to each. */
export function expectSecret(run: InitRun, commitments: PrssCommitments, corrupt: readonly PartyId[]): void {
  const openings = coalitionOpenings(run, commitments);
  for (const { number, members } of run.scope.sets) {
    if (members.some((member) => corrupt.includes(member))) continue;
    expect(members.some((member) => commitments.bySender.has(member))).toBe(true);
    expect(keyOfSet(commitments, number, openings)).toBeUndefined();
  }
}
