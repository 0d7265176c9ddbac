/** One node as a child process: started through the CLI that operators use, logging into a file, never outliving us. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

export const CLI = fileURLToPath(new URL('../../packages/node/src/cli/keyquorum.ts', import.meta.url));
const TETHER = new URL('../tether.mjs', import.meta.url).href;
/** Of the log, quoted when a node ends unexpectedly. */
const LOG_TAIL_LINES = 20;
/** A graceful stop that takes longer is ended with SIGKILL. */
const STOP_MS = 10_000;

/** What a faulty node does wrong; only nodes started with KEYQUORUM_FAULTS=1 know these switches. */
export type FaultSwitch = 'wrong-share' | 'silent' | 'equivocate' | `slow:${number}`;

export interface NodeProcess {
  readonly pid: number | undefined;
  /** Fires when the process is gone; the reason tells how and quotes its log. */
  readonly gone: AbortSignal;
  /** Asks it to stop and waits until it has. */
  stop(): Promise<void>;
  /** SIGKILL: it gets no chance to save anything. Resolves when it is gone. */
  kill(): Promise<void>;
}

export interface StartOptions {
  readonly configFile: string;
  readonly logFile: string;
  readonly fault?: FaultSwitch;
}

export function startNode({ configFile, logFile, fault }: StartOptions): NodeProcess {
  const log = openSync(logFile, 'a');
  const faultArguments = fault === undefined ? [] : ['--fault', fault];
  const child = spawn(process.execPath, ['--import', TETHER, CLI, 'start', '--config', configFile, ...faultArguments], {
    stdio: ['ignore', log, log],
    env: { ...process.env, ...(fault !== undefined && { KEYQUORUM_FAULTS: '1' }) },
  });
  closeSync(log);
  const atExit = () => child.kill('SIGKILL');
  process.once('exit', atExit);
  const gone = new AbortController();
  const ended = new Promise<void>((resolve) => {
    const end = (how: string) => {
      process.off('exit', atExit);
      gone.abort(new Error(`node ended (${how}); its log ${logFile} ends with\n${tailOf(logFile)}`));
      resolve();
    };
    child.once('exit', (code, signal) => end(signal ?? `status ${code}`));
    child.once('error', (error) => end(error.message));
  });
  return {
    pid: child.pid,
    gone: gone.signal,
    stop: () => endWith(child, 'SIGTERM', ended),
    kill: () => endWith(child, 'SIGKILL', ended),
  };
}

async function endWith(child: ChildProcess, signal: NodeJS.Signals, ended: Promise<void>): Promise<void> {
  child.kill(signal);
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
  await ended;
  clearTimeout(timer);
}

function tailOf(logFile: string): string {
  return readFileSync(logFile, 'utf8').trimEnd().split('\n').slice(-LOG_TAIL_LINES).join('\n');
}

export interface CliResult {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs one command of the CLI and returns what it printed. Throws with its complaints when it fails. */
export async function runCli(cliArguments: readonly string[]): Promise<string> {
  const { status, stdout, stderr } = await tryCli(cliArguments);
  if (status !== 0) throw new Error(`keyquorum ${cliArguments.join(' ')}: status ${status}\n${stderr}`);
  return stdout;
}

/** The same for commands that are expected to fail. */
export async function tryCli(cliArguments: readonly string[]): Promise<CliResult> {
  const child = spawn(process.execPath, ['--import', TETHER, CLI, ...cliArguments], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [stdout, stderr, [status]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close') as Promise<[number | null]>,
  ]);
  return { status, stdout, stderr };
}
