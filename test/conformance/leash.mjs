/**
 * Runs a program that is not ours and ends it with its parent: `node leash.mjs PROGRAM ARGUMENTS`, standard input a
 * pipe of the parent. However the parent goes, killed or not, the pipe closes.
 */
import { spawn } from 'node:child_process';

const [program, ...programArguments] = process.argv.slice(2);
const child = spawn(program, programArguments, { stdio: ['ignore', 'inherit', 'inherit'] });
child.on('exit', (code) => process.exit(code ?? 1));
process.stdin.on('end', () => child.kill('SIGKILL')).resume();
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, () => child.kill('SIGKILL'));
