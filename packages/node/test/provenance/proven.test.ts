/** Who may read a proven list alone, by the addresses that a request names. (Proofs: test/conformance.) */
import { sha256 } from '@keyquorum/mpc/bytes';
import type { KeyRecord } from '@keyquorum/protocols/services';
import { inputHandle } from '@keyquorum/wire/input-handle';
import { expect, test } from 'vitest';
import type { Application } from '../../src/config/schema.ts';
import { createProofPool } from '../../src/proofs/pool.ts';
import { type Reader, requireProvenance } from '../../src/provenance/provenance.ts';
import { provenanceRules } from '../../src/provenance/rules.ts';
import type { Ciphertext } from '../../src/requests/content.ts';

const address = (byte: number) => `0x${byte.toString(16).padStart(2, '0').repeat(20)}` as const;
const [CONTRACT, OTHER, USER, STRANGER] = [0x11, 0x12, 0x21, 0x22].map(address) as [
  ...[`0x${string}`, `0x${string}`, `0x${string}`, `0x${string}`],
];
const domain = { chainId: 1n, verifyingContract: address(0x44) };
const services = { referenceStrings: () => [], material: () => undefined };
const key = { keyId: '02'.repeat(32), parameters: 'test', purpose: 'production' } as KeyRecord;
const ballots: Application = {
  ...{ name: 'ballots', provenance: ['proven'], coprocessors: [] },
  proofs: { contracts: [CONTRACT, OTHER], aclContract: address(0x33), hostChainId: 1, developmentKeys: false },
};
const type = { kind: 'uint', bits: 64 } as const;
const bytes = new Uint8Array(4);
const named = { list: bytes, index: 0, fheType: 5, aclAddress: address(0x33), chainId: 1n };
const handleOf = (change: Partial<typeof named>) => Buffer.from(inputHandle({ ...named, ...change })!).toString('hex');
const list: Ciphertext = {
  ...{ handle: handleOf({}), format: 'proven-list', slot: 0, fheType: undefined },
  ...{ bytes, digest: sha256(bytes) },
  provenance: {
    attestations: [],
    proof: { crsId: '05'.repeat(32), contractAddress: CONTRACT, userAddress: USER },
  },
};

function verdict(application: Application, who?: Reader, change: Partial<Ciphertext> = {}): Promise<void> {
  const rules = provenanceRules([application], { domain, services, proofs: createProofPool() });
  const question = { requester: 'voters', key, ciphertext: { ...list, ...change }, type, reader: who };
  return requireProvenance(rules(application.name), question);
}

/** As the application's rules say. */
const chainId = 1n;
const withAcl: Application = { ...ballots, acl: { chain: 1, contract: address(0x33) } };
const reader = (change: Partial<Reader>): Reader => {
  return { chainId, contract: CONTRACT, user: USER, delegator: undefined, ...change };
};
/** The next thing that is looked at, once the addresses are right. */
const PASSED = 'CRS_UNKNOWN';

test.each<[string, Application, Reader | undefined, string]>([
  ['everybody', ballots, undefined, PASSED],
  ['who encrypted it', ballots, reader({}), PASSED],
  ['at another contract', ballots, reader({ contract: OTHER }), 'PROOF_CONTRACT'],
  // The same address on another chain may be a wallet of somebody else, and a contract too.
  ['on another chain', ballots, reader({ chainId: 2n }), 'PROOF_CONTRACT'],
  ['a stranger', ballots, reader({ user: STRANGER }), 'PROOF_USER'],
  ['who says that it reads for that user', ballots, reader({ user: STRANGER, delegator: USER }), 'PROOF_USER'],
  ['whose delegation a contract confirms', withAcl, reader({ user: STRANGER, delegator: USER }), PASSED],
  ['for somebody else', withAcl, reader({ user: STRANGER, delegator: OTHER }), 'PROOF_USER'],
])('a proven list, read by %s', async (_, application, who, code) => {
  await expect(verdict(application, who)).rejects.toMatchObject({ code });
});

test.each<[string, Partial<Ciphertext>]>([
  ['a handle of one’s choice', { handle: '03'.repeat(32) }],
  ['the handle of another list', { handle: handleOf({ list: new Uint8Array(5) }) }],
  ['that of another value of the list', { handle: handleOf({ index: 1 }) }],
  ['that of another type', { handle: handleOf({ fheType: 4 }) }],
  ['that of another chain', { handle: handleOf({ chainId: 2n }) }],
  ['any for a place that no handle has', { slot: 255 }],
])('under a production key a proven value is not taken under %s', async (_, change) => {
  await expect(verdict(ballots, undefined, change)).rejects.toMatchObject({ code: 'PROOF_HANDLE' });
});
