/** `material.s3` of node.toml: a place for public objects, and the credentials for it, which are not in that file. */
import type { S3Credentials, S3Place } from '../material/s3-material.ts';
import { ConfigError } from './config-error.ts';
import type { S3 } from './schema.ts';
import { readSecretLine, takeSecretVariable } from './secret-source.ts';

const FIELD = 'material.s3';
/** As other programs keep them too: one line, ACCESS_KEY_ID:SECRET_ACCESS_KEY. */
const CREDENTIALS = /^([\x21-\x39\x3b-\x7e]{1,128}):([\x21-\x7e]{1,256})$/;

export interface S3Settings {
  readonly place: S3Place;
  readonly credentials:
    | { readonly kind: 'file'; readonly file: string }
    | { readonly kind: 'env'; readonly variable: string };
}

/** Throws ConfigError unless the credentials come from exactly one place. */
export function s3Settings(file: string, settings: S3, beside: (path: string) => string): S3Settings {
  const { endpoint, region, bucket, prefix, publicUrl, credentialsFile, credentialsEnv } = settings;
  const place = {
    region,
    bucket,
    prefix,
    endpoint: withoutSlash(endpoint),
    publicUrl: publicUrl && withoutSlash(publicUrl),
  };
  if (credentialsFile !== undefined && credentialsEnv === undefined) {
    return { place, credentials: { kind: 'file', file: beside(credentialsFile) } };
  }
  if (credentialsEnv !== undefined && credentialsFile === undefined) {
    return { place, credentials: { kind: 'env', variable: credentialsEnv } };
  }
  const message = `${FIELD}: want exactly one of credentialsFile, credentialsEnv`;
  throw new ConfigError('CONFIG_INVALID', { file, field: FIELD, message });
}

/** Throws ConfigError when they are absent, malformed, or readable by other users. */
export function readS3Credentials({ credentials }: S3Settings, environment: NodeJS.ProcessEnv): S3Credentials {
  const place = credentials.kind === 'file' ? credentials.file : `$${credentials.variable}`;
  const bytes =
    credentials.kind === 'file'
      ? readSecretLine(credentials.file, FIELD)
      : takeSecretVariable(credentials.variable, environment, FIELD);
  const [, accessKeyId, secretAccessKey] = CREDENTIALS.exec(new TextDecoder().decode(bytes)) ?? [];
  bytes.fill(0);
  if (accessKeyId !== undefined && secretAccessKey !== undefined) return { accessKeyId, secretAccessKey };
  const message = 'want one line: ACCESS_KEY_ID:SECRET_ACCESS_KEY';
  throw new ConfigError('CONFIG_INVALID', { file: place, field: FIELD, message });
}

function withoutSlash(url: string): string {
  return url.replace(/\/+$/, '');
}
