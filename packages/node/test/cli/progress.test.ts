import fc from 'fast-check';
import { expect, test } from 'vitest';
import { eventsOf } from '../../src/cli/event-stream.ts';
import { createProgress, progressLine } from '../../src/cli/progress.ts';
import type { CeremonyBody } from '../../src/rest/schemas.ts';

const ceremony: CeremonyBody = {
  id: '3f2a9c'.padEnd(64, '0'),
  kind: 'keygen',
  state: 'running',
  phase: 'bits',
  done: 4,
  total: 9,
  startedMs: 0,
  changedMs: 0,
  deadlineMs: 0,
  waitingFor: [],
  etaSeconds: null,
  bytesSent: 41_000_000,
};

test('one line says where a ceremony is, what it cost and what it waits for', () => {
  expect(progressLine({ ...ceremony, etaSeconds: 100 })).toBe(
    'keygen 3f2a9c bits 4/9 - 41.0 MB sent - about 2 min left',
  );
  const stalled = { ...ceremony, waitingFor: [2, 3], etaSeconds: 10 };
  expect(progressLine(stalled)).toBe(
    'keygen 3f2a9c bits 4/9 - 41.0 MB sent - waiting for party 2, 3 - about 10 s left',
  );
  expect(progressLine({ ...ceremony, state: 'succeeded', done: 9 })).toBe('keygen 3f2a9c bits 9/9 - 41.0 MB sent');
});

test('at most one line in five seconds, but each new phase and the end', () => {
  const lines: string[] = [];
  let nowMs = 0;
  const show = createProgress((line) => lines.push(line), { json: true, now: () => nowMs });
  for (nowMs = 0; nowMs < 12_000; nowMs += 1_000) show(ceremony, false);
  show({ ...ceremony, phase: 'erase' }, false);
  show({ ...ceremony, phase: 'erase', state: 'succeeded' }, true);
  expect(lines.map((line) => JSON.parse(line).phase)).toEqual(['bits', 'bits', 'bits', 'erase', 'erase']);
});

test('events come out whole however the bytes are cut', async () => {
  const texts = ['{"a":1}', '{"text":"äöü"}', '{"b":2}'];
  const stream = texts
    .map((text) => `event: ceremony\ndata: ${text}\n\n: still here\n\nevent: other\ndata: x\n\n`)
    .join('');
  const bytes = new TextEncoder().encode(stream);
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat({ max: bytes.length }), { maxLength: 20 }), async (cuts) => {
      const ends = [...cuts.sort((one, other) => one - other), bytes.length];
      const chunks = ends.map((end, index) => bytes.slice(ends[index - 1] ?? 0, end));
      const body = new ReadableStream({
        start(controller) {
          for (const chunk of chunks) controller.enqueue(chunk);
          controller.close();
        },
      });
      const seen: string[] = [];
      for await (const data of eventsOf(new Response(body), 'ceremony')) seen.push(data);
      expect(seen).toEqual(texts);
    }),
  );
});
