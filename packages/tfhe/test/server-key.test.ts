/**
 * Key sets that we write against node-tfhe: its own server key obeys our plans, row by row, and ours load there and
 * come back byte for byte. Secrets are known here only because a test deals them.
 */
import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { compressedCompactPublicKeyBytes } from '../src/compact-public-key.ts';
import { createMaskStream, createSeededStream, type KeyStreamComponent, keyStreamSeedData } from '../src/csprng.ts';
import { compressedXofKeySetLayout } from '../src/key-set.ts';
import { ALL_PARTS, BASE_PARTS, keySetComponents } from '../src/key-set-components.ts';
import { assembleFile, type FileLayout } from '../src/key-set-layout.ts';
import { DEFAULT_PARAMETERS, TEST_PARAMETERS } from '../src/parameters.ts';
import { safeDeserialize, safeSerialize, TYPE_NAME } from '../src/safe-serialize.ts';
import type { CompressionSeed } from '../src/schema/core.ts';
import { type CompressedServerKey, compressedServerKey, compressedXofKeySet } from '../src/schema/server-key.ts';
import { compressedServerKeyLayout } from '../src/server-key.ts';
import { dealBodies, residualNoise } from './support/dealer.ts';
import { loadNodeTfhe, SIZE_LIMIT, serialize } from './support/node-tfhe.ts';
import { fixedSecretBits, secretBitsOf } from './support/secret-bits.ts';
import { clientKeyBytes } from './support/test-client-key.ts';

const tfhe = loadNodeTfhe();
const seed = Uint8Array.from({ length: 16 }, (_, i) => 7 * i + 1);
const noiseKey = new Uint8Array(16).fill(9);
const testClientKey = clientKeyBytes(TEST_PARAMETERS);

interface Entity {
  readonly data: Uint8Array;
  readonly compressionSeed: CompressionSeed;
}

/** The seeded entities of a server key with every part. */
function entitiesOf({ key }: CompressedServerKey): Map<KeyStreamComponent, Entity> {
  const compute = key.key.key.atomicPattern.value;
  const squashing = key.noiseSquashingKey!.key.atomicPattern.value.bootstrappingKey.value;
  const rerandomization = key.reRandomizationKey!;
  if (rerandomization.kind !== 'DerivedPublicKey') throw new TypeError('want a derived re-randomisation key');
  const zeros = (ms: typeof squashing.modulusSwitch): Entity => {
    if (ms.kind !== 'Drift') throw new TypeError('want zeros');
    return ms.value.zeros;
  };
  return new Map<KeyStreamComponent, Entity>([
    ['compression-packing-key', key.compressionKey!.key.packingKey],
    ['decompression-key', key.decompressionKey!.key.bootstrappingKey.value.key.ggswList],
    ['key-switching-key', compute.keySwitchingKey],
    ['bootstrapping-key', compute.bootstrappingKey.value.key.ggswList],
    ['modulus-switch-zeros', zeros(compute.bootstrappingKey.value.modulusSwitch)],
    ['noise-squashing-key', squashing.key.ggswList],
    ['noise-squashing-zeros', zeros(squashing.modulusSwitch)],
    ['casting-key', key.castingKey!.material.keySwitchingKey],
    ['rerandomization-key', rerandomization.value.key.key.key.seededGlwe],
    ['noise-squashing-compression-key', key.noiseSquashingCompressionKey!.key.packingKey],
    ['oprf-key', key.oprfKey!.key.value.key.ggswList],
  ]);
}

test('every row of a key that node-tfhe made is what the plans say, up to its noise', () => {
  const key = tfhe.TfheClientKey.safe_deserialize(testClientKey, SIZE_LIMIT);
  const file = serialize(tfhe.TfheCompressedServerKey.new(key));
  const entities = entitiesOf(safeDeserialize(TYPE_NAME.compressedServerKey, compressedServerKey, file));
  const secrets = secretBitsOf(testClientKey);
  for (const plan of keySetComponents(TEST_PARAMETERS, ALL_PARTS)) {
    if (plan.component === 'compact-public-key') continue;
    const { data, compressionSeed } = entities.get(plan.component)!;
    expect(data.length, plan.component).toBe(plan.bodyBytes);
    const bound = 1n << BigInt(plan.noiseBoundLog2);
    const noise = [...residualNoise(plan, data, createSeededStream(compressionSeed), secrets)];
    expect(
      noise.every((e) => e >= -bound && e <= bound),
      plan.component,
    ).toBe(true);
  }
});

test('a dealt Test key set with every part loads in node-tfhe and comes back byte for byte', () => {
  const description = { parameters: TEST_PARAMETERS, parts: ALL_PARTS, seed };
  const components = keySetComponents(TEST_PARAMETERS, ALL_PARTS);
  const secrets = secretBitsOf(testClientKey);
  const bodies = dealBodies(components, { seed, secrets, noiseKey });
  const file = assembleFile(compressedServerKeyLayout(description), bodies);
  const loaded = tfhe.TfheCompressedServerKey.safe_deserialize(file, SIZE_LIMIT);
  expect(Buffer.compare(serialize(loaded), file)).toBe(0);

  // Read back from the file, with masks derived from what the file says.
  const entities = entitiesOf(safeDeserialize(TYPE_NAME.compressedServerKey, compressedServerKey, file));
  for (const plan of components.slice(1)) {
    const { data, compressionSeed } = entities.get(plan.component)!;
    const bound = 1n << BigInt(plan.noiseBoundLog2);
    const noise = [...residualNoise(plan, data, createSeededStream(compressionSeed), secrets)];
    expect(
      noise.every((e) => e >= -bound && e <= bound),
      plan.component,
    ).toBe(true);
    if (noise.length > 10) expect(new Set(noise).size, plan.component).toBeGreaterThan(2);
  }
});

