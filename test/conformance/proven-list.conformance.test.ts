/**
 * What a node says to lists that node-tfhe has proven: taken under a production key when they are bound to a contract
 * of the application, and to their user where one user reads them; and what becomes of a check that goes wrong.
 */

import { crsParameters } from '@keyquorum/crs/parameters';
import { sha256 } from '@keyquorum/mpc/bytes';
import type { Application, ProofRules } from '@keyquorum/node/config/schema';
import { createProofPool, PROOF_POOL, type ProofCheck, type ProofPoolOptions } from '@keyquorum/node/proofs/pool';
import { type Reader, requireProvenance } from '@keyquorum/node/provenance/provenance';
import { provenanceRules } from '@keyquorum/node/provenance/rules';
import type { Ciphertext } from '@keyquorum/node/requests/content';
import type { KeyRecord, Services } from '@keyquorum/protocols/services';
import { compactPublicKeyBytes, readCompactPublicKey } from '@keyquorum/tfhe/compact-public-key';
import { TEST_PARAMETERS } from '@keyquorum/tfhe/parameters';
import { inputHandle } from '@keyquorum/wire/input-handle';
import { inputMetadata } from '@keyquorum/wire/input-metadata';
import type * as Tfhe from 'node-tfhe';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadNodeTfhe, serialize } from '../../packages/tfhe/test/support/node-tfhe.ts';
import { compactKeyConfiguration, prove, publicKeyParts, referenceString } from './proving.ts';

const MAX_BITS = 8;
const id = (byte: number) => byte.toString(16).padStart(2, '0').repeat(32);
const address = (byte: number) => `0x${byte.toString(16).padStart(2, '0').repeat(20)}` as const;
const [CONTRACT, OTHER_CONTRACT, USER, STRANGER, ACL] = [0xc0, 0xc1, 0x05, 0x06, 0xac].map(address) as [
  `0x${string}`,
  `0x${string}`,
  `0x${string}`,
  `0x${string}`,
  `0x${string}`,
];
const CHAIN = 31_337;
const CRS = id(1);

const tfhe = loadNodeTfhe();
const bound = { contractAddress: CONTRACT, userAddress: USER, aclAddress: ACL, chainId: BigInt(CHAIN) };
const files = new Map<string, Uint8Array>();
const pool = createProofPool();
let list: Uint8Array;

beforeAll(async () => {
  files.set('crs', await referenceString({ parameters: crsParameters(TEST_PARAMETERS, MAX_BITS), number: 7n }, [1]));
  const [mine, other] = [1, 2].map(() => {
    const client = tfhe.TfheClientKey.generate(compactKeyConfiguration(tfhe, TEST_PARAMETERS));
    return tfhe.TfheCompactPublicKey.new(client);
  });
  // node-tfhe writes that there are no proofs for such small keys, and makes them all the same.
  const published = (key: Tfhe.TfheCompactPublicKey) =>
    compactPublicKeyBytes({ parameters: TEST_PARAMETERS, ...publicKeyParts(key) });
  files.set('key', published(mine!)).set('other key', published(other!));
  const builder = tfhe.CompactCiphertextList.builder(mine!);
  builder.push_u8(200);
  const metadata = inputMetadata(bound);
  list = serialize(prove(tfhe, builder, { file: files.get('crs')!, metadata, computeLoad: 'Proof' }));
});
afterAll(() => pool.close());

/** A node that has made the reference string. */
const services: Pick<Services, 'referenceStrings' | 'material'> = {
  referenceStrings: () => [
    { crsId: CRS, parameters: 'test', maxBits: MAX_BITS, digest: 'crs', size: 0, contributors: [1] },
  ],
  material(digest) {
    const bytes = files.get(digest)!;
    async function* read() {
      yield bytes;
    }
    return { type: 'object', label: '', digest, size: bytes.length, read };
  },
};

const proofs: ProofRules = {
  ...{ contracts: [CONTRACT, OTHER_CONTRACT], aclContract: ACL, hostChainId: CHAIN },
  developmentKeys: true,
};
const application: Application = { name: 'default', provenance: ['proven'], coprocessors: [], proofs };
const proof = { crsId: CRS, contractAddress: CONTRACT, userAddress: USER };

interface Asked {
  readonly ciphertext?: Partial<Ciphertext>;
  readonly claim?: Partial<typeof proof>;
  readonly key?: 'key' | 'other key';
  readonly purpose?: KeyRecord['purpose'];
  readonly reader?: Reader;
  readonly rules?: Partial<ProofRules>;
}

/** `accepted`, or the code of the refusal. */
async function verdict({
  ciphertext,
  claim,
  key = 'key',
  purpose = 'production',
  reader,
  rules,
}: Asked): Promise<string> {
  const domain = { chainId: 1n, verifyingContract: address(0x44) };
  const rule = { ...application, proofs: { ...proofs, ...rules } };
  const allowed = provenanceRules([rule], { domain, services, proofs: pool })('default');
  const objects = [{ type: 'CompactPublicKey', digest: key, size: 0 }];
  const { bytes = list, slot = 0 } = ciphertext ?? {};
  const place = { aclAddress: rule.proofs.aclContract, chainId: BigInt(rule.proofs.hostChainId) };
  const handle = Buffer.from(inputHandle({ ...place, list: bytes, index: slot, fheType: 5 })!).toString('hex');
  const question = {
    requester: 'one',
    key: { keyId: id(2), parameters: 'test', purpose, objects } as unknown as KeyRecord, // the rest is not looked at
    ciphertext: {
      ...{ handle, format: 'proven-list' as const, slot, fheType: undefined },
      ...{ bytes, digest: sha256(bytes) },
      provenance: { attestations: [], proof: { ...proof, ...claim } },
      ...ciphertext,
    },
    type: { kind: 'uint', bits: 64 } as const,
    reader,
  };
  return codeOf(requireProvenance(allowed, question));
}

