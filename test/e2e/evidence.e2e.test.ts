/** Evidence of a real network: a process that lies from the start is proven, and its own words convict it offline. */
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { tryCli } from '../../scripts/network/node-process.ts';
import { waitFor } from '../../scripts/network/rest.ts';
import { temporaryNetwork } from '../../scripts/network/temporary-network.ts';

const PROVEN_WITHIN_MS = 120_000;
const LIAR = 3;

interface Listed {
  readonly evidence: readonly { readonly id: string; readonly party: number }[];
}

test('a node that lies in preprocessing is convicted before anybody who has network.toml', async () => {
  await using network = await temporaryNetwork();
  await Promise.all(network.nodes.map(({ party }) => network.start(party, party === LIAR ? 'wrong-share' : undefined)));
  const networkFile = join(dirname(network.nodes[0]!.config), 'network.toml');
  for (const party of [1, 2, 4]) {
    const found = await waitFor({ what: `evidence at party ${party}`, withinMs: PROVEN_WITHIN_MS }, async () => {
      const { evidence } = await network.rest(party).get<Listed>('/v1/evidence');
      return evidence[0];
    });
    expect(found.party).toBe(LIAR);
    const file = join(network.dir, 'evidence');
    await writeFile(file, await network.rest(party).bytes(`/v1/evidence/${found.id}`));
    const { status, stdout, stderr } = await tryCli(['verify-evidence', file, '--network', networkFile]);
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(new RegExp(`^party ${LIAR} is proven corrupt`));
    expect(stdout).toContain(`evidence ${found.id}`);
  }
});
