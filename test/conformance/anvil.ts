/**
 * An EVM chain of its own for one test file: anvil of Foundry, in memory, on a port of loopback that the system
 * chooses, every transaction mined at once. It ends with the process that started it, however that ends.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { createTestClient, type Hex, http, publicActions, walletActions } from 'viem';
import { foundry } from 'viem/chains';

/** Number of the chain; contracts and handles name it. */
export const CHAIN_ID = foundry.id;
const LEASH = join(import.meta.dirname, 'leash.mjs');
const LISTENING = /^Listening on (\S+:\d+)$/;
/** What anvil says before it listens or ends; afterwards it has a line for each call. */
const LINES_MAX = 100;
/** Between questions for a receipt: transactions are mined at once. */
const POLLING_MS = 20;
/** Node's names to those of the packages. */
const ARCHITECTURE: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };

export type ChainClient = ReturnType<typeof clientOf>;

export interface Chain extends AsyncDisposable {
  readonly url: string;
  /** Reads, sends transactions, and does what only a development chain allows. */
  readonly client: ChainClient;
  /** Runs a transaction and resolves to its receipt. Throws when it reverts. */
  mined(transaction: Promise<Hex>): ReturnType<ChainClient['waitForTransactionReceipt']>;
}

/** @throws Error with what anvil printed, when it ends instead of listening */
export async function startChain(): Promise<Chain> {
  const chainArguments = ['--host', '127.0.0.1', '--port', '0', '--chain-id', String(CHAIN_ID)];
  const child = spawn(process.execPath, [LEASH, anvilProgram(), ...chainArguments], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = once(child, 'close');
  const lines: string[] = [];
  const address = await new Promise<string>((resolve, reject) => {
    createInterface(child.stdout).on('line', (line) => {
      const [, listening] = LISTENING.exec(line) ?? [];
      if (listening !== undefined) resolve(listening);
      else if (lines.length < LINES_MAX) lines.push(line);
    });
    ended.then(() => reject(new Error(`anvil ended:\n${lines.join('\n')}`)), reject);
  });
  const url = `http://${address}`;
  const client = clientOf(url);
  return {
    url,
    client,
    async mined(transaction) {
      const receipt = await client.waitForTransactionReceipt({ hash: await transaction });
      if (receipt.status !== 'success') throw new Error(`transaction ${receipt.transactionHash} was reverted`);
      return receipt;
    },
    async [Symbol.asyncDispose]() {
      child.stdin.end();
      await ended;
    },
  };
}

function clientOf(url: string) {
  return createTestClient({ mode: 'anvil', chain: foundry, transport: http(url), pollingInterval: POLLING_MS })
    .extend(publicActions)
    .extend(walletActions);
}

/** The binary of this machine's package; the package around it would start one more process. */
function anvilProgram(): string {
  const platform = process.platform;
  const name = `@foundry-rs/anvil-${platform}-${ARCHITECTURE[process.arch] ?? process.arch}`;
  const around = createRequire(createRequire(import.meta.url).resolve('@foundry-rs/anvil/package.json'));
  return join(dirname(around.resolve(`${name}/package.json`)), 'bin', platform === 'win32' ? 'anvil.exe' : 'anvil');
}
