/** What browsers are told: pages of the configured origins may read answers, others nothing. */
import { expect, test } from 'vitest';
import { startCommittee } from '../../client/test/support/test-node.ts';
import { startService } from './support/running-service.ts';

const APP = 'https://app.example.org';
const EVIL = 'https://evil.example';

test.each([
  ['with origins', [APP], [APP, undefined]],
  ['without', [], [undefined, undefined]],
])('%s: who may ask and read', async (_, origins, allowed) => {
  await using net = await startCommittee({});
  await using service = await startService({ committee: net.committee, origins });
  const preflight = (origin: string) =>
    service.app.inject({
      method: 'OPTIONS',
      url: `/v1/ciphertexts/${'00'.repeat(32)}`,
      headers: { origin, 'access-control-request-method': 'PUT' },
    });
  const live = (origin: string) => service.app.inject({ url: '/health/live', headers: { origin } });
  for (const ask of [preflight, live]) {
    const answers = [await ask(APP), await ask(EVIL)];
    expect(answers.map(({ headers }) => headers['access-control-allow-origin'])).toEqual(allowed);
  }
  if (origins.length > 0) {
    const { headers } = await preflight(APP);
    expect(headers['access-control-allow-methods']).toBe('GET, HEAD, POST, PUT');
  }
});
