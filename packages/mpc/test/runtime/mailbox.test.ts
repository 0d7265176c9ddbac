import { describe, expect, test } from 'vitest';
import type { Party } from '../../src/party.ts';
import { MAILBOX_LIMITS } from '../../src/runtime/mailbox.ts';
import type { Received, Session } from '../../src/session.ts';
import { type SimulateOptions, simulate } from '../../src/simulate/simulate.ts';
import { TAG_LENGTH_MAX } from '../../src/transport.ts';
import { withoutKernel } from '../without-kernel.ts';

const SESSION = '5e'.repeat(32);
const OTHER = '07'.repeat(32);
const base: SimulateOptions = { seed: 3, n: 4, t: 1, kernel: withoutKernel, reorder: false };

const bytes = (...values: number[]) => Uint8Array.from(values);
const passed = (party: Party, ms: number) => party.clock.until(party.clock.now() + ms);

async function collect(messages: AsyncIterable<Received>): Promise<string[]> {
  const heard: string[] = [];
  for await (const { from, body } of messages) heard.push(`${from}: ${body}`);
  return heard.sort();
}

/** Party 1 runs `observer`, the others send raw envelopes; resolves with what the observer returned and reported. */
async function watch<T>(
  observer: (party: Party) => Promise<T>,
  sender: (party: Party, send: (tag: string, body: Uint8Array, session?: string) => void) => Promise<void>,
  options: Partial<SimulateOptions> = {},
) {
  const sim = simulate({ ...base, ...options });
  const { outcomes, faults } = await sim.run(async (party: Party) => {
    if (party.self === 1) return observer(party);
    await sender(party, (tag, body, session = SESSION) => party.transport.send(1, { session, tag, body }));
    return undefined;
  });
  const [outcome] = outcomes;
  if (outcome?.status !== 'fulfilled') throw new Error(`observer ${JSON.stringify(outcome)}`);
  return { value: outcome.value as T, faults: faults.filter(({ by }) => by === 1).map(({ fault }) => fault) };
}

describe('receive', () => {
  test('messages that came before the session and before the receive are delivered, one per sender', async () => {
    const { value } = await watch(
      async (party) => {
        await passed(party, 500);
        const session = party.open(SESSION);
        await passed(party, 500);
        return collect(session.receive('a', { bytesMax: 1 }));
      },
      async (party, send) => {
        send('a', bytes(party.self));
        send('b', bytes(0));
      },
    );
    expect(value).toEqual(['2: 2', '3: 3', '4: 4']);
  });

  test('an equal repetition is ignored, a different one is reported once and changes nothing', async () => {
    const { value, faults } = await watch(
      async (party) => {
        const heard = await collect(party.open(SESSION).receive('a', { bytesMax: 1 }));
        await passed(party, 500);
        return heard;
      },
      async (party, send) => {
        send('a', bytes(1));
        send('a', bytes(1));
        if (party.self !== 3) return;
        for (const other of [7, 8, 9]) send('a', bytes(other));
      },
    );
    expect(value).toEqual(['2: 1', '3: 1', '4: 1']);
    expect(faults).toMatchObject([{ party: 3, kind: 'equivocation' }]);
  });

  test('a longer body is dropped and reported, and counts as heard', async () => {
    const { value, faults } = await watch(
      (party) => collect(party.open(SESSION).receive('a', { bytesMax: 2 })),
      async (party, send) => send('a', new Uint8Array(party.self === 4 ? 3 : 2)),
    );
    expect(value).toHaveLength(2);
    expect(faults).toMatchObject([{ party: 4, kind: 'malformed' }]);
  });

  test('the deadline ends the iteration; who comes later is reported as late', async () => {
    const { value, faults } = await watch(
      async (party) => {
        const session = party.open(SESSION);
        const heard = await collect(session.receive('a', { bytesMax: 1, deadlineMs: party.clock.now() + 100 }));
        await passed(party, 500);
        return heard;
      },
      async (party, send) => {
        if (party.self === 2) await passed(party, 200);
        send('a', bytes(0));
      },
    );
    expect(value).toHaveLength(2);
    expect(faults).toMatchObject([{ party: 2, kind: 'late' }]);
  });

  test('closing the session makes pending receives throw its reason', async () => {
    const { value } = await watch(
      async (party) => {
        const session = party.open(SESSION);
        const pending = collect(session.receive('a', { bytesMax: 1 }));
        session.close(new Error('burnt'));
        return pending.catch((error: Error) => error.message);
      },
      async () => undefined,
    );
    expect(value).toBe('burnt');
  });

  test('a tag can be received once only', async () => {
    const session = simulate(base).party(1).open(SESSION);
    session.receive('a', { bytesMax: 1 });
    expect(() => session.receive('a', { bytesMax: 1 })).toThrow('called twice');
  });
});

