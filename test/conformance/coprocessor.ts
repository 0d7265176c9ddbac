/**
 * The Rust program in `tfhe-rs/`: built on demand, outside of the checkout, and run on a directory. The first build
 * takes minutes; cargo itself knows when there is nothing to do.
 */
import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { ParameterSet } from '@keyquorum/tfhe/parameters';
import type { ResultFormat } from './key-set-under-test.ts';

const CRATE = join(import.meta.dirname, 'tfhe-rs');
const TARGET = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'keyquorum', 'tfhe-rs');
/** Most of what a failed program has to say. */
const OUTPUT_MAX_CHARACTERS = 8_000;

/** One value in a result. */
export interface ResultValue {
  readonly operation: string;
  /** Type of what it was computed from. */
  readonly operands: string;
  readonly type: string;
}

export interface ResultFile {
  readonly file: string;
  readonly format: ResultFormat;
  readonly values: readonly ResultValue[];
}

/** What the program leaves in `results.json`. */
export interface Results {
  /** Decimal. */
  readonly randomSeed: string;
  /** Sentences: what was not made, and which part of the key set is not there. */
  readonly skipped: readonly string[];
  readonly files: readonly ResultFile[];
}

/**
 * Resolves to the program, up to date.
 * @throws Error with cargo's own words
 */
export async function buildCoprocessor(): Promise<string> {
  await run('cargo', ['build', '--release', '--locked', '--manifest-path', join(CRATE, 'Cargo.toml')]);
  return join(TARGET, 'release', 'coprocessor');
}

/** Computes on `key-set.bin` and `inputs.bin` in the directory. */
export async function runCoprocessor(program: string, directory: string, { name }: ParameterSet): Promise<Results> {
  await run(program, [directory, name]);
  return JSON.parse(await readFile(join(directory, 'results.json'), 'utf8'));
}

/** Both outputs go to an error only. */
function run(program: string, programArguments: readonly string[]): Promise<void> {
  const environment = { ...process.env, CARGO_TARGET_DIR: TARGET, CARGO_TERM_COLOR: 'never' };
  const child = spawn(program, programArguments, { stdio: ['ignore', 'pipe', 'pipe'], env: environment });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(-OUTPUT_MAX_CHARACTERS);
    });
  }
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      if (code === 0) resolve();
      else reject(new Error(`${program} ended with ${signal ?? `status ${code}`}:\n${output}`));
    });
  });
}
