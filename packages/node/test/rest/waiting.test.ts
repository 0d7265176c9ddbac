/** Places for callers that wait: bounded in all and for each, given back once, and never all of them one caller's. */
import { expect, test } from 'vitest';
import { createWaiting, STRANGERS } from '../../src/rest/waiting.ts';

const busy = expect.objectContaining({ code: 'BUSY' });

test('strangers leave half of the places to requesters, and a requester leaves half to others', () => {
  const { enter } = createWaiting(4);
  const strangers = [enter(STRANGERS), enter(STRANGERS)];
  expect(() => enter(STRANGERS)).toThrow(busy);
  const own = [enter('one'), enter('two')];
  expect(() => enter('three')).toThrow(busy);
  for (const leave of strangers) leave();
  enter('one');
  expect(() => enter('one')).toThrow(busy);
  own[1]!();
  own[1]!(); // a second time changes nothing
  enter(STRANGERS);
  enter('three');
  expect(() => enter('four')).toThrow(busy);
});

test('a wait takes a place of its caller until it ends', async () => {
  const { enter, until } = createWaiting(2);
  let wake: () => void = () => undefined;
  const subscribe = (woken: () => void) => {
    wake = woken;
    return () => undefined;
  };
  const waited = until(subscribe, { caller: 'one', seconds: 60, signal: new AbortController().signal });
  expect(() => enter('one')).toThrow(busy);
  wake();
  await waited;
  enter('one')();
});
