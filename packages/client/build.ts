/**
 * Builds the package for npm into `dist/`: ES modules, CommonJS and type declarations of every entry, dependencies
 * included, so that a page, a bundler or an old `require` can take them as they are. `node packages/client/build.ts`,
 * then `npm publish packages/client/dist`.
 */
import { copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type OutputChunk, type RolldownBuild, rolldown } from 'rolldown';
import { dts } from 'rolldown-plugin-dts';

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** What applications import: `@keyquorum/client/<entry>`. */
export const ENTRIES = [
  ...['client', 'decrypt', 'permit', 'credentials', 'errors'],
  ...['encrypt', 'public-decryption', 'key-material'],
] as const;
export type Entry = (typeof ENTRIES)[number];

const FORMATS = ['esm', 'cjs'] as const;
type Format = (typeof FORMATS)[number];
const ONLY_ERRORS = { info: () => {}, warn: () => {}, error: console.error };

function inputOf(entries: readonly Entry[]): Record<string, string> {
  return Object.fromEntries(entries.map((entry) => [entry, at(`src/${entry}.ts`)]));
}

/** The files of these entries, without writing them. */
export async function bundleOf(format: Format, entries: readonly Entry[] = ENTRIES): Promise<OutputChunk[]> {
  const bundle = await rolldown({ input: inputOf(entries), platform: 'browser', logLevel: 'warn' });
  const extension = format === 'cjs' ? 'cjs' : 'js';
  const names = { entryFileNames: `[name].${extension}`, chunkFileNames: `shared-[hash].${extension}` };
  const chunks = await chunksOf(bundle, { format, minify: true, ...names });
  await bundle.close();
  return chunks;
}

/** Declarations for both formats. Types of viem are its own: an application that signs with it has them. */
async function declarations(): Promise<OutputChunk[]> {
  const plugin = dts({ generator: 'tsgo', dtsOnly: true, tsconfig: at('tsconfig.types.json'), logger: ONLY_ERRORS });
  const checks = { pluginTimings: false }; // the compiler takes its time
  const bundle = await rolldown({ input: inputOf(ENTRIES), external: ['viem'], plugins: plugin, checks });
  const of = (extension: string) => {
    const names = { entryFileNames: `[name].d.${extension}`, chunkFileNames: `shared-[hash].d.${extension}` };
    return chunksOf(bundle, { format: 'es', ...names });
  };
  const chunks = [...(await of('ts')), ...(await of('cts'))];
  await bundle.close();
  return chunks;
}

async function chunksOf(bundle: RolldownBuild, options: Parameters<RolldownBuild['generate']>[0]) {
  const { output } = await bundle.generate(options);
  return output.filter((file) => file.type === 'chunk');
}

/** Of the published package: everything is bundled but types of viem. */
async function manifest(): Promise<string> {
  const { name, version, license, type, sideEffects, dependencies } = JSON.parse(
    await readFile(at('package.json'), 'utf8'),
  );
  const entry = {
    import: { types: './*.d.ts', default: './*.js' },
    require: { types: './*.d.cts', default: './*.cjs' },
  };
  const published = { name, version, license, type, sideEffects, exports: { './*': entry } };
  return JSON.stringify({ ...published, dependencies: { viem: dependencies.viem } }, null, 2);
}

/** Writes the package into the folder, which is emptied first. */
export async function buildPackage(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const chunks = await Promise.all([...FORMATS.map((format) => bundleOf(format)), declarations()]);
  for (const { fileName, code } of chunks.flat()) await writeFile(join(folder, fileName), code);
  await writeFile(join(folder, 'package.json'), await manifest());
  await copyFile(at('README.md'), join(folder, 'README.md'));
  await copyFile(at('../../LICENSE'), join(folder, 'LICENSE'));
}

if (import.meta.main) await buildPackage(at('dist'));
