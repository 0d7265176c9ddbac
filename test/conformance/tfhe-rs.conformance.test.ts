/**
 * tfhe-rs itself loads our key sets and computes with them: values that node-tfhe encrypts under the public key are
 * cast, added, multiplied, compared, selected, compressed, re-randomised and noise-squashed, and random ones are made.
 * Whoever made the key set decrypts the results. README.md beside this file says what is covered.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CiphertextError } from '@keyquorum/tfhe/ciphertext';
import { fheTypeName } from '@keyquorum/tfhe/fhe-type';
import { ALL_PARTS, BASE_PARTS } from '@keyquorum/tfhe/key-set-components';
import { DEFAULT_PARAMETERS, TEST_PARAMETERS } from '@keyquorum/tfhe/parameters';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { listBuilder, loadNodeTfhe, SIZE_LIMIT, serialize } from '../../packages/tfhe/test/support/node-tfhe.ts';
import { buildCoprocessor, cargoIsThere, type Results, type ResultValue, runCoprocessor } from './coprocessor.ts';
import { dealtKeySet } from './dealt-key-set.ts';
import { expectedFiles, expectedValue, INPUTS, typeNamed } from './expected.ts';
import type { KeySetUnderTest, Plain } from './key-set-under-test.ts';

const MINUTE_MS = 60_000;
/** A first build takes 6 minutes of two quiet cores. */
const BUILD_MS = 30 * MINUTE_MS;
/** The default set with every part takes a minute of two quiet cores. */
const RUN_MS = 30 * MINUTE_MS;
/** A sum whose carries were left where they are. */
const UNFINISHED = 'unfinished-sum-uint8.bin';

const KEY_SETS = [
  { name: 'test, base parts', make: () => dealtKeySet(TEST_PARAMETERS, BASE_PARTS) },
  { name: 'test, all parts', make: () => dealtKeySet(TEST_PARAMETERS, ALL_PARTS) },
  { name: 'default, base parts', make: () => dealtKeySet(DEFAULT_PARAMETERS, BASE_PARTS) },
  { name: 'default, all parts', make: () => dealtKeySet(DEFAULT_PARAMETERS, ALL_PARTS) },
];

const tfhe = loadNodeTfhe();

/** Writes a key set and inputs into the directory and has the coprocessor compute. */
async function compute(program: string, keySet: KeySetUnderTest, directory: string): Promise<Results> {
  await keySet.writeKeySet(join(directory, 'key-set.bin'));
  const publicKey = tfhe.TfheCompactPublicKey.safe_deserialize(keySet.publicKey, SIZE_LIMIT);
  await writeFile(join(directory, 'inputs.bin'), serialize(listBuilder(tfhe, publicKey, INPUTS).build_packed()));
  return runCoprocessor(program, directory, keySet.parameters);
}

/** Random values that nobody can foretell are taken as they are. */
function expectedOf(value: ResultValue, got: Plain, keySet: KeySetUnderTest, seed: bigint): bigint {
  if (value.operation !== 'random') return expectedValue(value.operation, value.operands, value.type);
  return keySet.random?.(seed, typeNamed(value.type)) ?? got.value;
}

const shown = (type: string, value: bigint) => `${type} ${value}`;

function conformance(): void {
  let program: string;
  beforeAll(async () => {
    program = await buildCoprocessor();
  }, BUILD_MS);

  describe.each(KEY_SETS)('$name', ({ make }) => {
    let keySet: KeySetUnderTest;
    let directory: string;
    let results: Results;
    beforeAll(async () => {
      keySet = make();
      directory = await mkdtemp(join(tmpdir(), 'keyquorum-conformance-'));
      results = await compute(program, keySet, directory);
    }, RUN_MS);
    afterAll(() => rm(directory, { recursive: true, force: true }));

    const open = async (file: string) =>
      keySet.decrypt(results.files.find((f) => f.file === file)!.format, await readFile(join(directory, file)));

    test('tfhe-rs makes everything that the parts of the key set allow, and says what not', () => {
      expect(results.files.map(({ file }) => file)).toEqual(expectedFiles(keySet.parts));
      const absent = [
        ['compression', 'no compressed lists: the key set has no compression key'],
        ['noise-squashing', 'no noise-squashed values: the key set has no noise squashing key'],
      ] as const;
      expect(results.skipped).toEqual(absent.filter(([part]) => !keySet.parts.includes(part)).map(([, why]) => why));
    });

    test('every value is right', async () => {
      const got: Record<string, readonly string[]> = {};
      const want: Record<string, readonly string[]> = {};
      for (const { file, values } of results.files) {
        if (file === UNFINISHED) continue;
        const opened = await open(file);
        got[file] = opened.map(({ type, value }) => shown(fheTypeName(type), value));
        want[file] = values.map((value, i) =>
          shown(value.type, expectedOf(value, opened[i]!, keySet, BigInt(results.randomSeed))),
        );
      }
      expect(got).toEqual(want);
    });

    test('a sum with carries left in its blocks is refused: it has the noise of two values', async () => {
      await expect(open(UNFINISHED)).rejects.toSatisfy(
        (error) => error instanceof CiphertextError && error.code === 'CIPHERTEXT_PARAMETERS',
      );
    });
  });
}

const INSTALL = 'install Rust 1.91.1 or newer (https://rustup.rs)';

if (cargoIsThere()) conformance();
else {
  test('skipped: no cargo', ({ skip }) => {
    if (process.env.KEYQUORUM_CARGO === 'required') throw new Error(`no cargo on the PATH: ${INSTALL}`);
    const note = `skipped: no cargo; to test against tfhe-rs ${INSTALL}`;
    console.warn(note); // reporters do not show the reason
    skip(note);
  });
}
