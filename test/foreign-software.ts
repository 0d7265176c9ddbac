/**
 * Programs of others that some tests need and not every machine has. Without one its tests say so and are skipped;
 * where `KEYQUORUM_REQUIRED` names it, as in continuous integration, they fail.
 */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { test } from 'vitest';

export interface ForeignProgram {
  readonly name: string;
  /** How to get it, for whoever reads that it is not there. */
  readonly install: string;
}

/** Where the program is on the PATH, or undefined. */
export function pathOf(name: string): string | undefined {
  const candidates = (process.env.PATH ?? '').split(delimiter).map((folder) => join(folder, name));
  return candidates.find((file) => {
    try {
      accessSync(file, constants.X_OK);
      return true;
    } catch {
      return false; // not in this folder
    }
  });
}

/** Declares the tests when the program is there, else one that says that it is not. */
export function testWith({ name, install }: ForeignProgram, declare: (path: string) => void): void {
  const path = pathOf(name);
  if (path === undefined) declareMissing({ name, install });
  else declare(path);
}

function declareMissing({ name, install }: ForeignProgram): void {
  test(`skipped: no ${name}`, ({ skip }) => {
    const required = (process.env.KEYQUORUM_REQUIRED ?? '').split(' ').includes(name);
    if (required) throw new Error(`no ${name} on the PATH: ${install}`);
    const note = `skipped: no ${name}; to run these tests ${install}`;
    console.warn(note); // reporters do not show the reason
    skip(note);
  });
}
