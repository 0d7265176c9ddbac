/**
 * Keys that we write compute: lists encrypted under the compact public key by node-tfhe are cast, bootstrapped, key
 * switched and bootstrapped again with a dealt key set, and decrypt to the right values.
 */
import { createKernel } from '@keyquorum/kernel/kernel';
import { expect, test } from 'vitest';
import { bootstrappingKeyOf, keySwitchingKeyOf } from '../src/bootstrap-keys.ts';
import { readCiphertext } from '../src/ciphertext.ts';
import { compactPublicKeyBytes } from '../src/compact-public-key.ts';
import { createMaskStream, type KeyStreamComponent, keyStreamSeedData } from '../src/csprng.ts';
import { BASE_PARTS, type KeySetComponent, keySetComponents } from '../src/key-set-components.ts';
import { DEFAULT_PARAMETERS, lweDimensionOf, type ParameterSet, TEST_PARAMETERS } from '../src/parameters.ts';
import { dealBodies, type SecretBits } from './support/dealer.ts';
import { listBuilder, loadNodeTfhe, SIZE_LIMIT, serialize } from './support/node-tfhe.ts';
import { fixedSecretBits } from './support/secret-bits.ts';

const tfhe = loadNodeTfhe();
const { evaluator } = createKernel();
const seed = new Uint8Array(16).fill(3);

interface KeySet {
  readonly parameters: ParameterSet;
  readonly secrets: SecretBits;
  readonly component: (name: KeyStreamComponent) => KeySetComponent;
  readonly bodies: ReadonlyMap<KeyStreamComponent, Uint8Array>;
}

function deal(parameters: ParameterSet): KeySet {
  const secrets = fixedSecretBits(parameters);
  const components = keySetComponents(parameters, BASE_PARTS);
  const bodies = dealBodies(components, { seed, secrets, noiseKey: new Uint8Array(16).fill(4) });
  return { parameters, secrets, bodies, component: (name) => components.find((c) => c.component === name)! };
}

/** 16 rows of pke dimension + 1 words: a list of the plaintexts 0..15, by node-tfhe. */
function encrypted({ parameters, bodies }: KeySet): Uint8Array {
  const { dimension } = parameters.pke;
  const mask = createMaskStream(keyStreamSeedData(seed)).read(8 * dimension);
  const file = compactPublicKeyBytes({ parameters, mask, body: bodies.get('compact-public-key')! });
  const key = tfhe.TfheCompactPublicKey.safe_deserialize(file, SIZE_LIMIT);
  const value = [...Array(16).keys()].reduce((all, v) => all | (BigInt(v) << BigInt(4 * v)), 0n);
  const list = serialize(listBuilder(tfhe, key, [{ type: { kind: 'uint', bits: 64 }, value }]).build_packed());
  const { masks, bodies: all } = readCiphertext('compact-list', list, { parameters, slot: 0 });
  const rows = new Uint8Array(16 * 8 * (dimension + 1));
  for (let i = 0; i < 16; i++) {
    const at = i * 8 * (dimension + 1);
    rows.set(masks.subarray(i * 8 * dimension, (i + 1) * 8 * dimension), at);
    rows.set(all.subarray(8 * i, 8 * i + 8), at + 8 * dimension);
  }
  return rows;
}

/** Plaintexts and the largest distance from a multiple of 2^59. */
function decrypted(rows: Uint8Array, key: Uint8Array): { values: number[]; noise: bigint } {
  const words = new BigUint64Array(rows.buffer, rows.byteOffset, rows.length / 8);
  const values: number[] = [];
  let noise = 0n;
  for (let at = 0; at < words.length; at += key.length + 1) {
    let phase = words[at + key.length]!;
    for (let i = 0; i < key.length; i++) if (key[i]) phase -= words[at + i]!;
    const value = BigInt.asUintN(5, (BigInt.asUintN(64, phase) + (1n << 58n)) >> 59n);
    const error = BigInt.asIntN(64, phase - (value << 59n));
    if (error > noise || -error > noise) noise = error < 0n ? -error : error;
    values.push(Number(value));
  }
  return { values, noise };
}

test.each([TEST_PARAMETERS, DEFAULT_PARAMETERS])(
  'a dealt $name key casts, bootstraps and switches keys',
  (parameters) => {
    const set = deal(parameters);
    const { secrets, bodies, component } = set;
    const switching = (name: 'casting-key' | 'key-switching-key') =>
      keySwitchingKeyOf(component(name), seed, bodies.get(name)!);
    const bootstrapping = () =>
      bootstrappingKeyOf(parameters, component('bootstrapping-key'), seed, bodies.get('bootstrapping-key')!);
    const all = [...Array(16).keys()];
    const square = all.map((v) => (v * v + 3) % 16);

    const fresh = encrypted(set);
    expect(decrypted(fresh, secrets.pke).values).toEqual(all);
    const cast = evaluator.keySwitch(fresh, switching('casting-key'));
    expect(decrypted(cast, secrets.small).values).toEqual(all);
    const once = evaluator.bootstrap(cast, bootstrapping(), square);
    expect(decrypted(once, secrets.big).values).toEqual(square);
    const switched = evaluator.keySwitch(once, switching('key-switching-key'));
    expect(decrypted(switched, secrets.small).values).toEqual(square);
    const twice = evaluator.bootstrap(switched, bootstrapping(), all);
    const result = decrypted(twice, secrets.big);
    expect(result.values).toEqual(square);
    // Far from the 2^58 at which a value would change.
    expect(result.noise < 1n << 53n).toBe(true);
    expect(twice.length).toBe(16 * 8 * (lweDimensionOf(parameters.glwe) + 1));
  },
);

test('components that are no such keys are refused', () => {
  const components = keySetComponents(TEST_PARAMETERS, ['compression', 'noise-squashing', 'oprf']);
  const refused = (make: (c: KeySetComponent) => unknown) =>
    components.filter((c) => {
      try {
        make(c);
        return false;
      } catch (error) {
        expect(error).toBeInstanceOf(RangeError);
        return true;
      }
    });
  const none = new Uint8Array(0);
  expect(components.length - refused((c) => keySwitchingKeyOf(c, seed, none)).length).toBe(2);
  expect(components.length - refused((c) => bootstrappingKeyOf(TEST_PARAMETERS, c, seed, none)).length).toBe(3);
});
