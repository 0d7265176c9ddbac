/**
 * `npm start`: four nodes as four processes, a key that none of them holds, values encrypted by node-tfhe and decrypted
 * by the network; then a node is killed, comes back, and another one lies. `--once` ends afterwards: exit status 0 only
 * if every value was right and the liar was named. Everything goes through the public CLI and REST interface.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decryptPublic } from '@keyquorum/client/public-decryption';
import { inStep, seconds } from './demo/progress.ts';
import { allowBallots, ballotTable, castBallots, makeReferenceString } from './demo/proven-lists.ts';
import { readAsUser, readTable } from './demo/re-encryption.ts';
import { DEMO_TYPES, decryptEach, type Row, rowsTable, type Setting } from './demo/round.ts';
import { committeeOf, statusOf } from './network/committee.ts';
import { decryptionRequest } from './network/decryption.ts';
import { createEncryptor, randomSample } from './network/encryption.ts';
import { fetchObject, finishedKey, generateKey } from './network/key-generation.ts';
import { createLocalNetwork, type LocalNetwork } from './network/local-network.ts';
import { pageLink } from './network/page-link.ts';
import { waitFor } from './network/rest.ts';

const PARTIES = 4;
const THRESHOLD = 1;
const ALL = [1, 2, 3, 4];
const POOL_WITHIN_MS = 120_000;
const KEY_WITHIN_MS = 60_000;
const CATCH_UP_WITHIN_MS = 60_000;
/** After so many requests a liar that answers at all has been in time for once. */
const REQUESTS_MAX = 30;
const once = process.argv.includes('--once');
const say = (text: string): void => console.log(text);

function bringUp(dir: string): Promise<LocalNetwork> {
  const title = `${PARTIES} nodes, at most ${THRESHOLD} of them corrupt, linked by libp2p (TCP, Noise, yamux)`;
  return inStep(title, async (step) => {
    const network = await createLocalNetwork({ parties: PARTIES, threshold: THRESHOLD, dir });
    await allowBallots(network);
    let done = 0;
    const count = (detail: string) => step.update(++done, 2 * PARTIES, detail);
    await Promise.all(ALL.map((party) => network.start(party).then(() => count('processes are starting'))));
    await Promise.all(ALL.map((party) => network.ready(party).then(() => count('agreeing on common randomness'))));
    return { result: network, detail: `watch party 1 at ${network.nodes[0]!.rest}/dashboard` };
  });
}

/** Done before the key is made: on two cores it would make the rounds of the key generation late. */
function fillPool(network: LocalNetwork): Promise<number> {
  return inStep('one-time material for decryptions', async (step) => {
    const blocks = await waitFor({ what: 'a full pool', withinMs: POOL_WITHIN_MS }, async () => {
      const { pool } = await statusOf(network, 1);
      step.update(pool.available, pool.target, pool.reason || `${pool.available} blocks of 2 bits`);
      return pool.available >= pool.target ? pool.available : undefined;
    });
    return { result: blocks, detail: `${blocks} blocks of 2 bits ready` };
  });
}

async function makeKey(network: LocalNetwork): Promise<Setting> {
  const key = await inStep('key generation, Default parameters', async (step) => {
    const request = { parameters: 'base', purpose: 'development' } as const;
    const made = await generateKey(network.rest(1), request, ({ done, total, phase, waitingFor }) => {
      step.update(done, total, waitingFor.length > 0 ? `${phase}, waiting for ${waitingFor.join(', ')}` : phase);
    });
    return { result: made, detail: `key ${made.requestId.slice(0, 8)}` };
  });
  const publicKey = await inStep('compact public key over HTTP, digest checked', async () => {
    const others = ALL.slice(1).map((party) => finishedKey(network.rest(party), key.requestId, KEY_WITHIN_MS));
    const views = [key, ...(await Promise.all(others))];
    const digests = new Set(views.map(({ objects }) => objects.map(({ digest }) => digest).join()));
    if (digests.size !== 1) throw new Error('the nodes announce different keys');
    const bytes = await fetchObject(network.rest(2), key, 'CompactPublicKey');
    return { result: bytes, detail: `${bytes.length} bytes, the same at all nodes` };
  });
  const committee = await committeeOf(network);
  return { network, committee, encryptor: createEncryptor(publicKey), publicKey, keyId: key.requestId };
}

async function loseOneNode(setting: Setting): Promise<Row[]> {
  const { network } = setting;
  say('\nparty 4 is killed (SIGKILL): the others go on');
  await network.kill(4);
  const rows = await decryptEach(setting, { parties: [1, 2, 3], packing: 'packed' });
  say(rowsTable(rows));
  await inStep('party 4 comes back and catches up', async () => {
    await network.start(4);
    await network.ready(4);
    const { pool } = await waitFor({ what: 'party 4 catching up', withinMs: CATCH_UP_WITHIN_MS }, async () => {
      const [mine, theirs] = await Promise.all([statusOf(network, 4), statusOf(network, 1)]);
      return mine.epoch === theirs.epoch && mine.pool.available > 0 ? mine : undefined;
    });
    return { result: undefined, detail: `${pool.available} blocks usable` };
  });
  const again = await decryptEach(setting, { parties: ALL, ask: [4], types: ['uint64'], packing: 'packed' });
  say(rowsTable(again));
  return [...rows, ...again];
}

