/**
 * Key generation on a disk that fills up. Goal: whichever write fails, the ceremony ends on that node at once and says
 * why, and gives the space back; the others have the key, then that node has it too when there is space again, or a
 * reason, then nothing of the key is left there; and the next key is made. Method: the k-th write of one node and all
 * that follow fail, for shares, first, middle and last chunk, and the digests.
 */
import { forEachSeed } from '@keyquorum/mpc/simulate/seeds';
import type { PartyId } from '@keyquorum/mpc/transport';
import { keySetChoice } from '@keyquorum/tfhe/key-sets';
import { expect, test } from 'vitest';
import { bodyChunks } from '../src/keygen/chunks.ts';
import type { KeyRecord } from '../src/services.ts';
import { type FullDisk, fullDisk } from './support/full-disk.ts';
import {
  askFor,
  checkGenerated,
  checkKey,
  expectNothingLeft,
  startNetwork,
  untilEnded,
  upTo,
} from './support/generation.ts';
import { eventually, type SimulatedNetwork } from './support/network.ts';
import { lastLogs } from './support/ready.ts';

const NEXT_ID = 'cd'.repeat(32);
const CHUNKS = bodyChunks(keySetChoice('test')).length;
/** Writes of a node before the one that fails. */
const WRITES = {
  shares: 0,
  'the first chunk': 1,
  'a middle chunk': 1 + (CHUNKS >> 1),
  'the last chunk': CHUNKS,
  digests: CHUNKS + 1,
};

/** The party gets the key that the others made. */
async function expectCompleted(
  network: SimulatedNetwork,
  party: PartyId,
  { record, where }: { record: KeyRecord | undefined; where: string },
): Promise<void> {
  const services = await network.services(network.sim.party(party));
  await network.sim.run((each) => eventually(each, () => services.keys().length > 0), { limitMs: 300_000 });
  const records = new Map([[party, services.keys()[0]]]);
  expect(records.get(party), where).toBeDefined();
  await checkKey(network, records.set((party % 4) + 1, record), where);
}

test.each(Object.entries(WRITES))('no space for %s', async (what, writes) => {
  await forEachSeed({ runs: 1, file: import.meta.filename, env: process.env }, async (seed) => {
    const victim = 1 + ((seed + writes) % 4);
    const others = upTo(4).filter((party) => party !== victim);
    const where = `seed ${seed}, no space for ${what} at party ${victim}`;
    let disk: FullDisk | undefined;
    const { network } = await startNetwork(
      { seed: `${seed}`, n: 4, t: 1 },
      {
        prepare: (made) => {
          disk = fullDisk(made, victim);
        },
      },
    );
    disk!.fillAfter(writes);
    const startMs = network.sim.now();
    const run = await untilEnded(network, (services, party) => party === others[0] && askFor(services));
    const outcome = run.outcomes[victim - 1]!;
    if (outcome.status !== 'fulfilled') throw new Error(`${where}: ${outcome.status}\n${lastLogs(network)}`);
    const { ceremony, record } = outcome.value;
    expect(ceremony, where).toMatchObject({ state: 'failed', failure: { code: 'STORE_FAILED', culprits: [] } });
    expect(ceremony!.failure!.message, where).toContain('ENOSPC');
    expect(ceremony!.changedMs - startMs, `${where}: at once`).toBeLessThan(15_000);
    expect(record, where).toBeUndefined();
    expect(await network.publics.get(victim)!.names('bodies/'), where).toEqual([]);
    const secret = disk!.refused.filter(({ name }) => name.startsWith('key/'));
    expect(secret.length, where).toBe(what === 'shares' ? 1 : 0);
    for (const { bytes } of secret)
      expect(
        bytes.every((byte) => byte === 0),
        `${where}: shares in memory`,
      ).toBe(true);
    const seen = await checkGenerated({ network, run, corrupt: [victim], honest: others }, where);
    const isMade = seen.every((each) => each.record !== undefined);
    // Before a middle chunk is stored the messages for all that follow are under way.
    expect(isMade, where).toBe(what !== 'shares' && what !== 'the first chunk');

    disk!.free();
    if (isMade) await expectCompleted(network, victim, { record: seen[0]!.record, where });
    else await expectNothingLeft(network, victim, where);
    const next = await untilEnded(network, (services, party) => party === victim && askFor(services, NEXT_ID), {
      id: NEXT_ID,
    });
    await checkGenerated({ network, run: next, corrupt: [], honest: upTo(4) }, `${where}, the next key`);
    for (const { status, ...end } of next.outcomes) {
      expect(status, where).toBe('fulfilled');
      expect(end, where).toMatchObject({ value: { ceremony: { state: 'succeeded' }, record: { keyId: NEXT_ID } } });
    }
  });
});
