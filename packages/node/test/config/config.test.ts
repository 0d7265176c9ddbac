import { chmod, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readNodeConfig } from '../../src/config/config.ts';
import { ConfigError } from '../../src/config/config-error.ts';
import { networkOf, peersNeeded, readNetwork } from '../../src/config/network.ts';
import { readToml } from '../../src/config/read-toml.ts';
import { readS3Credentials } from '../../src/config/s3-settings.ts';
import { NetworkFile } from '../../src/config/schema.ts';
import { createDemoNetwork } from '../../src/setup/demo-network.ts';
import { temporaryFolder } from '../folders.ts';

interface Files {
  readonly node: string;
  readonly network: string;
}
let texts: Files;

beforeAll(async () => {
  const folder = await temporaryFolder(afterAll);
  const [first] = await createDemoNetwork({ folder: join(folder, 'demo'), parties: 4, threshold: 1, basePort: 7100 });
  const node = await readFile(first!.config, 'utf8');
  const network = await readFile(first!.config.replace('node.toml', 'network.toml'), 'utf8');
  texts = { node, network };
});

/** Writes both files after changes; returns the path of node.toml. */
async function files(change: Partial<{ [File in keyof Files]: (text: string) => string }>): Promise<string> {
  const folder = await temporaryFolder();
  const same = (text: string) => text;
  await writeFile(join(folder, 'node.toml'), (change.node ?? same)(texts.node));
  await writeFile(join(folder, 'network.toml'), (change.network ?? same)(texts.network));
  return join(folder, 'node.toml');
}

