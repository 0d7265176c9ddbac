/**
 * Kernel timings through the public facade, copies included.
 * Run: `node packages/kernel/bench/kernel.bench.ts` on Node 24.
 */
import { randomBytes } from 'node:crypto';
import { asGf16, asGr64, asGr128 } from '../src/batch.ts';
import { createKernel, type Kernel } from '../src/kernel.ts';
import { createKeystream, type Keystream } from '../src/keystream.ts';
import { openingMatrix } from '../src/lagrange.ts';
import { type SmallWeights, smallWeights } from '../src/weights.ts';
import { type Row, report } from './measure.ts';

const COUNT = 8192;
const bytes = (length: number): Uint8Array => new Uint8Array(randomBytes(length));

function ringRows({ gr64, gr128 }: Kernel): Row[] {
  const [a, b] = [asGr64(bytes(32 * COUNT)), asGr64(bytes(32 * COUNT))];
  const [c, d] = [asGr128(bytes(64 * COUNT)), asGr128(bytes(64 * COUNT))];
  const values = gr64.add(gr64.mul(a, a), a);
  const wide = gr128.add(gr128.mul(c, c), c);
  return [
    { name: 'gr64 add', items: COUNT, run: () => gr64.add(a, b) },
    { name: 'gr64 mul', items: COUNT, run: () => gr64.mul(a, b), budgetNs: 8 },
    {
      name: 'gr64 mul, one element',
      items: 1,
      run: () => gr64.mul(asGr64(a.subarray(0, 32)), asGr64(b.subarray(0, 32))),
    },
    { name: 'gr64 evaluate, degree 1', items: COUNT, run: () => gr64.evaluate([a, b], 3) },
    { name: 'gr64 bitShares, 8 bytes', items: COUNT, run: () => gr64.bitShares(a, values) },
    { name: 'gr64 bitShares, 1 byte', items: COUNT, run: () => gr64.bitShares(a, values, 1) },
    { name: 'gr64 toWire, 3 bytes', items: COUNT, run: () => gr64.toWire(a, 3) },
    { name: 'gr128 add', items: COUNT, run: () => gr128.add(c, d) },
    { name: 'gr128 mul', items: COUNT, run: () => gr128.mul(c, d), budgetNs: 70 },
    { name: 'gr128 evaluate, degree 1', items: COUNT, run: () => gr128.evaluate([c, d], 3) },
    { name: 'gr128 bitShares, 16 bytes', items: COUNT, run: () => gr128.bitShares(c, wide) },
  ];
}

function openingRows({ gr64, gr128, gf16 }: Kernel): Row[] {
  const shares = (n: number, t: number) => {
    const points = Array.from({ length: n }, (_, i) => i + 1);
    const degrees = Array.from({ length: t + 1 }, (_, k) => k);
    const [p, q] = [degrees.map(() => asGr64(bytes(32 * COUNT))), degrees.map(() => asGr128(bytes(64 * COUNT)))];
    const r = degrees.map(() => asGf16(bytes(COUNT).map((byte) => byte & 15)));
    return {
      points,
      narrow: points.map((point) => gr64.evaluate(p, point)),
      wide: points.map((point) => gr128.evaluate(q, point)),
      field: points.map((point) => gf16.evaluate(r, point)),
    };
  };
  const profiles = [
    { n: 4, t: 1, budgetNs: 60 },
    { n: 7, t: 2 },
    { n: 13, t: 4 },
  ];
  return profiles.flatMap(({ n, t, budgetNs }) => {
    const { points, narrow, wide, field } = shares(n, t);
    const label = `open and check, n=${n} t=${t}`;
    const budget = budgetNs === undefined ? {} : { budgetNs };
    return [
      {
        name: `gr64 ${label}`,
        items: COUNT,
        run: () => gr64.open(openingMatrix(points, t, 'gr64'), narrow),
        ...budget,
      },
      { name: `gr128 ${label}`, items: COUNT, run: () => gr128.open(openingMatrix(points, t, 'gr128'), wide) },
      { name: `gf16 ${label}`, items: COUNT, run: () => gf16.open(openingMatrix(points, t, 'gf16'), field) },
    ];
  });
}

function randomnessRows({ gr64, gr128, gf16, floodSamples }: Kernel): Row[] {
  const profiles = [
    { n: 4, t: 1, budgetNs: 70 },
    { n: 7, t: 2 },
    { n: 13, t: 4 },
  ];
  const rows = profiles.flatMap(({ n, t, budgetNs }): Row[] => {
    const subsets = subsetsWithOne(n, n - t);
    const streams = subsets.map(() => createKeystream(bytes(16)));
    const weights: SmallWeights = smallWeights(subsets, n, 1);
    const budget = budgetNs === undefined ? {} : { budgetNs };
    return [
      { name: `gr64 prss, n=${n} t=${t}`, items: COUNT, run: () => gr64.prss(streams, weights, COUNT), ...budget },
      { name: `gr128 prss, n=${n} t=${t}`, items: COUNT, run: () => gr128.prss(streams, weights, COUNT) },
    ];
  });
  const stream: Keystream = createKeystream(bytes(16));
  const field = [1, 2, 3].map(() => createKeystream(bytes(16)));
  const [x, y] = [1, 2].map(() => asGf16(bytes(COUNT).map((byte) => byte & 15))) as [
    ReturnType<typeof asGf16>,
    ReturnType<typeof asGf16>,
  ];
  return [
    ...rows,
    { name: 'gf16 prss, n=4 t=1', items: COUNT, run: () => gf16.prss(field, Uint8Array.of(3, 5, 7), COUNT) },
    { name: 'gf16 mul', items: COUNT, run: () => gf16.mul(x, y) },
    { name: 'gr64 noise, width 18, per sample', items: 4 * COUNT, run: () => gr64.noise(stream, 18, COUNT) },
    { name: 'gr128 noise, width 31, per sample', items: 4 * COUNT, run: () => gr128.noise(stream, 31, COUNT) },
    {
      name: 'flooding sample',
      items: COUNT,
      run: () => floodSamples(stream, { boundLog2: 110, count: COUNT }),
    },
    { name: 'keystream, per 64 KiB', items: 1, run: () => stream.read(65_536) },
    { name: 'createKeystream', items: 1, run: () => createKeystream(new Uint8Array(16)) },
  ];
}

