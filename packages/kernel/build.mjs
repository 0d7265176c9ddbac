// Compiles assembly/*.ts to build/kernel.wasm, unless the output is newer than every source. Plain JavaScript, so that
// it runs before anything is built and on every supported Node version.
// Use: `node packages/kernel/build.mjs`, or import { buildKernel } from a setup script.
import { mkdirSync, readdirSync, renameSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';

const root = fileURLToPath(new URL('.', import.meta.url));
const output = 'build/kernel.wasm';
const PAGES = '64'; // 4 MiB, never grown: typed-array views stay attached and memory is bounded

/** Returns true when it compiled, false when the output was up to date. */
export async function buildKernel() {
  if (isFresh()) return false;
  mkdirSync(`${root}build`, { recursive: true });
  const partial = `build/kernel.${process.pid}.wasm`; // renamed at the end: concurrent builds never see half a file
  const { error, stderr } = await asc.main([
    'assembly/index.ts', '--baseDir', root, '--outFile', partial,
    '-O3', '--noAssert', '--runtime', 'stub', '--enable', 'simd',
    '--initialMemory', PAGES, '--maximumMemory', PAGES,
  ]);
  if (error) throw new Error(`kernel: asc failed\n${stderr.toString()}`, { cause: error });
  renameSync(root + partial, root + output);
  return true;
}

function isFresh() {
  const built = modified(output);
  const sources = readdirSync(`${root}assembly`).map((name) => `assembly/${name}`);
  return [...sources, 'build.mjs'].every((path) => modified(path) < built);
}

/** Milliseconds; 0 when the file does not exist. */
function modified(path) {
  return statSync(root + path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const compiled = await buildKernel();
  console.log(`kernel: ${output} ${compiled ? `compiled, ${statSync(root + output).size} bytes` : 'is up to date'}`);
}
