/**
 * Runs a check for many seeds. A failure names its seed and the command that replays exactly that run; with
 * KEYQUORUM_SEED in the environment only that seed is run.
 */
export const SEED_VARIABLE = 'KEYQUORUM_SEED';

export interface SeedOptions {
  readonly runs: number;
  /** The test file, for the replay command: `import.meta.filename`. */
  readonly file: string;
  /** Usually `process.env`. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Rejects with the first failure, its seed and how to replay it. Seeds are 1..runs. */
export async function forEachSeed(
  { runs, file, env }: SeedOptions,
  check: (seed: number) => Promise<void> | void,
): Promise<void> {
  const only = env[SEED_VARIABLE];
  const seeds = only === undefined ? Array.from({ length: runs }, (_, index) => index + 1) : [Number(only)];
  for (const seed of seeds) {
    try {
      await check(seed);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new Error(`seed ${seed}: ${reason}\nreplay: ${replayCommand(seed, file)}`, { cause: error });
    }
  }
}

export function replayCommand(seed: number | string, file: string): string {
  return `${SEED_VARIABLE}=${seed} node_modules/.bin/node node_modules/vitest/vitest.mjs run ${file}`;
}
