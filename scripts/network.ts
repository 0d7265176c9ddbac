/**
 * `npm run network -- --parties 4 --threshold 1 --dir DIR --base-port P`: a network of real processes on this machine,
 * kept up until it is ended. Standard output is one JSON line per node and `{"ready":true}` last; see the README.
 */
import { once } from 'node:events';
import { parseArgs } from 'node:util';
import { createLocalNetwork, type LocalNetwork } from './network/local-network.ts';

const { values } = parseArgs({
  options: {
    parties: { type: 'string', default: '4' },
    threshold: { type: 'string', default: '1' },
    dir: { type: 'string', default: '.keyquorum/network' },
    'base-port': { type: 'string' },
  },
});

function integer(name: string, text: string, [minimum, maximum]: readonly [number, number]): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= minimum && value <= maximum) return value;
  throw new Error(`--${name} ${text}: want an integer ${minimum}..${maximum}`);
}

async function main(): Promise<void> {
  const ending = new AbortController();
  const ended = once(ending.signal, 'abort');
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => ending.abort());
  const basePort = values['base-port'];
  const network = await createLocalNetwork({
    parties: integer('parties', values.parties, [4, 15]),
    threshold: integer('threshold', values.threshold, [1, 4]),
    dir: values.dir,
    ...(basePort !== undefined && { basePort: integer('base-port', basePort, [1, 65_500]) }),
  });
  try {
    await Promise.race([bringUp(network, ending.signal), ended]);
    await ended;
  } finally {
    await network.stopAll();
  }
}

async function bringUp(network: LocalNetwork, ending: AbortSignal): Promise<void> {
  await network.startAll();
  for (const { party, rest, p2p, apiKeyFile } of network.nodes) {
    console.log(JSON.stringify({ party, rest, p2p, apiKeyFile }));
    network.process(party)?.gone.addEventListener('abort', () => {
      if (!ending.aborted) console.error(`party ${party} is down`);
    });
  }
  await network.allReady();
  console.log(JSON.stringify({ ready: true }));
}

try {
  await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
