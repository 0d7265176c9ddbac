/**
 * `keyquorum crs` asks a node to make a common reference string; `keyquorum verify-crs` checks one, with every
 * contribution to it. That needs no node and no trust in any, only network.toml.
 */
import { readFile } from 'node:fs/promises';
import { MAX_BITS } from '@keyquorum/crs/parameters';
import { createBls446 } from '@keyquorum/kernel/bls446';
import { toHex } from '@keyquorum/mpc/bytes';
import {
  TRANSCRIPT_BYTES_MAX,
  type VerifiedTranscript,
  verifyFile,
  verifyTranscript,
} from '@keyquorum/protocols/crs/transcript';
import { Command, Option } from 'commander';
import { ConfigError } from '../config/config-error.ts';
import { type Network, readNetwork, shortDigest } from '../config/network.ts';
import { startCurvePool } from '../curve/pool.ts';
import { Accepted, CrsBody } from '../rest/schemas.ts';
import { systemCode } from '../store/store-error.ts';
import { newId, watchCeremony } from './call-commands.ts';
import { EXIT } from './exit.ts';
import { integer } from './init-command.ts';
import { createNodeClient, NodeUnreachable } from './node-client.ts';
import { createProgress } from './progress.ts';
import { clientOf, type TargetOptions, withTarget } from './target.ts';

type Print = (line: string) => void;
const WAIT_SECONDS = 30;
/** Above the largest file. */
const FILE_BYTES_MAX = 2 ** 23;

interface CrsOptions extends TargetOptions {
  readonly id?: string;
  readonly parameters?: string;
  readonly key?: string;
  readonly maxBits: number;
  readonly watch?: boolean;
  readonly json?: boolean;
}

export function crsCommand(print: Print, exit: (code: number) => void): Command {
  return withTarget(new Command('crs'))
    .description('make the common reference string for proofs of encryption; prints its id')
    .option('--id <hex>', 'request id, 64 hex characters; becomes the id of the reference string')
    .addOption(new Option('--parameters <set>', 'for keys of this set').choices(['default', 'base', 'test']))
    .addOption(new Option('--key <id>', 'for this key, in place of --parameters').conflicts('parameters'))
    .option('--max-bits <bits>', 'most bits in one proof, a power of two', integer, MAX_BITS)
    .option('--watch', 'show progress and wait for the end')
    .option('--json', 'machine-readable lines')
    .action(async ({ id = newId(), parameters, key, maxBits, watch, json = false, ...target }: CrsOptions) => {
      const client = clientOf(target);
      const subject = key === undefined ? { parameters: parameters ?? 'default' } : { keyId: key };
      const body = { requestId: id, maxBits, ...subject };
      await client.call(Accepted, '/v1/crs', { method: 'POST', body });
      if (!watch) return print(id);
      await watchCeremony(client, id, createProgress(print, { json, now: Date.now }));
      const crs = await client.call(CrsBody, `/v1/crs/${id}?wait=${WAIT_SECONDS}`);
      print(json ? JSON.stringify(crs) : crsLine(crs));
      if (crs.state !== 'succeeded') exit(EXIT.failed);
    });
}

function crsLine({ requestId, state, contributors, file, error }: CrsBody): string {
  const facts = [`crs ${requestId} ${state}`];
  if (contributors.length > 0) facts.push(`contributions of party ${contributors.join(', ')}`);
  if (file) facts.push(`${file.size} bytes ${file.digest}`);
  if (error) facts.push(`${error.code}: ${error.message}`);
  return facts.join(' - ');
}

interface VerifyOptions {
  readonly network: string;
  readonly transcript?: string;
  readonly json?: true;
}

