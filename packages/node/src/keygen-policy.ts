/** Which ceremonies a node takes part in, whoever asks: its own configuration decides. */
import type { CrsRequest, KeygenRequest } from '@keyquorum/protocols/services';
import type { NodeConfig } from './config/config.ts';

/** Why this node refuses, or undefined when it takes part. */
export function admitsKeygen(policy: NodeConfig['keys'], request: KeygenRequest): string | undefined {
  const { purpose, parameters } = request;
  if (!policy.purposes.includes(purpose)) return `keys for ${purpose} are not allowed on this node`;
  if (!policy.parameters.includes(parameters)) return `parameters "${parameters}" are not allowed on this node`;
  if (purpose === 'production' && parameters === 'test') return 'test parameters protect nothing: not for production';
  return undefined;
}

/** The same for reference strings: they belong to keys of these parameters. */
export function admitsCrs(policy: NodeConfig['keys'], { parameters }: CrsRequest): string | undefined {
  if (policy.parameters.includes(parameters)) return undefined;
  return `parameters "${parameters}" are not allowed on this node`;
}