describe('listen', () => {
  test('takes every tag with its prefix, early ones first; the longest prefix and receive win', async () => {
    const { value } = await watch(
      async (party) => {
        const session = party.open(SESSION);
        await passed(party, 500);
        const heard: string[] = [];
        const note =
          (by: string) =>
          (tag: string, { from }: Received) =>
            void heard.push(`${by} ${tag} ${from}`);
        const exact = collect(session.receive('x/exact', { bytesMax: 1 }));
        session.listen('x/', { bytesMax: 1 }, note('short'));
        session.listen('x/y/', { bytesMax: 1 }, note('long'));
        await passed(party, 1_000);
        return [...heard.sort(), ...(await exact)];
      },
      async (party, send) => {
        if (party.self === 2) for (const tag of ['x/1', 'x/y/1', 'z']) send(tag, bytes(0));
        send('x/exact', bytes(5));
        await passed(party, 700);
        if (party.self === 2) send('x/2', bytes(0));
      },
    );
    expect(value).toEqual(['long x/y/1 2', 'short x/1 2', 'short x/2 2', '2: 5', '3: 5', '4: 5']);
  });

  test('remembers a bounded number of tags per peer', async () => {
    const { value, faults } = await watch(
      async (party) => {
        const session = party.open(SESSION);
        let heard = 0;
        session.listen('x/', { bytesMax: 1 }, () => heard++);
        await passed(party, 500);
        return heard;
      },
      async (party, send) => {
        if (party.self !== 2) return;
        for (let tag = 0; tag < 10; tag++) send(`x/${tag}`, bytes(0));
        send('x/9', bytes(1)); // still remembered: equivocation
        send('x/0', bytes(0)); // forgotten: its handler must know by its own numbering
      },
      { limits: { ...MAILBOX_LIMITS, listenedTagsMax: 4 } },
    );
    expect(value).toBe(11);
    expect(faults).toMatchObject([{ party: 2, kind: 'equivocation' }]);
  });

  test('a throwing handler ends the session with its error', async () => {
    const { value } = await watch(
      async (party) => {
        const session = party.open(SESSION);
        session.listen('x', { bytesMax: 1 }, () => {
          throw new Error('our own bug');
        });
        await passed(party, 500);
        return session.signal.reason.message;
      },
      async (_party, send) => send('x', bytes(0)),
    );
    expect(value).toBe('our own bug');
  });
});

describe('limits', () => {
  test('early messages wait within the quota of their sender only', async () => {
    const { value } = await watch(
      async (party) => {
        await passed(party, 500);
        return collect(party.open(SESSION).receive('a', { bytesMax: 10, deadlineMs: party.clock.now() }));
      },
      async (party, send) => {
        if (party.self === 2)
          for (let other = 0; other < 5; other++) send('flood', bytes(0), other.toString(16).repeat(64));
        if (party.self === 3) send('flood', new Uint8Array(2_000), OTHER);
        send('a', bytes(party.self));
      },
      { limits: { ...MAILBOX_LIMITS, earlySessionsMax: 4, earlyBytesMax: 1_000 } },
    );
    expect(value).toEqual(['3: 3', '4: 4']);
  });

  test('early messages of a session that is not opened in time are forgotten', async () => {
    const { value } = await watch(
      async (party) => {
        await passed(party, MAILBOX_LIMITS.earlyAgeMs + 100);
        return collect(party.open(SESSION).receive('a', { bytesMax: 1, deadlineMs: party.clock.now() + 10 }));
      },
      async (_party, send) => send('a', bytes(0)),
    );
    expect(value).toEqual([]);
  });

  test('unclaimed messages of an open session are bounded per sender; the loss is told once', async () => {
    const { value, faults } = await watch(
      async (party) => {
        const session = party.open(SESSION);
        await passed(party, 500);
        return collect(session.receive('last', { bytesMax: 1, deadlineMs: party.clock.now() }));
      },
      async (party, send) => {
        if (party.self === 2) for (let tag = 0; tag < 9; tag++) send(`t${tag}`, bytes(0));
        send('last', bytes(0));
      },
      { limits: { ...MAILBOX_LIMITS, unclaimedMessagesMax: 5 } },
    );
    expect(value).toEqual(['3: 0', '4: 0']);
    expect(faults).toMatchObject([{ party: 2, kind: 'silent' }]);
  });

  test.each([
    ['session id', { session: 'AB'.repeat(32), tag: 'a', body: bytes() }],
    ['tag', { session: SESSION, tag: 'a\n', body: bytes() }],
    ['tag length', { session: SESSION, tag: 'a'.repeat(TAG_LENGTH_MAX + 1), body: bytes() }],
  ])('an envelope with a bad %s is refused and reported', async (_what, envelope) => {
    const { faults } = await watch(
      (party) => passed(party, 100),
      async (party) => {
        if (party.self === 2) party.transport.send(1, envelope);
      },
    );
    expect(faults).toMatchObject([{ party: 2, kind: 'malformed' }]);
  });
});

