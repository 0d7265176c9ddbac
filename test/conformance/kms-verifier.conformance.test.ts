/**
 * The KMSVerifier contract of Zama's protocol checks proofs of committees of every size: what it must accept, and what
 * it must refuse, by the name of its error. The keys are the test's; answers of a real network are in
 * `relayer-sdk.conformance.test.ts`.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { decryptedResult } from '@keyquorum/wire/abi';
import { createDecryptionProof, encodeDecryptionProof } from '@keyquorum/wire/decryption-proof';
import { publicDecryptionDigest, type SigningDomain } from '@keyquorum/wire/eip712';
import { encodeExtraData, signedExtraData } from '@keyquorum/wire/extra-data';
import { createSigner, type Signer } from '@keyquorum/wire/signer';
import { bytesToHex } from 'viem';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Chain, startChain } from './anvil.ts';
import { deployHostContracts, type HostContracts } from './host-contracts.ts';

const DOMAIN = { chainId: 654_321n, verifyingContract: `0x${'44'.repeat(20)}` } as const;
const COMMITTEES = [
  { n: 4, t: 1 },
  { n: 7, t: 2 },
  { n: 13, t: 4 },
] as const;
const HANDLES = [new Uint8Array(32).fill(0x11), new Uint8Array(32).fill(0x22)];
const RESULT = resultOf(424_242n);
const NOTHING = new Uint8Array(0);
const EXTRA_DATA = {
  'no extraData': NOTHING,
  'extraData 00': new Uint8Array(1),
  'a context': encodeExtraData({ version: 1, contextId: (7n << 248n) + 1n }),
  'a context and an epoch': encodeExtraData({ version: 2, contextId: (7n << 248n) + 1n, epochId: (8n << 248n) + 3n }),
} as const;

let chain: Chain;
let contracts: HostContracts;

function resultOf(value: bigint): Uint8Array {
  const values = [
    { type: { kind: 'uint', bits: 64 }, value },
    { type: { kind: 'bool', bits: 1 }, value: 1n },
  ] as const;
  return decryptedResult(values)!;
}

const signersOf = (n: number): Signer[] =>
  Array.from({ length: n }, (_, index) => createSigner(new Uint8Array(32).fill(index + 1)));

interface Said {
  readonly domain?: Partial<SigningDomain>;
  readonly result?: Uint8Array;
  /** As in the request. */
  readonly extraData?: Uint8Array;
}

function signaturesOf(signers: readonly Signer[], { domain = {}, result = RESULT, extraData = NOTHING }: Said = {}) {
  const answer = { handles: HANDLES, decryptedResult: result, extraData: signedExtraData(extraData) };
  const digest = publicDecryptionDigest({ ...DOMAIN, ...domain }, answer);
  return signers.map((signer) => signer.sign(digest));
}

const verify = (proof: Uint8Array, result = RESULT, handles = HANDLES) =>
  contracts.verify(
    handles.map((handle) => bytesToHex(handle)),
    bytesToHex(result),
    bytesToHex(proof),
  );

beforeAll(async () => {
  chain = await startChain();
  const signers = signersOf(4).map(({ address }) => address);
  const domain = { gatewayChainId: DOMAIN.chainId, decryptionContract: DOMAIN.verifyingContract };
  contracts = await deployHostContracts(chain, { domain, signers, quorum: 2 });
});
afterAll(() => chain?.[Symbol.asyncDispose]());

const CASES = COMMITTEES.flatMap(({ n, t }) => [
  { n, t, quorum: t + 1 },
  { n, t, quorum: 2 * t + 1 },
]);

describe.each(CASES)('$n parties, $quorum signatures wanted', ({ n, quorum }) => {
  const signers = signersOf(n);
  const addresses = signers.map(({ address }) => address);
  beforeAll(() => contracts.defineSigners(addresses, quorum));

  const first = signers.slice(0, quorum);
  const proofOf = (signatures: readonly Uint8Array[], extraData: Uint8Array = NOTHING) =>
    encodeDecryptionProof(signatures, extraData);
  const outsider = createSigner(new Uint8Array(32).fill(0xee));

  describe.each(Object.entries(EXTRA_DATA))('accepted with %s', (_, extraData) => {
    test.for([
      ['the first ones', first],
      ['the last ones', signers.slice(-quorum)],
      ['all', signers],
    ] as const)('%s', async ([, group]) => {
      const signatures = signaturesOf(group, { extraData }).map((signature, index) => {
        return { party: signers.indexOf(group[index]!) + 1, signature };
      });
      const answer = { handles: HANDLES, decryptedResult: RESULT, extraData };
      const proof = createDecryptionProof(DOMAIN, answer, signatures, { signers: addresses, quorum });
      expect(await verify(proof!.bytes)).toBe(true);
    });
  });

  const zeroByV = (signature: Uint8Array) =>
    Uint8Array.from(signature, (byte, index) => (index < 64 ? byte : byte - 27));
  const REFUSALS: readonly (readonly [string, () => ReturnType<typeof verify>, false | string])[] = [
    ['one too few', () => verify(proofOf(signaturesOf(first.slice(1)))), 'KMSSignatureThresholdNotReached'],
    ['one of them twice', () => verify(proofOf(signaturesOf([...first.slice(1), first[1]!]))), false],
    ["an outsider's", () => verify(proofOf(signaturesOf([outsider, ...first]))), 'KMSInvalidSigner'],
    [
      'another extraData than was signed',
      () => verify(proofOf(signaturesOf(first), new Uint8Array(1))),
      'KMSInvalidSigner',
    ],
    [
      'for another chain',
      () => verify(proofOf(signaturesOf(first, { domain: { chainId: 31_337n } }))),
      'KMSInvalidSigner',
    ],
    [
      'for another contract',
      () => verify(proofOf(signaturesOf(first, { domain: { verifyingContract: contracts.address.KMSVerifier } }))),
      'KMSInvalidSigner',
    ],
    ['another result', () => verify(proofOf(signaturesOf(first)), resultOf(424_243n)), 'KMSInvalidSigner'],
    [
      'handles in another order',
      () => verify(proofOf(signaturesOf(first)), RESULT, [...HANDLES].reverse()),
      'KMSInvalidSigner',
    ],
    ['nothing', () => verify(NOTHING), 'EmptyDecryptionProof'],
    ['no signature', () => verify(proofOf([])), 'KMSZeroSignature'],
    ['cut off', () => verify(proofOf(signaturesOf(first)).subarray(0, -1)), 'DeserializingDecryptionProofFail'],
    ['v 0 or 1', () => verify(proofOf(signaturesOf(first).map(zeroByV))), 'ECDSAInvalidSignature'],
  ];
  test.for(REFUSALS)('refused: %s', async ([, refusal, want]) => expect(await refusal()).toBe(want));
});

test('the chain ends with the process that started it, even when that is killed', async () => {
  const module = JSON.stringify(join(import.meta.dirname, 'anvil.ts'));
  const program = `const { startChain } = await import(${module}); console.log((await startChain()).url);`;
  const parent = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [url] = await once(createInterface(parent.stdout), 'line');
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  await once(socket, 'connect');
  const closed = new Promise((resolve) => socket.on('error', () => undefined).on('close', resolve));
  parent.kill('SIGKILL');
  await closed;
  await expect(fetch(url)).rejects.toThrow('fetch failed');
});