function lweRows({ lwe }: Kernel): Row[] {
  const rows = 32;
  const key = asGr64(bytes(32 * 2048));
  const masks = bytes(8 * 2048 * rows);
  const row = masks.slice(0, 8 * 2048);
  const wide = [4096, 6144].map((dimension) => {
    const [wideKey, wideMasks] = [asGr128(bytes(64 * dimension)), bytes(16 * dimension * rows)];
    const run = () => lwe.innerProducts128(wideMasks, wideKey);
    return { name: `inner product ${dimension} of 128-bit words, per row`, items: rows, run };
  });
  const short = { row: row.slice(0, 8 * 512), key: asGr64(key.slice(0, 32 * 512)) };
  return [
    {
      name: 'inner product 2048, 32 rows, per row',
      items: rows,
      run: () => lwe.innerProducts(masks, key),
      budgetNs: 4000,
    },
    { name: 'inner product 2048, one row', items: 1, run: () => lwe.innerProducts(row, key) },
    ...wide,
    { name: 'compact mask 2048, per row', items: rows, run: () => lwe.compactMasks(row, 0, rows) },
    { name: 'negacyclic 2048 x 4 components', items: 1, run: () => lwe.negacyclicProduct(row, key) },
    { name: 'negacyclic 512 x 4 components', items: 1, run: () => lwe.negacyclicProduct(short.row, short.key) },
    { name: 'negacyclic 2048, Karatsuba, 1 component', items: 1, run: () => lwe.negacyclicProductKaratsuba(row, row) },
  ];
}

function glweRows({ glwe64, glwe128 }: Kernel): Row[] {
  const rows = 16;
  const keys = [
    { name: 'GLWE body 64 bits, N=2048 k=1', degree: 2048, dimension: 1, wordBytes: 8, budgetNs: 116_000 },
    { name: 'GLWE body 64 bits, N=256 k=4', degree: 256, dimension: 4, wordBytes: 8 },
    { name: 'GLWE body 128 bits, N=2048 k=2', degree: 2048, dimension: 2, wordBytes: 16 },
    { name: 'GLWE body 128 bits, N=1024 k=6', degree: 1024, dimension: 6, wordBytes: 16 },
  ];
  return keys.map(({ name, degree, dimension, wordBytes, budgetNs }) => {
    const key = bytes(4 * wordBytes * degree * dimension);
    const prepared =
      wordBytes === 8 ? glwe64.prepareKey(asGr64(key), degree) : glwe128.prepareKey(asGr128(key), degree);
    const masks = bytes(rows * wordBytes * degree * dimension);
    const budget = budgetNs === undefined ? {} : { budgetNs };
    return { name, items: rows, run: () => prepared.packedBodies(masks), ...budget };
  });
}

/** Per ciphertext, in batches of 16 and of one: the difference is the key's masks and transforms. */
function evaluatorRows({ evaluator }: Kernel): Row[] {
  const dimensions = { inputDimension: 2048, outputDimension: 918, baseLog: 4, levels: 4 };
  const switchBodies = bytes(8 * 2048 * 4);
  const bits = { inputDimension: 918, polynomialSize: 2048, baseLog: 23, centredModulusSwitch: true };
  const bodies = bytes(8 * 918 * 2 * 2048);
  const piece = bytes(256 * 1024); // masks cost nothing here: what they are does not matter
  const masks = { read: (byteCount: number) => piece.subarray(0, byteCount) };
  const lookup = [...Array(16).keys()];
  return [16, 1].flatMap((items) => {
    const [big, small] = [bytes(items * 8 * 2049), bytes(items * 8 * 919)];
    return [
      {
        name: `key switching 2048 -> 918, batch of ${items}`,
        items,
        run: () => evaluator.keySwitch(big, { ...dimensions, masks, bodies: switchBodies }),
      },
      {
        name: `bootstrapping, batch of ${items}`,
        items,
        run: () => evaluator.bootstrap(small, { ...bits, masks, bodies }, lookup),
      },
    ];
  });
}

/** Subsets of `size` of 1..n that contain party 1. */
function subsetsWithOne(n: number, size: number): number[][] {
  const extend = (chosen: number[], from: number): number[][] =>
    chosen.length === size
      ? [chosen]
      : Array.from({ length: n - from + 1 }, (_, i) => from + i).flatMap((party) =>
          extend([...chosen, party], party + 1),
        );
  return extend([1], 2);
}

const kernel = createKernel();
report('kernel', [
  ...ringRows(kernel),
  ...openingRows(kernel),
  ...randomnessRows(kernel),
  ...lweRows(kernel),
  ...glweRows(kernel),
  ...evaluatorRows(kernel),
]);
