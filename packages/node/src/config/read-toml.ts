/** A TOML file checked against a schema: defaults filled in, or ConfigError naming file, field and what is wanted. */
import { readFileSync } from 'node:fs';
import { parse, TomlError } from 'smol-toml';
import type { Static, TSchema } from 'typebox';
import { Check, Default, Errors } from 'typebox/value';
import { schemaProblem } from '../schema-problem.ts';
import { systemCode } from '../store/store-error.ts';
import { ConfigError } from './config-error.ts';

const FILE_BYTES_MAX = 2 ** 20;

export function readText(file: string): string {
  try {
    const text = readFileSync(file, 'utf8');
    if (text.length <= FILE_BYTES_MAX) return text;
  } catch (error) {
    const message = `cannot be read (${systemCode(error) ?? 'unknown cause'}); check the path`;
    throw new ConfigError('CONFIG_MISSING', { file, field: '', message });
  }
  throw new ConfigError('CONFIG_INVALID', { file, field: '', message: `is longer than ${FILE_BYTES_MAX} characters` });
}

export function readToml<Schema extends TSchema>(file: string, schema: Schema): Static<Schema> {
  return checked(file, schema, parseToml(file, readText(file)));
}

export function checked<Schema extends TSchema>(file: string, schema: Schema, value: unknown): Static<Schema> {
  const complete = Default(schema, value);
  if (Check(schema, complete)) return complete;
  throw new ConfigError('CONFIG_INVALID', { file, ...schemaProblem(Errors(schema, complete), 'the file') });
}

function parseToml(file: string, text: string): unknown {
  try {
    return parse(text);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const [problem = 'not TOML'] = error.message.split('\n');
    const message = `line ${error.line}, column ${error.column}: ${problem}`;
    throw new ConfigError('CONFIG_SYNTAX', { file, field: '', message });
  }
}
