// Compiles assembly/ to build/kernel.wasm and build/bls446.wasm, unless an output is newer than every source. Plain
// JavaScript, so that it runs before anything is built and on every supported Node version.
// Use: `node packages/kernel/build.mjs`, or import { buildKernel } from a setup script.
import { mkdirSync, readdirSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';
import { fieldSource } from './assembly/bls446/field-source.mjs';

const root = fileURLToPath(new URL('.', import.meta.url));

/**
 * Two modules: the curve is for CRS ceremonies only, so most processes never load it. Their memory, in pages of 64 KiB,
 * never grows: typed-array views stay attached and memory is bounded.
 */
const MODULES = [
  { name: 'kernel', folder: 'assembly', pages: '64' },
  {
    name: 'bls446',
    folder: 'assembly/bls446',
    pages: '128',
    generated: { path: 'build/bls446-field.ts', source: fieldSource },
  },
];

/** Returns true when it compiled, false when all outputs were up to date. */
export async function buildKernel() {
  const stale = MODULES.filter((module) => !isFresh(module));
  mkdirSync(`${root}build`, { recursive: true });
  for (const module of stale) await compile(module);
  return stale.length > 0;
}

/** Files are written under another name and renamed: concurrent builds never see half a file. */
async function compile({ name, folder, pages, generated }) {
  const partial = `build/${name}.${process.pid}.partial`;
  if (generated) {
    writeFileSync(root + partial, generated.source());
    renameSync(root + partial, root + generated.path);
  }
  const { error, stderr } = await asc.main([
    `${folder}/index.ts`, '--baseDir', root, '--outFile', partial,
    '-O3', '--noAssert', '--runtime', 'stub', '--enable', 'simd',
    '--initialMemory', pages, '--maximumMemory', pages,
  ]);
  if (error) throw new Error(`kernel: asc failed on ${folder}\n${stderr.toString()}`, { cause: error });
  renameSync(root + partial, root + outputOf(name));
}

function isFresh({ name, folder }) {
  const built = modified(outputOf(name));
  const files = readdirSync(root + folder).filter((file) => /\.m?[jt]s$/.test(file));
  const sources = files.map((file) => `${folder}/${file}`);
  return [...sources, 'build.mjs'].every((path) => modified(path) < built);
}

const outputOf = (name) => `build/${name}.wasm`;

/** Milliseconds; 0 when the file does not exist. */
function modified(path) {
  return statSync(root + path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const compiled = await buildKernel();
  const sizes = MODULES.map(({ name }) => `${outputOf(name)} ${statSync(root + outputOf(name)).size} bytes`);
  console.log(`kernel: ${sizes.join(', ')}${compiled ? '' : ', up to date'}`);
}
