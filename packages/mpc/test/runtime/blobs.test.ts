import { describe, expect, test } from 'vitest';
import { sha256 } from '../../src/bytes.ts';
import type { Party } from '../../src/party.ts';
import type { Session } from '../../src/session.ts';
import { type SimulateOptions, simulate } from '../../src/simulate/simulate.ts';
import { TransportError } from '../../src/transport.ts';
import { withoutKernel } from '../without-kernel.ts';

const SESSION = '5e'.repeat(32);
const base: SimulateOptions = { seed: 3, n: 4, t: 1, kernel: withoutKernel, reorder: false };

const bytes = (...values: number[]) => Uint8Array.from(values);
const passed = (party: Party, ms: number) => party.clock.until(party.clock.now() + ms);

describe('offer and fetch', () => {
  const BODY = bytes(1, 2, 3);
  const fetchFrom = async (offers: (party: Party, session: Session) => void, cut: number[] = []) => {
    const sim = simulate(base);
    if (cut.length > 0) sim.partition([[1, 2, 3, 4].filter((id) => !cut.includes(id))]);
    const { outcomes, elapsedMs } = await sim.run(async (party) => {
      const session = party.open(SESSION);
      if (party.self !== 1) return void offers(party, session);
      await passed(party, 10);
      return session.fetch(sha256(BODY), [2, 3, 4], 3).catch((error: unknown) => error);
    });
    const [outcome] = outcomes;
    return { value: outcome?.status === 'fulfilled' ? outcome.value : outcome, elapsedMs };
  };

  test('gives the bytes of whoever has them', async () => {
    const { value } = await fetchFrom((party, session) => {
      if (party.self === 4) expect(session.offer(BODY)).toEqual(sha256(BODY));
    });
    expect(value).toEqual(BODY);
  });

  test('passes over a party that does not answer or answers with other bytes', async () => {
    const { value, elapsedMs } = await fetchFrom(({ self, transport }, session) => {
      const exchange = { name: 'blob', requestBytesMax: 64, responseBytesMax: 100 };
      if (self === 2) transport.serve(exchange, () => new Promise(() => undefined));
      if (self === 3) transport.serve(exchange, async () => bytes(9));
      if (self === 4) session.offer(BODY);
    });
    expect(value).toEqual(BODY);
    expect(elapsedMs).toBeLessThan(500);
  });

  test('rejects when nobody has them, or the only one is cut off', async () => {
    expect((await fetchFrom(() => undefined)).value).toMatchObject({ code: 'BLOB_UNAVAILABLE' });
    const alone = await fetchFrom((party, session) => void (party.self === 4 && session.offer(BODY)), [4]);
    expect(alone.value).toMatchObject({ code: 'BLOB_UNAVAILABLE' });
  });

  test('a closed session offers nothing', async () => {
    const { value } = await fetchFrom((_party, session) => {
      session.offer(BODY);
      session.close();
    });
    expect(value).toMatchObject({ code: 'BLOB_UNAVAILABLE' });
  });

  test('a request to a party that is down fails at once', async () => {
    const sim = simulate(base);
    sim.crash(2);
    const exchange = { name: 'status', requestBytesMax: 1, responseBytesMax: 1 };
    const { outcomes } = await sim.run(async ({ transport }) =>
      transport.request(2, exchange, bytes(), new AbortController().signal),
    );
    expect(outcomes[0]).toMatchObject({
      status: 'rejected',
      reason: new TransportError('PEER_DOWN', 2, 'status: party 2 is down'),
    });
  });
});
