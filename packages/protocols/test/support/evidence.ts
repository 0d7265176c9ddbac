/** Evidence from networks in which somebody lies, and the judge of it: another process, which has the roster only. */
import { LABELS } from '@keyquorum/mpc/labels';
import { partiesOf, type Roster } from '@keyquorum/mpc/roster';
import { SIGNATURE_BYTES, signStatement, subjectOf } from '@keyquorum/mpc/runtime/statement';
import { type FaultStrategy, type Faults, intercept } from '@keyquorum/mpc/simulate/strategy';
import type { PartyId } from '@keyquorum/mpc/transport';
import { expect } from 'vitest';
import { EVIDENCE_FILE_BYTES_MAX } from '../../src/evidence/file.ts';
import type { EvidenceSummary } from '../../src/evidence/summary.ts';
import { verifyMessageEvidence } from '../../src/evidence/verify.ts';
import { discreet } from './discreet.ts';
import { kernel } from './kernel.ts';
import { createNetwork, eventually, LIMITS, type SimulatedNetwork } from './network.ts';
import { lastLogs } from './ready.ts';

const BUNDLES = 16;
const LIMIT_MS = 400_000;

/** What `network.toml` says of the parties. */
export function rosterOf({ sim: { roster } }: SimulatedNetwork): Roster {
  return { ...roster, publicKeys: roster.publicKeys.map((key) => Uint8Array.from(key)) };
}

export function judge(network: SimulatedNetwork, file: Uint8Array): EvidenceSummary {
  return verifyMessageEvidence(kernel, rosterOf(network), file);
}

/** All files that a party keeps. */
export async function filesOf(network: SimulatedNetwork, party: PartyId): Promise<Uint8Array[]> {
  const publics = network.publics.get(party)!;
  return Promise.all((await publics.names('evidence/')).map(async (name) => (await publics.get(name))!));
}

/** Every honest party keeps evidence of all liars, and of nobody else, and lists it; returns all summaries. */
export async function convicted(
  network: SimulatedNetwork,
  liars: readonly PartyId[],
  where: string,
): Promise<EvidenceSummary[]> {
  const all = [];
  for (const party of partiesOf(network.sim.roster).filter((each) => !liars.includes(each))) {
    const files = await filesOf(network, party);
    for (const file of files) expect(file.length).toBeLessThan(EVIDENCE_FILE_BYTES_MAX);
    const summaries = files.map((file) => judge(network, file));
    const say = `${where}: party ${party}\n${lastLogs(network)}`;
    expect(new Set(summaries.map(({ party: liar }) => liar)), say).toEqual(new Set(liars));
    const services = await network.services(network.sim.party(party));
    const listed = (await services.evidence()).map(({ id, size, ...summary }) => summary);
    expect(new Set(listed.map((each) => JSON.stringify(each)))).toEqual(
      new Set(summaries.map((each) => JSON.stringify(each))),
    );
    all.push(...summaries);
  }
  return all;
}

/** What any honest party keeps as evidence convicts a corrupt one, before somebody who has only the roster. */
export async function checkEvidence(
  network: SimulatedNetwork,
  { honest, corrupt }: { honest: readonly PartyId[]; corrupt: readonly PartyId[] },
  where: string,
): Promise<void> {
  for (const party of honest) {
    for (const file of await filesOf(network, party)) {
      expect(corrupt, `${where}: evidence of party ${party}`).toContain(judge(network, file).party);
    }
  }
}

/** The same lies, in the messages of these steps only, and nothing that gives them away. */
export function inSteps(strategy: FaultStrategy, steps: RegExp): FaultStrategy {
  const told = discreet(strategy);
  return {
    name: `${strategy.name} in ${steps}`,
    wrap: (transport, tools) => {
      const codecs = tools.codecs.map((codec) => ({
        ...codec,
        matches: (tag: string) => steps.test(tag) && codec.matches(tag),
      }));
      return told.wrap(transport, { ...tools, codecs });
    },
  };
}

/** Shows wrong secrets in a burn, signed like true ones or not. */
export function wrongReveals({ signed }: { signed: boolean }): FaultStrategy {
  return {
    name: `shows wrong secrets, ${signed ? 'signed' : 'unsigned'}`,
    wrap: (transport, tools) =>
      intercept(transport, {
        send(to, envelope, inner) {
          if (!/\/reveal$/.test(envelope.tag)) return inner.send(to, envelope);
          const secrets = envelope.body.slice(SIGNATURE_BYTES).fill(7);
          const { session, tag } = envelope;
          const subject = subjectOf({ domain: LABELS.message, session, tag, receiver: 0 }, secrets);
          const signature = signed ? signStatement(tools, subject) : envelope.body.subarray(0, SIGNATURE_BYTES);
          inner.send(to, { ...envelope, body: Uint8Array.of(...signature, ...secrets) });
        },
      }),
  };
}

/** Preprocessing in which these parties lie, until the pool of all others is full. */
export async function poolWithLiars(
  size: { seed: string; n: number; t: number },
  faults: Faults,
): Promise<SimulatedNetwork> {
  const network = createNetwork({ ...size, faults }, { ...LIMITS, poolTarget: BUNDLES, batchBundles: BUNDLES });
  await network.sim.run(
    async (party) => {
      const services = await network.services(party);
      if (!(party.self in faults)) await eventually(party, () => services.pool().available >= BUNDLES, 500);
    },
    { limitMs: LIMIT_MS },
  );
  return network;
}
