/** A network of real processes with one development key, for one test file. */
import { readFile, writeFile } from 'node:fs/promises';
import type { Committee } from '@keyquorum/client/committee';
import type { KeySetName } from '@keyquorum/tfhe/key-sets';
import { committeeOf } from '../../scripts/network/committee.ts';
import { createEncryptor, type Encryptor } from '../../scripts/network/encryption.ts';
import { fetchObject, finishedKey, generateKey, type KeyState } from '../../scripts/network/key-generation.ts';
import type { LocalNetwork } from '../../scripts/network/local-network.ts';
import { bringUp, temporaryNetwork } from '../../scripts/network/temporary-network.ts';

/** All processes, the epoch and one key, on a busy machine. */
export const START_MS = 240_000;
const KEY_WITHIN_MS = 60_000;
export const PARTIES = [1, 2, 3, 4] as const;

export interface RunningNetwork extends AsyncDisposable {
  readonly network: LocalNetwork;
  readonly committee: Committee;
  readonly key: KeyState;
  readonly publicKey: Uint8Array;
  readonly encryptor: Encryptor;
}

export interface StartOptions {
  /** Material that every party has before the key is made. */
  readonly blocks: number;
  /** Of the key; default `base`. */
  readonly parameters?: KeySetName;
  /** Changes the configuration before the nodes start. */
  readonly configure?: (network: LocalNetwork) => Promise<void>;
}

/** Four parties, t = 1, all ready; every one knows one development key. */
export async function startNetwork({ blocks, parameters = 'base', configure }: StartOptions): Promise<RunningNetwork> {
  await using cleanup = new AsyncDisposableStack();
  const network = cleanup.use(await temporaryNetwork());
  await configure?.(network);
  await bringUp(network, blocks);
  const key = await generateKey(network.rest(1), { parameters, purpose: 'development' });
  await Promise.all(PARTIES.map((party) => finishedKey(network.rest(party), key.requestId, KEY_WITHIN_MS)));
  const publicKey = await fetchObject(network.rest(2), key, 'CompactPublicKey');
  const committee = await committeeOf(network);
  const stack = cleanup.move();
  const encryptor = createEncryptor(publicKey);
  return { network, committee, key, publicKey, encryptor, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

/** What a node answers when it refuses. */
export interface Refusal {
  readonly error: { readonly code: string; readonly message: string; readonly hint: string };
}

/** Replaces text in a file of the configuration; the text must be there. */
export async function editFile(path: string, from: string | RegExp, to: string): Promise<void> {
  const before = await readFile(path, 'utf8');
  const after = before.replace(from, to);
  if (after === before) throw new Error(`${path} has no ${from}`);
  await writeFile(path, after);
}
