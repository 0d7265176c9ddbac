/** Commands that call a running node: status, keygen, decrypt. */
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { KEY_SET_NAMES } from '@keyquorum/tfhe/key-sets';
import { Command, Option } from 'commander';
import { Check } from 'typebox/value';
import { Accepted, CeremonyBody, DecryptionBody, KeyBody, Status } from '../rest/schemas.ts';
import { eventsOf } from './event-stream.ts';
import { EXIT } from './exit.ts';
import { integer } from './init-command.ts';
import type { NodeClient } from './node-client.ts';
import { createProgress } from './progress.ts';
import { clientOf, type TargetOptions, withTarget } from './target.ts';

type Print = (line: string) => void;
const WAIT_SECONDS = 30;
export const newId = () => randomBytes(32).toString('hex');

export function statusCommand(print: Print): Command {
  return withTarget(new Command('status'))
    .description('how a node and its peers are')
    .option('--json', 'the answer of the node as it is')
    .action(async (options: TargetOptions & { json?: true }) => {
      const status = await clientOf(options).call(Status, '/v1/status');
      if (options.json) return print(JSON.stringify(status));
      const { party, parties, threshold, network, epoch, ready, reason, pool, keys, material, peers } = status;
      print(
        `party ${party} of ${parties} (t=${threshold}) in ${network} - epoch ${epoch} - ${ready ? 'ready' : reason}`,
      );
      const why = pool.reason === '' ? '' : ` - ${pool.reason}`;
      print(`pool ${pool.available}/${pool.target} blocks - ${pool.refillPerSecond.toFixed(0)} blocks/s${why}`);
      for (const key of keys)
        print(`key ${key.id} - ${key.purpose} - parameters ${key.parameters} - epoch ${key.epoch}`);
      const { s3, verified, objects } = material;
      const published = s3 ? ` - ${s3.published} in object storage${s3.problem === '' ? '' : ` - ${s3.problem}`}` : '';
      print(`material ${verified} of ${objects} objects verified${published}`);
      for (const digest of material.damaged) print(`material ${digest} is damaged: waiting for peers to give it back`);
      for (const peer of peers) {
        const problem = peer.problem === '' ? '' : ` - ${peer.problem}`;
        const latency = peer.latencyMs === null ? '' : ` - ${peer.latencyMs.toFixed(1)} ms`;
        print(`party ${peer.party} ${peer.up ? 'up' : 'down'} - ${peer.address}${latency}${problem}`);
      }
    });
}

interface KeygenOptions extends TargetOptions {
  readonly id?: string;
  readonly parameters: string;
  readonly purpose?: string;
  readonly watch?: boolean;
  readonly json?: boolean;
}

export function keygenCommand(print: Print, exit: (code: number) => void): Command {
  return withTarget(new Command('keygen'))
    .description('generate a key; prints its id')
    .option('--id <hex>', 'request id, 64 hex characters; becomes the key id')
    .addOption(
      new Option('--parameters <set>', 'which key set: docs/rest.md').choices(KEY_SET_NAMES).default('default'),
    )
    .addOption(new Option('--purpose <purpose>', 'what the key is for').choices(['development', 'production']))
    .option('--watch', 'show progress and wait for the end')
    .option('--json', 'machine-readable lines')
    .action(async ({ id = newId(), parameters, purpose, watch, json = false, ...target }: KeygenOptions) => {
      const client = clientOf(target);
      const body = { requestId: id, parameters, ...(purpose !== undefined && { purpose }) };
      await client.call(Accepted, '/v1/keys', { method: 'POST', body });
      if (!watch) return print(id);
      await watchCeremony(client, id, createProgress(print, { json, now: Date.now }));
      const key = await client.call(KeyBody, `/v1/keys/${id}?wait=${WAIT_SECONDS}`);
      print(json ? JSON.stringify(key) : keyLine(key));
      if (key.state !== 'succeeded') exit(EXIT.failed);
    });
}

function keyLine({ requestId, state, objects, error }: KeyBody): string {
  const sizes = objects.map(({ type, size, digest }) => `${type} ${size} bytes ${digest}`);
  return [`key ${requestId} ${state}`, ...sizes, ...(error ? [`${error.code}: ${error.message}`] : [])].join(' - ');
}

export async function watchCeremony(
  client: NodeClient,
  id: string,
  show: ReturnType<typeof createProgress>,
): Promise<void> {
  for await (const data of eventsOf(await client.open(`/v1/ceremonies/${id}/events`), 'ceremony')) {
    const ceremony: unknown = JSON.parse(data);
    if (Check(CeremonyBody, ceremony)) show(ceremony, isFinalState(ceremony));
  }
}

function isFinalState({ state }: CeremonyBody): boolean {
  return state !== 'pending' && state !== 'running';
}

interface DecryptOptions extends TargetOptions {
  readonly id?: string;
  readonly key: string;
  readonly format: string;
  readonly slot: number[];
  readonly app: string;
  readonly json?: true;
}

export function decryptCommand(print: Print, exit: (code: number) => void): Command {
  return withTarget(new Command('decrypt'))
    .description('decrypt a file publicly; prints one value per line')
    .argument('<file>', 'safe_serialize bytes of a list or of one value')
    .requiredOption('--key <id>', 'id of the key it is encrypted under')
    .option('--id <hex>', 'request id')
    .option('--format <format>', 'of the file, as docs/rest.md names them', 'compact-list')
    .option(
      '--slot <index...>',
      'values of the list to decrypt',
      (text, slots: number[]) => [...slots, integer(text)],
      [],
    )
    .option('--app <name>', 'application', 'default')
    .option('--json', 'the answer of the node as it is')
    .action(async (file: string, options: DecryptOptions) => {
      const bytes = (await readFile(file)).toString('base64');
      const { id = newId(), key: keyId, format, app } = options;
      const slots = options.slot.length === 0 ? [0] : options.slot;
      const ciphertexts = slots.map((slot) => ({ handle: newId(), format, bytes, ...(slot > 0 && { slot }) }));
      const client = clientOf(options);
      const body = { requestId: id, keyId, app, ciphertexts, extraData: '' };
      await client.call(Accepted, '/v1/public-decryptions', { method: 'POST', body });
      const answer = await client.call(DecryptionBody, `/v1/public-decryptions/${id}?wait=${WAIT_SECONDS}`);
      if (options.json) print(JSON.stringify(answer));
      else for (const { fheType, value } of answer.values) print(`${fheType} ${value}`);
      for (const { party, kind } of answer.faults) console.error(`party ${party}: ${kind}`);
      if (answer.state === 'succeeded') return;
      if (answer.error)
        console.error(`keyquorum: ${answer.error.code}: ${answer.error.message}\n  hint: ${answer.error.hint}`);
      exit(EXIT.failed);
    });
}
