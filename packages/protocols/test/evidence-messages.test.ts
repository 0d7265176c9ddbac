/**
 * Evidence is judged by recomputing messages, also by later versions of this software: so what the messages of a
 * session are is part of its label. If a digest below changes, give that label a new number in the labels.ts it stands
 * in, or honest parties of earlier sessions could be convicted of having sent what was right then.
 */
import { sha256, toHex } from '@keyquorum/mpc/bytes';
import { LABELS } from '@keyquorum/mpc/labels';
import { verifyInit } from '@keyquorum/mpc/prss/init-transcript';
import { keySetChoice } from '@keyquorum/tfhe/key-sets';
import { expect, test } from 'vitest';
import { bodyChunks } from '../src/keygen/chunks.ts';
import type { KeygenContent } from '../src/keygen/content.ts';
import { bodyTag } from '../src/keygen/open-bodies.ts';
import { labels } from '../src/labels.ts';
import { announcementOf, createCommittee, type MadeSession, makeBatch, makeKeygen } from './support/made-evidence.ts';

/** SHA-256 over the message of party 2 in each step, from fixed PRSS keys. */
function digestOf(made: MadeSession, steps: readonly string[]): string {
  return toHex(sha256(Buffer.concat(steps.map((step) => sha256(made.right(2, step))))));
}

/** Bits, and the first chunk of every component. */
function stepsOf(parameters: KeygenContent['parameters']): string[] {
  const firsts = bodyChunks(keySetChoice(parameters)).filter(({ firstRow }) => firstRow === 0);
  return ['bits', ...firsts.map(bodyTag)];
}

const keygen = (n: number, t: number, parameters: KeygenContent['parameters']) =>
  makeKeygen(createCommittee(n, t), announcementOf({ parameters, purpose: 'production' }));

test('the messages of a key generation', () => {
  expect({
    label: labels.ceremonySession,
    'test 4/1': digestOf(keygen(4, 1, 'test'), stepsOf('test')),
    'test 7/2': digestOf(keygen(7, 2, 'test'), stepsOf('test')),
    'default 4/1': digestOf(keygen(4, 1, 'default'), stepsOf('default')),
  }).toMatchInlineSnapshot(`
    {
      "default 4/1": "f20facb4d55214abf2d3619c8382f21f1f716f86502289cc058c03737a875657",
      "label": "keyquorum/protocols/ceremony-session/v1",
      "test 4/1": "cd95cf4d56e00a2ce81c7610086b5c83079f553ef7eff6f6959d1b7339243605",
      "test 7/2": "73419ca458a5d542e269980e47bcd4a696e1613ea96aef5f428a737702238016",
    }
  `);
});

test('the broadcasts of a PRSS-Init', () => {
  const transcriptOf = (n: number, t: number): string => {
    const committee = createCommittee(n, t);
    const { ceremony, scope, init } = makeKeygen(committee);
    const { transcript, proven } = verifyInit({ scope, roster: committee.roster, session: ceremony.session }, init)!;
    expect(proven).toEqual([]);
    return toHex(transcript);
  };
  expect({ label: LABELS.prssScope, '4/1': transcriptOf(4, 1), '7/2': transcriptOf(7, 2) }).toMatchInlineSnapshot(`
    {
      "4/1": "06bb015fd8045fe62ff168cadaecf59f26e9c8c0d02412fab7298e80a0019f9b",
      "7/2": "f32cbdce094461579a2f8f1efc5cab291a9e8a22bb6f853b645e610310074083",
      "label": "keyquorum/mpc/prss-scope/v1",
    }
  `);
});

test('the messages of a preprocessing batch', () => {
  expect({
    label: labels.poolSession,
    '4/1': digestOf(makeBatch(createCommittee(4, 1)), ['share']),
    '7/2': digestOf(makeBatch(createCommittee(7, 2)), ['share']),
  }).toMatchInlineSnapshot(`
    {
      "4/1": "1950a1efa9cf5740156b276f7c6f71374518eab1666c79d0031ddaac2eff6f54",
      "7/2": "ad299f95cd298c279ab756fd0a0a53f9c0b1af1d8cb14c1afc955fa4be7eb4bb",
      "label": "keyquorum/protocols/pool-session/v1",
    }
  `);
});
