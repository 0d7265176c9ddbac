/**
 * Files that are complete or absent. Writes go to a temporary name, are flushed, renamed, and the folder is flushed:
 * after a crash at any instant the old or the new content is there, never a part (one write costs two fsyncs, about 1
 * ms).
 */
import { mkdir, open, readdir, readFile, rename, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { StoreError, systemCode } from './store-error.ts';

/** Owner only: nothing in a data directory is for other users of the machine. */
export const FILE_MODE = 0o600;
export const FOLDER_MODE = 0o700;
const TEMPORARY_SUFFIX = '.tmp';
/** `/` of a name in a file name; not part of the alphabet of names, so the mapping is one to one. */
const SLASH = '~';
const NAME = /^[A-Za-z0-9][A-Za-z0-9._/-]{0,199}$/;

export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

export async function writeDurably(path: string, parts: readonly Uint8Array[], mode = FILE_MODE): Promise<void> {
  const temporary = path + TEMPORARY_SUFFIX;
  try {
    const handle = await open(temporary, 'w', mode);
    try {
      for (const part of parts) await handle.writeFile(part);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, path);
    await syncFolder(dirname(path));
  } catch (cause) {
    await unlink(temporary).catch(() => undefined); // it may be what fills the disk; the next start removes it too
    throw new StoreError('STORE_FAILED', `cannot write ${path}: ${systemCode(cause) ?? 'unknown cause'}`, { cause });
  }
}

/** Overwrites the content where it lies, flushes, then removes the name. Does nothing when the file is absent. */
export async function overwriteAndUnlink(path: string, random: (bytes: number) => Uint8Array): Promise<void> {
  const handle = await open(path, 'r+').catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  });
  if (!handle) return;
  try {
    const { size } = await handle.stat();
    await handle.write(random(size), 0, size, 0);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await removeFile(path);
}

export async function removeFile(path: string): Promise<void> {
  await unlink(path).catch((error: unknown) => {
    if (systemCode(error) !== 'ENOENT') throw error;
  });
  await syncFolder(dirname(path));
}

export async function readIfPresent(path: string): Promise<Buffer | undefined> {
  return readFile(path).catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  });
}

/** A flat folder of files addressed by names such as `material/3f2a`. */
export interface Folder {
  path(name: string, suffix: string): string;
  names(prefix: string, suffix: string): Promise<string[]>;
}

/** Creates the folder and removes what an interrupted write left behind. */
export async function openFolder(folder: string): Promise<Folder> {
  await mkdir(folder, { recursive: true, mode: FOLDER_MODE });
  for (const file of await readdir(folder)) {
    if (file.endsWith(TEMPORARY_SUFFIX)) await removeFile(join(folder, file));
  }
  return {
    path(name, suffix) {
      if (!NAME.test(name)) throw new StoreError('STORE_NAME', `"${name.slice(0, 80)}" is not a storable name`);
      return join(folder, name.replaceAll('/', SLASH) + suffix);
    },
    async names(prefix, suffix) {
      const files = await readdir(folder);
      const names = files.filter((file) => file.endsWith(suffix)).map((file) => file.slice(0, -suffix.length));
      return names
        .map((name) => name.replaceAll(SLASH, '/'))
        .filter((name) => name.startsWith(prefix))
        .sort();
    },
  };
}