describe('session ids', () => {
  test('are used once, and closed ones are remembered up to a bound', () => {
    const limits = { ...MAILBOX_LIMITS, closedIdsMax: 2 };
    const party = simulate({ ...base, limits }).party(1);
    const id = (digit: number) => String(digit).repeat(64);
    const open = party.open(id(1));
    expect(() => party.open(id(1))).toThrow(expect.objectContaining({ code: 'SESSION_ID_USED' }));
    open.close();
    expect(() => party.open(id(1))).toThrow(expect.objectContaining({ code: 'SESSION_ID_USED' }));
    party.open(id(2)).close();
    party.open(id(3)).close();
    expect(() => party.open(id(2))).toThrow(expect.objectContaining({ code: 'SESSION_ID_USED' }));
    expect(() => party.open('short')).toThrow(RangeError);
  });

  test('messages for a closed session are not kept', async () => {
    const { value, faults } = await watch(
      async (party) => {
        party.open(SESSION).close();
        await passed(party, 100);
        return 'done';
      },
      async (_party, send) => send('a', bytes(0)),
    );
    expect([value, faults]).toEqual(['done', []]);
  });
});

describe('N27: nothing leaves after the end', () => {
  const sentAfter = async (end: (session: Session, abort: () => void) => void) => {
    const sim = simulate(base);
    const { outcomes } = await sim.run(async (party) => {
      if (party.self !== 1) return undefined;
      const outer = new AbortController();
      const session = party.open(SESSION, { signal: outer.signal });
      // The share of a step that loses a race against the end of its session.
      const loser = passed(party, 50).then(() => session.sendAll('share', bytes(1)));
      end(session, () => outer.abort(new Error('aborted')));
      return loser.then(
        () => 'sent',
        (error: Error) => error.message,
      );
    });
    return { outcome: outcomes[0], sent: sim.traffic.sent().get(1)?.get('share') };
  };

  test('a promise that lost its race sends nothing after close', async () => {
    const { outcome, sent } = await sentAfter((session) => session.close(new Error('burnt')));
    expect(outcome).toEqual({ status: 'fulfilled', value: 'burnt' });
    expect(sent).toBeUndefined();
  });

  test('the signal given to open ends the session at once', async () => {
    const { outcome, sent } = await sentAfter((_session, abort) => abort());
    expect(outcome).toEqual({ status: 'fulfilled', value: 'aborted' });
    expect(sent).toBeUndefined();
  });

  test('a listener that runs before ours on the same signal cannot send', () => {
    const party = simulate(base).party(1);
    const outer = new AbortController();
    let session: Session | undefined;
    let error: unknown;
    outer.signal.addEventListener('abort', () => {
      try {
        session?.send(2, 'share', bytes(1));
      } catch (caught) {
        error = caught;
      }
    });
    session = party.open(SESSION, { signal: outer.signal });
    outer.abort(new Error('aborted'));
    expect(error).toMatchObject({ message: 'aborted' });
  });

  test('a session opened under an aborted signal is closed from the start', () => {
    const session = simulate(base)
      .party(1)
      .open(SESSION, { signal: AbortSignal.abort(new Error('gone')) });
    expect(() => session.sendAll('a', bytes())).toThrow('gone');
    expect(() => session.receive('a', { bytesMax: 1 })).toThrow('gone');
  });

  test('stopping the party closes its sessions', async () => {
    const party = simulate(base).party(1);
    const session = party.open(SESSION);
    await party.stop();
    expect(() => session.sendAll('a', bytes())).toThrow(expect.objectContaining({ code: 'SESSION_CLOSED' }));
  });

  test('sending to oneself, to nobody, or under a bad tag is refused', () => {
    const session = simulate(base).party(1).open(SESSION);
    expect(() => session.send(1, 'a', bytes())).toThrow(RangeError);
    expect(() => session.send(5, 'a', bytes())).toThrow(RangeError);
    expect(() => session.send(2, '', bytes())).toThrow(RangeError);
  });
});
