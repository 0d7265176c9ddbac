/** What the rules of applications in node.toml must fulfil beyond their schema. */
import { ConfigError } from './config-error.ts';
import type { Application } from './schema.ts';

type Refuse = (field: string, problem: string) => ConfigError;

/** @throws ConfigError */
export function requireApplications(file: string, applications: readonly Application[]): void {
  for (const [index, application] of applications.entries()) {
    const field = `applications.${index}`;
    const refuse: Refuse = (part, problem) => {
      const message = `${field}.${part}: ${problem}`;
      return new ConfigError('CONFIG_INVALID', { file, field: `${field}.${part}`, message });
    };
    const { provenance } = application;
    if (new Set(provenance).size < provenance.length) throw refuse('provenance', 'names a word twice');
    requireCoprocessors(application, refuse);
    requireProofRules(application, refuse);
  }
}

function requireProofRules({ provenance, proofs, acl }: Application, refuse: Refuse): void {
  if (provenance.includes('proven') !== (proofs !== undefined)) {
    throw proofs
      ? refuse('provenance', 'proofs are described, but "proven" is not named')
      : refuse('proofs', 'missing');
  }
  if (!proofs || !acl) return;
  // Handles of proven values follow from this contract and chain: another list has never seen them.
  const problem = `the application's acl is ${acl.contract} of chain ${acl.chain}`;
  if (proofs.hostChainId !== acl.chain) throw refuse('proofs.hostChainId', problem);
  if (proofs.aclContract.toLowerCase() !== acl.contract.toLowerCase()) throw refuse('proofs.aclContract', problem);
}

function requireCoprocessors({ provenance, coprocessors, attestations }: Application, refuse: Refuse): void {
  const count = coprocessors.length;
  if (!provenance.includes('attested')) {
    if (count === 0 && attestations === undefined) return;
    throw refuse('provenance', 'coprocessors are named, but "attested" is not');
  }
  const addresses = coprocessors.map((address) => address.toLowerCase());
  const twin = addresses.findIndex((address, index) => addresses.indexOf(address) !== index);
  if (twin !== -1) throw refuse(`coprocessors.${twin}`, 'another coprocessor has the same address');
  if (count === 0) throw refuse('coprocessors', 'missing, and "attested" wants at least one');
  // Two quorums must share a coprocessor, so that two ciphertexts of one handle show that one of them lied.
  const majority = Math.floor(count / 2) + 1;
  if (attestations !== undefined && attestations >= majority && attestations <= count) return;
  throw refuse('attestations', `got ${attestations ?? 'nothing'}, want ${majority}..${count} of ${count}`);
}
