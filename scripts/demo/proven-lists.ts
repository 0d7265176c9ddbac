/**
 * The demo's ballots: the network makes a common reference string, a voter encrypts with a proof that is bound to
 * contract, voter and chain, and the nodes decrypt that ballot and none without such a proof. node-tfhe proves.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { crsDigest } from '@keyquorum/crs/crs-file';
import { MAX_BITS } from '@keyquorum/crs/parameters';
import { inputMetadata } from '@keyquorum/wire/input-metadata';
import { type DecryptionRequest, decrypt, decryptionRequest } from '../network/decryption.ts';
import { type EncryptedValue, fheTypeOf, randomSample, type Sample } from '../network/encryption.ts';
import { type CeremonyProgress, newRequestId } from '../network/key-generation.ts';
import type { LocalNetwork } from '../network/local-network.ts';
import { proveInThread } from '../network/proving.ts';
import { finishedReferenceString } from '../network/reference-string.ts';
import { RestError } from '../network/rest.ts';
import { CONTRACT, HOST_CHAIN } from '../network/user.ts';
import { inStep } from './progress.ts';
import type { Setting } from './round.ts';
import { shownValue, table } from './table.ts';

const FINISHED_WITHIN_MS = 120_000;
const APP = 'ballot';
/** Any contract, too: what is proven must name it all the same. */
const ACL_CONTRACT = `0x${'ac'.repeat(20)}`;
const VOTER = `0x${'a1'.repeat(20)}`;
const SOMEBODY_ELSE = `0x${'b2'.repeat(20)}`;

/** In `node.toml`: the application, and that the demo's requester may use it. */
const APPLICATION = `
# Voters prove that their ballots are well formed.
[[applications]]
name = "${APP}"
provenance = ["proven"]
[applications.proofs]
contracts = ["${CONTRACT}"]
aclContract = "${ACL_CONTRACT}"
hostChainId = ${HOST_CHAIN}
developmentKeys = true
`;
const [REQUESTER_APPS, WITH_BALLOTS] = ['apps = [ "default" ]', `apps = [ "default", "${APP}" ]`];

/** Before the nodes start. */
export async function allowBallots({ nodes }: LocalNetwork): Promise<void> {
  for (const { config } of nodes) {
    const settings = await readFile(config, 'utf8');
    if (!settings.includes(REQUESTER_APPS)) throw new Error(`${config}: no requester with ${REQUESTER_APPS}`);
    await writeFile(config, settings.replace(REQUESTER_APPS, WITH_BALLOTS) + APPLICATION);
  }
}

export interface ReferenceString {
  readonly id: string;
  readonly file: Uint8Array;
}

/** For proofs over 2048 bits, as the ecosystem has it; every node contributes, and each checks all others. */
export function makeReferenceString({ network, keyId }: Setting): Promise<ReferenceString> {
  return inStep(`common reference string for proofs over ${MAX_BITS} bits`, async (step) => {
    const id = newRequestId();
    await network.rest(1).post('/v1/crs', { requestId: id, keyId, maxBits: MAX_BITS });
    for await (const { data } of network.rest(1).events(`/v1/ceremonies/${id}/events`)) {
      const { done, total, phase } = JSON.parse(data) as CeremonyProgress;
      step.update(done, total, phase);
    }
    const finished = (party: number) => finishedReferenceString(network.rest(party), id, FINISHED_WITHIN_MS);
    const views = await Promise.all(network.nodes.map(({ party }) => finished(party)));
    const digests = new Set(views.map(({ file }) => file!.digest));
    if (digests.size !== 1) throw new Error('the nodes announce different reference strings');
    const { file, contributors } = views[0]!;
    const bytes = await network.rest(2).bytes(`/v1/material/${file!.digest}`);
    if (Buffer.from(crsDigest(bytes)).toString('hex') !== file!.digest) throw new Error('other bytes than announced');
    return {
      result: { id, file: bytes },
      detail: `${bytes.length} bytes, secrets of parties ${contributors.join(', ')}`,
    };
  });
}

export interface BallotRow {
  readonly sample: Sample;
  readonly ballot: string;
  /** The value, or the code of the refusal. */
  readonly outcome: string;
  readonly ms: number;
  readonly right: boolean;
}

/** One ballot with its proof, the same as somebody else's, and one without a proof: only the first is decrypted. */
export async function castBallots(setting: Setting, crs: ReferenceString): Promise<BallotRow[]> {
  const sample = randomSample('uint64');
  const proof = { crsId: crs.id, contractAddress: CONTRACT, userAddress: VOTER };
  const bound = { ...proof, aclAddress: ACL_CONTRACT, chainId: BigInt(HOST_CHAIN) };
  const proven = await inStep('node-tfhe encrypts a ballot and proves that it is well formed', async () => {
    const metadata = inputMetadata(bound);
    const job = { publicKey: setting.publicKey, crs: crs.file, metadata, samples: [sample] };
    const [result] = (await proveInThread(job)) as [EncryptedValue];
    return { result, detail: `${Math.ceil((3 * result.bytes.length) / 4)} bytes` };
  });
  const [unproven] = setting.encryptor.encrypt([sample], 'packed') as [EncryptedValue];
  const stolen = { ...proof, userAddress: SOMEBODY_ELSE };
  return [
    await decrypted(setting, sample, { ...proven, provenance: { proof } }),
    await refused(setting, sample, { ...proven, provenance: { proof: stolen } }, 'copied by somebody else'),
    await refused(setting, sample, unproven, 'without a proof'),
  ];
}

function ballotRequest({ keyId }: Setting, ciphertext: EncryptedValue): DecryptionRequest {
  return { ...decryptionRequest(keyId, [ciphertext]), app: APP };
}

async function decrypted(setting: Setting, sample: Sample, ciphertext: EncryptedValue): Promise<BallotRow> {
  const { values, ms } = await decrypt(setting.network.rest(2), ballotRequest(setting, ciphertext));
  const [value] = values;
  const right = BigInt(value?.value ?? -1) === sample.value && value?.fheType === fheTypeOf(sample.type);
  return { sample, ballot: 'with its proof', outcome: 'decrypted', ms, right };
}

async function refused(
  setting: Setting,
  sample: Sample,
  ciphertext: EncryptedValue,
  ballot: string,
): Promise<BallotRow> {
  const started = performance.now();
  const outcome = await decrypt(setting.network.rest(2), ballotRequest(setting, ciphertext)).then(
    () => 'decrypted',
    (error: unknown) => codeOf(error),
  );
  const right = outcome === 'PROOF_INVALID' || outcome === 'PROVENANCE_REQUIRED';
  return { sample, ballot, outcome, ms: performance.now() - started, right };
}

function codeOf(error: unknown): string {
  if (!(error instanceof RestError)) throw error;
  return (error.body as { readonly error: { readonly code: string } }).error.code;
}

export function ballotTable(rows: readonly BallotRow[]): string {
  const cells = rows.map(({ sample, ballot, outcome, ms, right }) => {
    return [right ? '✓' : '✗ WRONG', shownValue(sample), ballot, outcome, ms.toFixed(0)];
  });
  return table(['', 'value', 'ballot', 'what the nodes did', 'ms'], cells);
}
