/**
 * The coordinator program: `keyquorum-coordinator --config FILE --port P`. The file is JSON:
 * `{"threshold":1,"gatewayChainId":654321,"decryptionContract":"0x..","nodes":[{"party":1,"url":"http://..","signer":"0x.."}]}`.
 */
import { readFile } from 'node:fs/promises';
import type { Committee } from '@keyquorum/client/committee';
import { ClientError } from '@keyquorum/client/errors';
import { Command, InvalidArgumentError } from 'commander';
import Type from 'typebox';
import Compile from 'typebox/compile';
import { createService } from './service.ts';

const Address = Type.Unsafe<`0x${string}`>(Type.String({ pattern: '^0x[0-9a-fA-F]{40}$' }));
const CommitteeFile = Type.Object(
  {
    threshold: Type.Integer({ minimum: 1 }),
    gatewayChainId: Type.Integer({ minimum: 1 }),
    decryptionContract: Address,
    nodes: Type.Array(
      Type.Object({ party: Type.Integer(), url: Type.String(), signer: Address }, { additionalProperties: false }),
    ),
  },
  { additionalProperties: false },
);
const committeeFile = Compile(CommitteeFile);

async function readCommittee(path: string): Promise<Committee> {
  const parsed: unknown = JSON.parse(await readFile(path, 'utf8'));
  if (!committeeFile.Check(parsed)) {
    const [first] = committeeFile.Errors(parsed);
    throw new ClientError('COMMITTEE_INVALID', `${path}: ${first?.instancePath || '/'} ${first?.message ?? ''}`);
  }
  return { ...parsed, gatewayChainId: BigInt(parsed.gatewayChainId) };
}

function integer(minimum: number, maximum: number) {
  return (text: string): number => {
    const value = Number(text);
    if (!Number.isInteger(value) || value < minimum || value > maximum) {
      throw new InvalidArgumentError(`want an integer ${minimum}..${maximum}`);
    }
    return value;
  };
}

const program = new Command('keyquorum-coordinator')
  .description('asks all nodes of a Keyquorum network and returns results that t+1 of them signed')
  .requiredOption('--config <file>', 'committee of nodes, JSON')
  .option('--host <address>', 'address to listen on', '127.0.0.1')
  .option('--port <number>', 'port to listen on', integer(0, 65_535), 8080)
  .option('--deadline <seconds>', 'how long nodes may take for one request', integer(1, 3_600), 60);

const { config, host, port, deadline } = program.parse().opts<{
  config: string;
  host: string;
  port: number;
  deadline: number;
}>();
const service = await createService({ committee: await readCommittee(config), deadlineMs: deadline * 1_000 });
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => service.close());
await service.listen({ host, port });
