/** Square-root bits and shared pairs as all parties make them together from PRSS keys. */
import { decodeGr64, decodeGr128 } from '@keyquorum/kernel/gr';
import { describe, expect, test } from 'vitest';
import { familyC } from '../../src/prss/family.ts';
import { createPrss } from '../../src/prss/prss.ts';
import {
  type BitAlgebra,
  type BitFormat,
  bitMessage,
  bitMessageBytes,
  bitValues,
  finishBits,
  readBitMessage,
} from '../../src/sharing/bits.ts';
import { decodeDetected } from '../../src/sharing/detected.ts';
import { decodeRobust } from '../../src/sharing/robust.ts';
import { finishPairs, pairsMessage } from '../../src/sharing/triples.ts';
import { createPrng } from '../../src/simulate/prng.ts';
import { keysOfAll } from '../prss/keys-of-all.ts';
import { add, kernel, partiesUpTo, randomBatch, SIZES } from './sharings.ts';

const COUNT = 96;
const FORMATS: BitFormat<BitAlgebra>[] = [
  ...[8, 7, 3, 1].map((coefficientBytes) => ({ algebra: 'gr64', count: COUNT, coefficientBytes }) as const),
  { algebra: 'gr128', count: COUNT, coefficientBytes: 16 },
];
const CASES = SIZES.flatMap((size) => FORMATS.map((format) => ({ ...size, ...format })));

describe.each(CASES)('bits in $algebra mod 256^$coefficientBytes, n=$n, t=$t', ({ n, t, ...format }) => {
  const { algebra, coefficientBytes } = format;
  const expected = partiesUpTo(n);
  const made = [...keysOfAll(familyC({ n, t }), 'bits').values()].map((keys) =>
    bitMessage(kernel, createPrss(kernel, keys), 'test', format),
  );
  const read = (messages: readonly Uint8Array[]) =>
    new Map(messages.map((message, index) => [index + 1, readBitMessage(kernel, message, format)]));
  const opening = decodeDetected(kernel, algebra, read(made.map(({ message }) => message)), { expected, t });
  if (opening.kind !== 'opened') throw new Error(opening.kind);
  const values = bitValues(kernel, opening.values, format);
  const shares = made.map(({ a }) => finishBits(kernel, a, values, format));

  test('messages have the promised length', () => {
    for (const { message } of made) expect(message).toHaveLength(bitMessageBytes(format));
    expect(values).toHaveLength(bitMessageBytes(format));
  });

  /** The secrets modulo 256^coefficientBytes, from shares that are only exact modulo that. */
  const open = (batches: readonly Uint8Array[]) => {
    const ring = kernel[algebra as 'gr64'];
    const scaled = batches.map((batch) =>
      ring.fromWire(ring.toWire(batch as never, coefficientBytes), coefficientBytes),
    );
    return decodeRobust(kernel, algebra, new Map(scaled.map((batch, index) => [index + 1, batch as never])), t);
  };

  test('every bit is 0 or 1, both occur, and the GF(16) residues share the same bits', () => {
    const result = open(shares)!;
    expect(result.wrong).toEqual([]);
    const low = kernel[algebra as 'gr64'].lowBits(result.values as never, coefficientBytes);
    const bits = (algebra === 'gr64' ? decodeGr64(low) : decodeGr128(low as never)).map(String);
    expect(new Set(bits)).toEqual(new Set(['0,0,0,0', '1,0,0,0']));
    const residues = shares.map((batch) => kernel[algebra as 'gr64'].residue(batch as never));
    const small = decodeRobust(kernel, 'gf16', new Map(residues.map((batch, index) => [index + 1, batch])), t)!;
    expect([...small.values].map((bit) => `${bit},0,0,0`)).toEqual(bits);
  });

  test('N18, B4: the other root gives the same message, and is an ordinary wrong share later', () => {
    const ring = kernel[algebra as 'gr64'];
    const zero = ring.zeros(COUNT);
    const minusOne = new Uint8Array(zero.length);
    for (let at = 0; at < minusOne.length; at += zero.length / COUNT)
      minusOne.fill(255, at, at + zero.length / COUNT / 4);
    const other = ring.sub(minusOne as never, made[1]!.a as never); // -1-a
    expect(ring.add(ring.mul(other, other), other)).toEqual(
      ring.add(ring.mul(made[1]!.a as never, made[1]!.a as never), made[1]!.a as never),
    );
    const lied = shares.map((batch, index) =>
      index === 1 ? finishBits(kernel, other as never, values, format) : batch,
    );
    const honest = open(shares)!;
    expect(open(lied)).toEqual({ values: honest.values, wrong: [2] });
  });

  test('N20: one coordinate of one element, its highest bit on the wire: seen', () => {
    const messages = made.map(({ message }) => new Uint8Array(message));
    const at = 17 * 4 * coefficientBytes + coefficientBytes - 1;
    messages[0]![at] = messages[0]![at]! ^ 128;
    expect(decodeDetected(kernel, algebra, read(messages), { expected, t })).toEqual({
      kind: 'inconsistent',
      element: 17,
    });
  });
});

describe.each(SIZES)('shared pairs, n=$n, t=$t', ({ n, t }) => {
  const expected = partiesUpTo(n);
  const made = [...keysOfAll(familyC({ n, t }), 'pairs').values()].map((keys) =>
    pairsMessage(kernel, createPrss(kernel, keys), 'test', COUNT),
  );
  const opened = ([0, 1] as const).map((which) => {
    const shares = new Map(made.map(({ message }, index) => [index + 1, message[which]]));
    const opening = decodeDetected(kernel, 'gf16', shares, { expected, t });
    if (opening.kind !== 'opened') throw new Error(opening.kind);
    return opening.values;
  });
  const pairs = made.map(({ secrets }) => finishPairs(kernel, secrets, [opened[0]!, opened[1]!]));
  const open = (name: keyof (typeof pairs)[0]) =>
    decodeRobust(kernel, 'gf16', new Map(pairs.map((own, index) => [index + 1, own[name]])), t)!.values;

  test('both products are right and of degree t, and the operands are random', () => {
    expect(open('product')).toEqual(kernel.gf16.mul(open('left'), open('right')));
    expect(open('product2')).toEqual(kernel.gf16.mul(open('left'), open('right2')));
    const operands = (['left', 'right', 'right2'] as const).map((name) => String(open(name)));
    expect(new Set([...operands, String(opened[0]), String(opened[1])]).size).toBe(5);
  });

  test('a wrong product message is seen', () => {
    const shares = new Map(made.map(({ message }, index) => [index + 1, message[0]]));
    shares.set(1, add('gf16', shares.get(1)!, randomBatch('gf16', COUNT, createPrng(n))));
    expect(decodeDetected(kernel, 'gf16', shares, { expected, t })).toMatchObject({ kind: 'inconsistent' });
  });
});