async function codeOf(check: Promise<void>): Promise<string> {
  return check.then(
    () => 'accepted',
    (error: { readonly code?: string }) => error.code ?? String(error),
  );
}

const reader: Reader = { chainId: BigInt(CHAIN), contract: CONTRACT, user: USER, delegator: undefined };
const unproven = { provenance: { attestations: [] } };

test('a list proven for a contract of the application is taken, for everybody and for its user', async () => {
  expect(await verdict({})).toBe('accepted');
  expect(await verdict({ reader })).toBe('accepted');
  expect(await verdict({ reader: { ...reader, delegator: STRANGER } })).toBe('accepted');
});

describe('refused', () => {
  const changed = () => list.map((byte, at) => (at === 400 ? byte ^ 1 : byte)); // in the mask
  const refusals: readonly [string, () => Asked, string][] = [
    ['without a proof', () => ({ ciphertext: unproven }), 'PROVENANCE_REQUIRED'],
    ['another object with a proof', () => ({ ciphertext: { format: 'compact-list' } }), 'PROOF_MALFORMED'],
    ['another contract of the application', () => ({ claim: { contractAddress: OTHER_CONTRACT } }), 'PROOF_INVALID'],
    ['a contract of nobody', () => ({ claim: { contractAddress: ACL } }), 'PROOF_CONTRACT'],
    ['another user', () => ({ claim: { userAddress: STRANGER } }), 'PROOF_INVALID'],
    ['another chain', () => ({ rules: { hostChainId: 1 } }), 'PROOF_INVALID'],
    ['another key', () => ({ key: 'other key' }), 'PROOF_INVALID'],
    ['a reference string that is not here', () => ({ claim: { crsId: id(9) } }), 'CRS_UNKNOWN'],
    ['a changed list', () => ({ ciphertext: { bytes: changed() } }), 'PROOF_INVALID'],
    ['a cut list', () => ({ ciphertext: { bytes: list.subarray(0, 900) } }), 'CIPHERTEXT_MALFORMED'],
    ['a reader who did not encrypt it', () => ({ reader: { ...reader, user: STRANGER } }), 'PROOF_USER'],
    ['a reader at another contract', () => ({ reader: { ...reader, contract: ACL } }), 'PROOF_CONTRACT'],
  ];
  test.each(refusals)('%s', async (_, asked, code) => {
    expect(await verdict(asked())).toBe(code);
  });
});

test('under a development key proofs are wanted for lists alone, and only if the application says so', async () => {
  const development = { purpose: 'development' as const };
  const list = { ...unproven, format: 'compact-list' as const };
  expect(await verdict(development)).toBe('accepted');
  expect(await verdict({ ...development, ciphertext: list })).toBe('PROVENANCE_REQUIRED');
  expect(await verdict({ ...development, ciphertext: unproven })).toBe('PROVENANCE_REQUIRED');
  expect(await verdict({ ...development, ciphertext: { ...unproven, format: 'fhe' } })).toBe('accepted');
  expect(await verdict({ ...development, ciphertext: list, rules: { developmentKeys: false } })).toBe('accepted');
});

describe('a check that goes wrong ends with an answer', () => {
  const checkOf = (): ProofCheck => ({
    ...{ requester: 'one', list, metadata: inputMetadata(bound), parameters: TEST_PARAMETERS, crsDigest: 'crs' },
    publicKey: readCompactPublicKey(files.get('key')!, TEST_PARAMETERS),
    crsFile: async () => files.get('crs')!,
  });
  const verdicts = async (options: Partial<ProofPoolOptions>, checks: readonly ProofCheck[]): Promise<string[]> => {
    const own = createProofPool({ ...PROOF_POOL, ...options });
    try {
      return await Promise.all(checks.map((check) => codeOf(own.verify(check))));
    } finally {
      await own.close();
    }
  };

  test('when the thread takes too long, or is lost because the file is none', async () => {
    expect(await verdicts({ checkMs: 1, threads: 1 }, [checkOf(), checkOf()])).toEqual(
      Array.from({ length: 2 }, () => 'PROOF_UNCHECKED'),
    );
    const broken = { ...checkOf(), crsFile: async () => new Uint8Array(9) };
    expect(await verdicts({ threads: 1 }, [broken, checkOf()])).toEqual(['PROOF_UNCHECKED', 'accepted']);
  });

  test('when too many wait, and when the node stops', async () => {
    const many = [checkOf(), checkOf(), checkOf()];
    expect(await verdicts({ threads: 1, waiting: 1 }, many)).toEqual(['accepted', 'accepted', 'BUSY']);
    const another = { ...checkOf(), requester: 'another' };
    const ofTwo = [...many, another];
    expect(await verdicts({ threads: 1, waitingOfOne: 1 }, ofTwo)).toEqual([
      'accepted',
      'accepted',
      'BUSY',
      'accepted',
    ]);
    const own = createProofPool();
    const running = [own.verify(checkOf()), own.verify(checkOf()), own.verify(checkOf())].map(codeOf);
    await own.close();
    expect(await Promise.all(running)).toEqual(['PROOF_UNCHECKED', 'PROOF_UNCHECKED', 'STOPPING']);
    expect(await codeOf(own.verify(checkOf()))).toBe('STOPPING');
  });
});
