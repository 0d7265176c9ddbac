import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseEvents } from '../network/rest.ts';

const STREAM =
  ': heartbeat\n\nevent: ceremony\ndata: {"done":1}\n\ndata:{"done":2}\n\nevent: ceremony\ndata: unfinished';

test('events come out the same however the stream is cut', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(STREAM.length), { maxLength: 10 }), async (cuts) => {
      const edges = [0, ...cuts.sort((left, right) => left - right), STREAM.length];
      const chunks = edges.slice(1).map((end, index) => STREAM.slice(edges[index], end));
      const events: unknown[] = [];
      for await (const event of parseEvents(chunksOf(chunks))) events.push(event);
      expect(events).toEqual([
        { event: 'ceremony', data: '{"done":1}' },
        { event: 'message', data: '{"done":2}' },
      ]);
    }),
  );
});

async function* chunksOf(chunks: readonly string[]): AsyncGenerator<string> {
  yield* chunks;
}