export function verifyCrsCommand(print: Print): Command {
  return new Command('verify-crs')
    .description('check a reference string and every contribution to it; ends with 0 only if all holds')
    .argument('<source>', 'http://NODE/v1/crs/ID, or the file of a reference string')
    .requiredOption('--network <file>', 'network.toml: the public keys of the parties')
    .option('--transcript <file>', 'with a file: its transcript, as GET /v1/crs/{id}/transcript of a node serves it')
    .option('--json', 'one machine-readable line')
    .action(async (source: string, { network: networkFile, transcript, json }: VerifyOptions) => {
      const network = readNetwork(networkFile);
      const bytes = /^https?:/.test(source) ? await download(source) : await readBoth(source, transcript);
      const verified = await verify(network, bytes);
      const { contributors, signers, content, file } = verified;
      const fields = { id: verified.announcement.id, network: network.digest, ...content, contributors, signers };
      if (json) return print(JSON.stringify({ ...fields, digest: toHex(file), size: bytes.file.length }));
      for (const line of report(network, verified, bytes.file.length)) print(line);
    });
}

interface Downloaded {
  readonly file: Uint8Array;
  readonly transcript: Uint8Array;
}

async function verify(network: Network, { file, transcript }: Downloaded): Promise<VerifiedTranscript> {
  const curve = createBls446();
  const verified = verifyTranscript(curve, network.roster, transcript);
  const workers = startCurvePool();
  try {
    await verifyFile({ curve, workers }, verified, file);
    return verified;
  } finally {
    await workers.close();
  }
}

function report(
  network: Network,
  { announcement, content, contributors, signers, file }: VerifiedTranscript,
  size: number,
) {
  return [
    `reference string ${announcement.id} holds: ${content.maxBits} bits, parameters ${content.parameters}`,
    `network ${network.roster.network}, digest ${shortDigest(network)}`,
    ...contributors.map((party) => `party ${party} contributed: knowledge of its secret is proven and signed`),
    `its end is signed by party ${signers.join(', ')}`,
    `file ${size} bytes ${toHex(file)}`,
  ];
}

/** `url` is that of the state of a reference string; both parts come from the node that it names. */
async function download(url: string): Promise<Downloaded> {
  const [base, id] = /^(.*)\/v1\/crs\/([0-9a-f]{64})$/.exec(url)?.slice(1) ?? [];
  if (base === undefined || id === undefined) {
    const message = 'want http://NODE/v1/crs/ID';
    throw new ConfigError('CONFIG_INVALID', { file: 'command line', field: 'source', message });
  }
  const client = createNodeClient(base, undefined);
  const { file, state } = await client.call(CrsBody, `/v1/crs/${id}`);
  if (file === undefined) throw new NodeUnreachable(`the reference string is ${state}: there is nothing to check`);
  const pull = async (path: string, bytesMax: number) => {
    const response = await client.open(path);
    return bounded(response, bytesMax);
  };
  return {
    file: await pull(`/v1/material/${file.digest}`, FILE_BYTES_MAX),
    transcript: await pull(`/v1/crs/${id}/transcript`, TRANSCRIPT_BYTES_MAX),
  };
}

async function bounded(response: Response, bytesMax: number): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let total = 0;
  for await (const piece of response.body ?? []) {
    total += piece.length;
    if (total > bytesMax) throw new NodeUnreachable(`the node sends more than ${bytesMax} bytes`);
    pieces.push(piece);
  }
  return new Uint8Array(Buffer.concat(pieces));
}

async function readBoth(file: string, transcript: string | undefined): Promise<Downloaded> {
  if (transcript === undefined) {
    const message = 'give --transcript with a file';
    throw new ConfigError('CONFIG_MISSING', { file: 'command line', field: 'transcript', message });
  }
  return { file: await readBytes(file), transcript: await readBytes(transcript) };
}

async function readBytes(file: string): Promise<Uint8Array> {
  try {
    return await readFile(file);
  } catch (error) {
    const message = `cannot be read (${systemCode(error) ?? 'unknown cause'})`;
    throw new ConfigError('CONFIG_MISSING', { file, field: 'file', message });
  }
}