function refusal(file: string): ConfigError {
  try {
    readNodeConfig(file);
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error('the configuration was accepted');
}

const replace = (from: string | RegExp, to: string) => (text: string) => {
  expect(text).toMatch(from);
  return text.replace(from, to);
};

const storage = (line: string) => (text: string) =>
  `${text}\n[material.s3]\nendpoint = "https://s3.example/"\nbucket = "keys"\n${line}\n`;

const chain = (lines: string) => (text: string) => `${text}\n[[chains]]\nid = 1\n${lines}\n`;

const games = '[[applications]]\nname = "games"';

test('a chain: its endpoints, and which block counts', async () => {
  const { chains } = readNodeConfig(
    await files({ node: chain('rpc = ["https://one.example/v2/key"]\nfinality = 12') }),
  );
  const rest = { timeoutMs: 2_000, staleSeconds: 3_600 };
  expect(chains).toEqual([{ id: 1, rpc: ['https://one.example/v2/key'], finality: 12, ...rest }]);
  expect(readNodeConfig(await files({})).chains).toEqual([]);
});

test.each([
  ['chains.0.rpc.0', 'rpc = ["file:///etc/passwd"]'],
  ['chains.0.rpc.0', 'rpc = ["https://name:word@one.example"]'],
  ['chains.0.quorum', 'rpc = ["https://one.example"]\nquorum = 2'],
  ['chains.0.finality', 'rpc = ["https://one.example"]\nfinality = "pending"'],
  ['chains.1.id', 'rpc = ["https://one.example"]\n[[chains]]\nid = 1\nrpc = ["https://two.example"]'],
  [
    'applications.0.acl.chain',
    `rpc = ["https://one.example"]\n${games}\nacl = { chain = 2, contract = "0x${'ac'.repeat(20)}" }`,
  ],
  ['applications.1.name', `rpc = ["https://one.example"]\n${games}\n${games}`],
  ['applications.0.acl.contract', `rpc = ["https://one.example"]\n${games}\nacl = { chain = 1, contract = "0xac" }`],
])('a chain, or the application that names it, is refused: %s, %s', async (field, lines) => {
  expect(refusal(await files({ node: chain(lines) }))).toMatchObject({ code: 'CONFIG_INVALID', field });
});

test('credentials of object storage come from a private file or a variable, never from node.toml', async () => {
  const fromVariable = readNodeConfig(await files({ node: storage('credentialsEnv = "S3_LINE"') })).s3!;
  expect(fromVariable.place).toMatchObject({ endpoint: 'https://s3.example', region: 'us-east-1', bucket: 'keys' });
  const environment: NodeJS.ProcessEnv = { S3_LINE: 'AKID:a/secret+with=signs:' };
  const line = { accessKeyId: 'AKID', secretAccessKey: 'a/secret+with=signs:' };
  expect(readS3Credentials(fromVariable, environment)).toEqual(line);
  expect(environment).toEqual({});
  expect(() => readS3Credentials(fromVariable, environment)).toThrow(ConfigError);

  const file = await files({ node: storage('credentialsFile = "s3.credentials"') });
  const fromFile = readNodeConfig(file).s3!;
  const credentials = join(dirname(file), 's3.credentials');
  await writeFile(credentials, 'AKID:secret\n', { mode: 0o600 });
  expect(readS3Credentials(fromFile, {})).toEqual({ accessKeyId: 'AKID', secretAccessKey: 'secret' });
  await chmod(credentials, 0o644);
  expect(() => readS3Credentials(fromFile, {})).toThrow(/chmod 600/);
  await chmod(credentials, 0o600);
  for (const wrong of ['', 'AKID', ':secret', 'AKID:', 'two\nlines:x']) {
    await writeFile(credentials, wrong);
    expect(() => readS3Credentials(fromFile, {})).toThrow(ConfigError);
  }
});

const COPROCESSORS = ['11', '22', '33', '44'].map((byte) => `"0x${byte.repeat(20)}"`).join(', ');
const application = (lines: string) => (text: string) => `${text}\n[[applications]]\nname = "default"\n${lines}\n`;
const attested = (coprocessors: string, more: string) => {
  return { node: application(`provenance = ["attested"]\ncoprocessors = [${coprocessors}]\n${more}`) };
};

const PROOF_RULES = `[applications.proofs]
contracts = ["0x${'11'.repeat(20)}"]
aclContract = "0x${'22'.repeat(20)}"
hostChainId = 1`;

const provenWithList = ({ chain, byte }: { readonly chain: number; readonly byte: string }) => {
  const acl = `acl = { chain = ${chain}, contract = "0x${byte.repeat(20)}" }`;
  const known = `[[chains]]\nid = ${chain}\nrpc = ["https://one.example"]`;
  return application(`provenance = ["proven"]\n${acl}\n${PROOF_RULES}\n${known}`);
};

test('applications say where their ciphertexts come from', async () => {
  const { applications } = readNodeConfig(await files(attested(COPROCESSORS, 'attestations = 3')));
  const coprocessors = ['11', '22', '33', '44'].map((byte) => `0x${byte.repeat(20)}`);
  expect(applications).toEqual([{ name: 'default', provenance: ['attested'], coprocessors, attestations: 3 }]);
  const [proven] = readNodeConfig(
    await files({ node: application(`provenance = ["proven"]\n${PROOF_RULES}`) }),
  ).applications;
  expect(proven?.proofs).toMatchObject({ hostChainId: 1, developmentKeys: false });
  const [listed] = readNodeConfig(await files({ node: provenWithList({ chain: 1, byte: '22' }) })).applications;
  expect(listed).toMatchObject({ acl: { chain: 1 }, proofs: { hostChainId: 1 } });
  const [development] = readNodeConfig(await files({ node: application('') })).applications;
  expect(development).toEqual({ name: 'default', provenance: [], coprocessors: [] });
});

test('a made configuration is accepted, with defaults filled in', async () => {
  const config = readNodeConfig(await files({}));
  expect(config.network.roster).toMatchObject({ network: 'demo', n: 4, t: 1 });
  expect(config.pool.target).toBe(8192);
  expect(config.limits.runningRequests).toBe(256);
  expect(peersNeeded(config.network.roster)).toBe(2);
});

describe('what is wrong is named: file, field and what it must be', () => {
  const cases: [string, Parameters<typeof files>[0], Partial<ConfigError>, RegExp][] = [
    [
      'a port',
      { node: replace(/port = \d+/, 'port = 70000') },
      { code: 'CONFIG_INVALID', field: 'rest.port' },
      /65535/,
    ],
    ['unknown', { node: replace('[p2p]', '[p2p]\nport = 1') }, { field: 'p2p.port' }, /unknown field/],
    ['missing', { node: replace(/\[p2p\]\nlisten = .*/, '[p2p]') }, { field: 'p2p.listen' }, /missing/],
    ['any page', { node: replace(/origins = .*/, 'origins = ["*"]') }, { field: 'rest.origins.0' }, /must match/],
    ['a path', { node: replace(/origins = .*/, 'origins = ["https://a.example/"]') }, { field: 'rest.origins.0' }, /./],
    ['every app', { node: replace('http://localhost', 'https://a.example') }, { field: 'rest.origins.0' }, /./],
    ['choice', { node: replace('log = "info"', 'log = "loud"') }, { field: 'log' }, /debug, info, warn, error/],
    ['no unlock', { node: replace(/keyFile = .*/, '') }, { field: 'unlock' }, /exactly one/],
    ['two unlocks', { node: replace(/keyFile =/, 'passphraseEnv = "X"\nkeyFile =') }, { field: 'unlock' }, /got 2/],
    ['no credentials', { node: storage('') }, { field: 'material.s3' }, /exactly one/],
    ['secret inside', { node: storage('secretKey = "x"') }, { field: 'material.s3.secretKey' }, /unknown field/],
    ['a word', { node: application('provenance = ["hearsay"]') }, { field: 'applications.0.provenance.0' }, /attested/],
    ['no word', { node: application('attestations = 1') }, { field: 'applications.0.provenance' }, /"attested" is not/],
    ['half', attested(COPROCESSORS, 'attestations = 2'), { field: 'applications.0.attestations' }, /want 3\.\.4 of 4/],
    [
      'all and one',
      attested(COPROCESSORS, 'attestations = 5'),
      { field: 'applications.0.attestations' },
      /want 3\.\.4/,
    ],
    ['how many', attested(COPROCESSORS, ''), { field: 'applications.0.attestations' }, /got nothing, want 3\.\.4/],
    ['no proof', { node: application(`provenance = ["proven"]`) }, { field: 'applications.0.proofs' }, /missing/],
    ['no proven', { node: application(PROOF_RULES) }, { field: 'applications.0.provenance' }, /"proven" is not/],
    [
      'another access list',
      { node: provenWithList({ chain: 1, byte: '33' }) },
      { field: 'applications.0.proofs.aclContract' },
      /acl is 0x3333.* of chain 1/,
    ],
    [
      'a list on another chain',
      { node: provenWithList({ chain: 2, byte: '22' }) },
      { field: 'applications.0.proofs.hostChainId' },
      /acl is .* of chain 2/,
    ],
    ['nobody', attested('', 'attestations = 1'), { field: 'applications.0.coprocessors' }, /at least one/],
    [
      'a coprocessor twice',
      attested(`${COPROCESSORS}, "0x${'22'.repeat(20)}"`, 'attestations = 3'),
      { field: 'applications.0.coprocessors.4' },
      /same address/,
    ],
    ['syntax', { node: replace('party = 1', 'party == 1') }, { code: 'CONFIG_SYNTAX' }, /line 2, column/],
    ['party', { node: replace('party = 1', 'party = 5') }, { code: 'CONFIG_ROSTER', field: 'party' }, /4 parties/],
    ['n < 3t+1', { network: replace('threshold = 1', 'threshold = 2') }, { code: 'CONFIG_ROSTER' }, /at most 1/],
    ['n > 15', { network: replace('parties = 4', 'parties = 16') }, { field: 'parties' }, /15/],
    ['few cards', { network: replace('parties = 4', 'parties = 5') }, { code: 'CONFIG_ROSTER' }, /party 5/],
    ['a card', { network: replace('tcp/7103', 'tcp/7104') }, { code: 'CONFIG_CARD' }, /party 2 was changed/],
    ['other network', { network: replace('name = "demo"', 'name = "prod"') }, { code: 'CONFIG_ROSTER' }, /"prod"/],
  ];
  test.each(cases)('%s', async (_name, change, wanted, message) => {
    const error = refusal(await files(change));
    expect(error).toMatchObject(wanted);
    expect(error.message).toMatch(message);
    expect(error.message).toMatch(/(node|network)\.toml: /);
  });

  test('a missing file', async () => {
    const file = await files({ node: replace('network.toml', 'nowhere.toml') });
    expect(refusal(file)).toMatchObject({ code: 'CONFIG_MISSING' });
  });

  test('an application twice', async () => {
    const { node: once } = attested(`"0x${'11'.repeat(20)}"`, 'attestations = 1');
    const twice = (text: string) => once(once(text));
    expect(refusal(await files({ node: twice }))).toMatchObject({ field: 'applications.1.name' });
  });

  test('a requester twice', async () => {
    const twice = (text: string) => text + text.slice(text.indexOf('[[requesters]]'));
    expect(refusal(await files({ node: twice }))).toMatchObject({ field: 'requesters.1.name' });
  });
});

describe('the network digest', () => {
  const digestAfter = async (change: (text: string) => string) =>
    readNetwork((await files({ network: change })).replace('node.toml', 'network.toml')).digest;

  test('differs when n, t, keys or the signing domain differ, not when the order of cards does', async () => {
    const own = await digestAfter((text) => text);
    expect(await digestAfter(replace('gatewayChainId = 654321', 'gatewayChainId = 1'))).not.toBe(own);
    expect(await digestAfter(replace('0x4444', '0x4445'))).not.toBe(own);
    const file = (await files({})).replace('node.toml', 'network.toml');
    const content = readToml(file, NetworkFile);
    expect(networkOf({ ...content, cards: [...content.cards].reverse() }, file).digest).toBe(own);
  });

  test('a card twice, or a key of another party, is refused', async () => {
    const file = (await files({})).replace('node.toml', 'network.toml');
    const content = readToml(file, NetworkFile);
    const [first, second, ...rest] = content.cards;
    const twice = { ...content, cards: [first!, first!, ...rest] };
    expect(() => networkOf(twice, file)).toThrow(/second card of party 1/);
    const stolen = { ...content, cards: [first!, { ...second!, publicKey: first!.publicKey }, ...rest] };
    expect(() => networkOf(stolen, file)).toThrow(/party 2 has a key of party 1/);
  });
});