/** Whether the values were right and t+1 nodes named exactly the liar. */
async function meetALiar(setting: Setting): Promise<{ rows: Row[]; named: boolean }> {
  const { network, committee, encryptor, keyId } = setting;
  await inStep('party 3 restarts as a liar (KEYQUORUM_FAULTS=1 --fault wrong-share)', async () => {
    await network.stop(3);
    await network.start(3, 'wrong-share');
    await network.ready(3);
    return { result: undefined };
  });
  const rows = await decryptEach(setting, { parties: [1, 2, 4], packing: 'packed' });
  say(rowsTable(rows));
  const options = { authorization: `Bearer ${network.apiKey}`, deadlineMs: 15_000 };
  // A share that comes after 2t+1 others were right is too late for an answer: nobody needed to look at it.
  for (let request = 0; request < REQUESTS_MAX; request++) {
    const sample = randomSample('uint64');
    const body = decryptionRequest(keyId, encryptor.encrypt([sample], 'packed'));
    const { values, faults } = await decryptPublic(committee, body, options).finished;
    const liars = faults.filter(({ kind }) => kind === 'wrong-share');
    for (const { party, reportedBy } of liars) say(`  party ${party} lied, say parties ${reportedBy.join(', ')}`);
    if (BigInt(values[0]?.value ?? -1) !== sample.value) break;
    if (liars.length > 0) return { rows, named: liars.length === 1 && liars[0]!.party === 3 };
  }
  return { rows, named: false };
}

async function run(network: LocalNetwork): Promise<{ setting: Setting; right: boolean }> {
  await fillPool(network);
  const setting = await makeKey(network);
  say(`\nvalues encrypted by node-tfhe, one of each of ${DEMO_TYPES.length} types in a packed and in a plain list`);
  const first = [
    ...(await decryptEach(setting, { parties: ALL, packing: 'packed' })),
    ...(await decryptEach(setting, { parties: ALL, packing: 'plain' })),
  ];
  say(rowsTable(first));
  say('\na user with a wallet reads values that nobody else learns: each node answers with a share for the user alone');
  const read = await readAsUser(setting);
  say(readTable(read));
  say('\nvoters prove that their ballots are well formed; the application wants no others');
  const ballots = await castBallots(setting, await makeReferenceString(setting));
  say(ballotTable(ballots));
  const second = await loseOneNode(setting);
  say('');
  const { rows: third, named } = await meetALiar(setting);
  const rows = [...first, ...read, ...ballots, ...second, ...third];
  const wrong = rows.filter(({ right }) => !right).length;
  say(`\n${rows.length - wrong} of ${rows.length} values right; the liar was ${named ? 'named' : 'NOT named'}`);
  return { setting, right: wrong === 0 && named };
}

/** Leaves an example that works with curl alone. */
async function sayHowToUse({ network, encryptor, keyId }: Setting): Promise<void> {
  const request = decryptionRequest(keyId, encryptor.encrypt([{ type: 'uint64', value: 42n }], 'packed'));
  const file = join(network.dir, 'decrypt-42.json');
  await writeFile(file, JSON.stringify(request));
  const [{ rest, apiKeyFile }] = network.nodes as [LocalNetwork['nodes'][number]];
  say(`\nThe network stays up until Ctrl-C. Try:
  export KEY="Authorization: Bearer $(cat ${apiKeyFile})"
  curl -s -H "$KEY" ${rest}/v1/status
  curl -s -H "$KEY" -H 'content-type: application/json' -d @${file} '${rest}/v1/public-decryptions?wait=30'
  open ${rest}/dashboard
  open ${rest}/docs
To encrypt and read in a browser: npm run page, open
  ${pageLink('http://localhost:5173', network, keyId)}
and give it the API key of ${apiKeyFile}`);
}

async function main(): Promise<void> {
  const started = performance.now();
  const interrupted = Promise.withResolvers<'interrupted'>();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => interrupted.resolve('interrupted'));
  }
  const dir = await mkdtemp(join(tmpdir(), 'keyquorum-demo-'));
  let network: LocalNetwork | undefined;
  let right = false;
  try {
    const demo = (async () => {
      network = await bringUp(dir);
      return run(network);
    })();
    const outcome = await Promise.race([demo, interrupted.promise]);
    if (outcome === 'interrupted') return;
    right = outcome.right;
    say(`${right ? 'All as promised' : 'NOT as promised'}, in ${seconds(performance.now() - started)}.`);
    if (once) return;
    await sayHowToUse(outcome.setting);
    await interrupted.promise;
  } catch (error) {
    console.error(error);
    console.error(`the nodes' logs are in ${dir}/party-*/node.log`);
  } finally {
    await network?.stopAll();
    process.exitCode = right ? 0 : 1;
    if (right) await rm(dir, { recursive: true, force: true });
  }
}

await main();
process.exit(); // after Ctrl-C steps may still wait for nodes that are gone
