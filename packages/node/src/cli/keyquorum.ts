#!/usr/bin/env node
/** The `keyquorum` command. Each command is a file of this folder; exit codes are in exit.ts. */
import { Command, CommanderError } from 'commander';
import { VERSION } from '../version.ts';
import { backupCommand, requesterCommand } from './backup-command.ts';
import { decryptCommand, keygenCommand, statusCommand } from './call-commands.ts';
import { checkCommand } from './check-command.ts';
import { crsCommand, verifyCrsCommand } from './crs-command.ts';
import { verifyEvidenceCommand } from './evidence-command.ts';
import { describeFailure, EXIT } from './exit.ts';
import { cardCommand, initCommand } from './init-command.ts';
import { startCommand } from './start-command.ts';

const print = (line: string) => console.log(line);
const exit = (code: number) => {
  process.exitCode = code;
};
const environment = process.env;

const program = new Command('keyquorum')
  .description('Threshold key-management network for fully homomorphic encryption (TFHE)')
  .version(VERSION)
  .exitOverride()
  .addCommand(initCommand(print, environment))
  .addCommand(cardCommand(print))
  .addCommand(requesterCommand(print))
  .addCommand(checkCommand(print, { exit, environment }))
  .addCommand(startCommand(environment))
  .addCommand(statusCommand(print))
  .addCommand(keygenCommand(print, exit))
  .addCommand(crsCommand(print, exit))
  .addCommand(decryptCommand(print, exit))
  .addCommand(backupCommand(print, environment))
  .addCommand(verifyEvidenceCommand(print))
  .addCommand(verifyCrsCommand(print));

/** Commands that were added do not inherit how errors of usage end. */
for (const command of [program, ...program.commands, ...program.commands.flatMap(({ commands }) => commands)]) {
  command.exitOverride();
}

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) exit(error.exitCode === 0 ? EXIT.ok : EXIT.usage);
  else {
    const { text, exitCode } = describeFailure(error);
    console.error(text);
    process.exit(exitCode); // a half-started node may hold timers and sockets
  }
}
