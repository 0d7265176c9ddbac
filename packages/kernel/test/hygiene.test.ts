/** No secret outlives a call: after every operation, also a failing one, kernel memory is as it was at creation. */
import { expect, test } from 'vitest';
import { asGf16, asGr64, asGr128, type Gr64, type Gr128 } from '../src/batch.ts';
import { createEvaluator } from '../src/bootstrap.ts';
import { ringContext } from '../src/context.ts';
import { KernelError } from '../src/errors.ts';
import { floodSamples } from '../src/flooding.ts';
import { createGf16 } from '../src/gf16.ts';
import { createGlwe } from '../src/glwe.ts';
import { createKeystream } from '../src/keystream.ts';
import { openingMatrix } from '../src/lagrange.ts';
import { createLwe } from '../src/lwe.ts';
import { createMemory } from '../src/memory.ts';
import { createRing, type Ring } from '../src/ring.ts';
import { instantiate } from '../src/wasm.ts';
import { normalisedWeights, smallWeights } from '../src/weights.ts';
import { seededBytes } from './arbitraries.ts';

const wasm = instantiate();
const memory = createMemory(wasm);
const gr64 = createRing<Gr64>(ringContext(wasm, memory, 'gr64'));
const wide = ringContext(wasm, memory, 'gr128');
const gr128 = createRing<Gr128>(wide);
const gf16 = createGf16(wasm, memory);
const lwe = createLwe(wasm, memory);
const evaluator = createEvaluator(wasm, memory);
const glwe64 = createGlwe<Gr64>(ringContext(wasm, memory, 'gr64'));
const glwe128 = createGlwe<Gr128>(wide);
const bytes = new Uint8Array(wasm.memory.buffer);
const atCreation = bytes.slice();

const COUNT = 512;
const SUBSETS = [
  [1, 2, 3],
  [1, 2, 4],
  [1, 3, 4],
];

function ringCalls<E extends Gr64 | Gr128>(
  ring: Ring<E>,
  name: 'gr64' | 'gr128',
  a: E,
  b: E,
): Record<string, () => unknown> {
  const streams = SUBSETS.map((_, i) => createKeystream(seededBytes(i, 16)));
  const shares = [1, 2, 3, 4].map((point) => ring.evaluate([a, b], point));
  const matrix = openingMatrix([1, 2, 3, 4], 1, name) as unknown as { rows: number; cols: number; elements: E };
  const values = ring.add(ring.mul(a, a), a);
  return {
    add: () => ring.add(a, b),
    mul: () => ring.mul(a, b),
    addScaled: () => ring.addScaled(a, ring.embed(seededBytes(1, ring.bytesPerElement / 4)), b),
    evaluate: () => ring.evaluate([a, b, a], 5),
    multiply: () => ring.multiply(matrix, [a, b]),
    open: () => ring.open(matrix, shares),
    coordinate: () => ring.embed(ring.coordinate(a, 3)),
    isBaseRing: () => ring.isBaseRing(a),
    pack4: () => ring.unpack4(ring.pack4(a)),
    residue: () => ring.residue(a),
    prss: () => ring.prss(streams, smallWeights(SUBSETS, 4, 1), COUNT),
    noise: () => ring.noise(streams[0]!, 18, COUNT),
    wire: () => ring.lowBits(ring.fromWire(ring.toWire(a, 3), 3), 3),
    bitShares: () => ring.bitShares(b, values),
    combineBits: () => ring.combineBits(a, 8),
  };
}

function calls(): [string, () => unknown][] {
  const [a, b] = [asGr64(seededBytes(1, 32 * COUNT)), asGr64(seededBytes(2, 32 * COUNT))];
  const [c, d] = [asGr128(seededBytes(1, 64 * COUNT)), asGr128(seededBytes(2, 64 * COUNT))];
  const [x, y] = [1, 2].map((seed) => asGf16(seededBytes(seed, COUNT).map((byte) => byte & 15))) as [
    ReturnType<typeof asGf16>,
    ReturnType<typeof asGf16>,
  ];
  const streams = SUBSETS.map((_, i) => createKeystream(seededBytes(i, 16)));
  const masks = { read: (byteCount: number) => seededBytes(6, byteCount) };
  const switching = { inputDimension: 64, outputDimension: 5, baseLog: 4, levels: 2 };
  const bits = { inputDimension: 3, polynomialSize: 64, baseLog: 23, centredModulusSwitch: true };
  const lookup = [...Array(16).keys()];
  const others: Record<string, () => unknown> = {
    'gf16 mul': () => gf16.mul(x, y),
    'gf16 evaluate': () => gf16.evaluate([x, y], 7),
    'gf16 prss': () => gf16.prss(streams, normalisedWeights(SUBSETS, 4, 1, 'gf16'), COUNT),
    'gf16 pack': () => gf16.unpack(gf16.pack(x), COUNT),
    'inner products': () => lwe.innerProducts(seededBytes(3, 8 * COUNT), a),
    'wide inner products': () => lwe.innerProducts128(seededBytes(3, 16 * COUNT), c),
    'flood samples': () => floodSamples(wide, streams[0]!, { boundLog2: 110, count: COUNT }),
    'negacyclic product': () => lwe.negacyclicProduct(seededBytes(3, 8 * COUNT), a),
    'GLWE bodies': () => glwe64.prepareKey(a, COUNT).packedBodies(seededBytes(3, 8 * COUNT)),
    'wide GLWE bodies': () => glwe128.prepareKey(c, COUNT).packedBodies(seededBytes(3, 16 * COUNT)),
    'key switching': () =>
      evaluator.keySwitch(a.slice(0, 8 * 65), { ...switching, masks, bodies: a.slice(0, 8 * 128) }),
    bootstrapping: () =>
      evaluator.bootstrap(a.slice(0, 8 * 4), { ...bits, masks, bodies: a.slice(0, 8 * 384) }, lookup),
    Karatsuba: () => lwe.negacyclicProductKaratsuba(seededBytes(3, 8 * COUNT), seededBytes(4, 8 * COUNT)),
  };
  const prefixed = (prefix: string, all: Record<string, () => unknown>): [string, () => unknown][] =>
    Object.entries(all).map(([name, run]) => [`${prefix} ${name}`, run]);
  return [
    ...prefixed('gr64', ringCalls(gr64, 'gr64', a, b)),
    ...prefixed('gr128', ringCalls(gr128, 'gr128', c, d)),
    ...Object.entries(others),
  ];
}

test.each(calls())('%s leaves nothing behind', (_, run) => {
  run();
  expect(Buffer.compare(bytes, atCreation)).toBe(0);
});

test('a call that runs out of memory leaves nothing behind either', () => {
  const secret = new Uint8Array(1 << 20).fill(0xa5);
  const hog = () =>
    memory.use((scratch) => {
      scratch.write(scratch.reserve(secret.length), secret);
      scratch.reserve(1 << 22);
    });
  expect(hog).toThrow(KernelError);
  expect(Buffer.compare(bytes, atCreation)).toBe(0);
});