test.each([
  ['no optional part', []],
  ['the base parts', BASE_PARTS],
  ['compression only', ['compression'] as const],
  ['noise squashing only', ['noise-squashing'] as const],
])('a Test server key with %s loads too', (_, parts) => {
  const tag = Uint8Array.of(1, 2, 3);
  const bodies = new Map(
    keySetComponents(TEST_PARAMETERS, parts).map((c) => [c.component, new Uint8Array(c.bodyBytes).fill(5)]),
  );
  const file = assembleFile(compressedServerKeyLayout({ parameters: TEST_PARAMETERS, parts, seed, tag }), bodies);
  expect(Buffer.compare(serialize(tfhe.TfheCompressedServerKey.safe_deserialize(file, SIZE_LIMIT)), file)).toBe(0);
});

/** SHA-256 of the file as a ceremony makes it: segment after segment, bodies in pieces. */
function streamedDigest({ totalBytes, segments }: FileLayout, bodies: ReadonlyMap<KeyStreamComponent, Uint8Array>) {
  const hash = createHash('sha256');
  let at = 0;
  for (const segment of segments) {
    expect(segment.offset).toBe(at);
    const bytes = segment.kind === 'bytes' ? segment.bytes : bodies.get(segment.component)!;
    for (let from = 0; from < bytes.length; from += 16_384) hash.update(bytes.subarray(from, from + 16_384));
    at += bytes.length;
  }
  expect(at).toBe(totalBytes);
  return hash.digest('hex');
}

test('a dealt base set of the default parameters loads, streams, and has noise within bounds', () => {
  const description = { parameters: DEFAULT_PARAMETERS, parts: BASE_PARTS, seed };
  const components = keySetComponents(DEFAULT_PARAMETERS, BASE_PARTS);
  const secrets = fixedSecretBits(DEFAULT_PARAMETERS);
  const bodies = dealBodies(components, { seed, secrets, noiseKey });
  const layout = compressedServerKeyLayout(description);
  const file = assembleFile(layout, bodies);
  expect(Buffer.compare(serialize(tfhe.TfheCompressedServerKey.safe_deserialize(file, SIZE_LIMIT)), file)).toBe(0);
  for (const plan of components.filter(({ content }) => content.kind !== 'ggsw')) {
    const masks = createMaskStream(keyStreamSeedData(seed), plan.position);
    const noise = [...residualNoise(plan, bodies.get(plan.component)!, masks, secrets)].map(Number);
    const bound = 2 ** plan.noiseBoundLog2;
    expect(Math.max(...noise.map(Math.abs)), plan.component).toBeLessThanOrEqual(bound);
    // Standard deviation of TUniform: bound / sqrt(3), here of at least 2048 samples.
    const deviation = Math.sqrt(noise.reduce((total, e) => total + e * e, 0) / noise.length) / bound;
    expect(Math.abs(deviation - 1 / Math.sqrt(3)), plan.component).toBeLessThan(0.05);
  }
  expect(streamedDigest(layout, bodies)).toBe(createHash('sha256').update(file).digest('hex'));
  expect(
    layout.segments.filter(({ kind }) => kind === 'bytes').every((s) => s.kind === 'bytes' && s.bytes.length < 512),
  ).toBe(true);
});

test('a whole default set is laid out without holding it', () => {
  const layout = compressedXofKeySetLayout({ parameters: DEFAULT_PARAMETERS, parts: ALL_PARTS, seed });
  expect(layout.totalBytes).toBeGreaterThan(13_307_904 * 8 + 25_309_184 * 16);
  expect(layout.totalBytes).toBeLessThan(13_307_904 * 8 + 25_309_184 * 16 + 4096);
});

test('a key set file holds the public key and the server key, and reads back', () => {
  const description = { parameters: TEST_PARAMETERS, parts: ALL_PARTS, seed };
  const components = keySetComponents(TEST_PARAMETERS, ALL_PARTS);
  const bodies = dealBodies(components, { seed, secrets: secretBitsOf(testClientKey), noiseKey });
  const file = assembleFile(compressedXofKeySetLayout(description), bodies);
  const value = safeDeserialize(TYPE_NAME.compressedXofKeySet, compressedXofKeySet, file);
  expect(Buffer.compare(safeSerialize(TYPE_NAME.compressedXofKeySet, compressedXofKeySet, value), file)).toBe(0);

  const body = bodies.get('compact-public-key')!;
  const publicKey = compressedCompactPublicKeyBytes({ parameters: TEST_PARAMETERS, seed, streamIndex: 0, body });
  const serverKey = assembleFile(compressedServerKeyLayout(description), bodies);
  const payload = (bytes: Uint8Array, name: string) => Buffer.from(bytes).subarray(34 + name.length);
  const parts = Buffer.concat([
    payload(publicKey, TYPE_NAME.compressedCompactPublicKey),
    payload(serverKey, TYPE_NAME.compressedServerKey),
  ]);
  expect(Buffer.from(file).subarray(-parts.length).equals(parts)).toBe(true);
});

test('bodies that are missing or of the wrong length are refused', () => {
  const layout = compressedServerKeyLayout({ parameters: TEST_PARAMETERS, parts: [], seed });
  expect(() => assembleFile(layout, new Map())).toThrow(RangeError);
  expect(() => assembleFile(layout, new Map([['key-switching-key', new Uint8Array(8)]]))).toThrow(RangeError);
});
