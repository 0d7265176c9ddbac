/**
 * Builds the package for npm into `dist/`: ES modules and CommonJS for every entry, dependencies included, so that a
 * page, a bundler or an old `require` can take them as they are. `node packages/client/build.ts`.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { type OutputChunk, rolldown } from 'rolldown';

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** What applications import: `@keyquorum/client/<entry>`. */
export const ENTRIES = ['client', 'decrypt', 'permit', 'credentials', 'encrypt', 'public-decryption', 'key-material'] as const;
export type Entry = (typeof ENTRIES)[number];

/** The files of these entries, without writing them. */
export async function bundleOf(format: 'esm' | 'cjs', entries: readonly Entry[] = ENTRIES): Promise<OutputChunk[]> {
  const input = Object.fromEntries(entries.map((entry) => [entry, at(`src/${entry}.ts`)]));
  const bundle = await rolldown({ input, platform: 'browser', logLevel: 'warn' });
  const extension = format === 'cjs' ? 'cjs' : 'js';
  const names = { entryFileNames: `[name].${extension}`, chunkFileNames: `shared-[hash].${extension}` };
  const { output } = await bundle.generate({ format, minify: true, ...names });
  await bundle.close();
  return output.filter((file) => file.type === 'chunk');
}

if (import.meta.main) {
  await mkdir(at('dist'), { recursive: true });
  for (const format of ['esm', 'cjs'] as const) {
    for (const { fileName, code } of await bundleOf(format)) await writeFile(at(`dist/${fileName}`), code);
  }
}
