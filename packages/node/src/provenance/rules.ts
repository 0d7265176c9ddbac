/** From the configuration to the ways in which each application may show where its ciphertexts come from. */
import type { SigningDomain } from '@keyquorum/wire/eip712';
import type { Application, ProvenanceKind } from '../config/schema.ts';
import { attested } from './attested.ts';
import { type ProvenModules, proven } from './proven.ts';
import { type AllowedProvenance, NO_PROVENANCE, type Provenance, type ProvenanceRules } from './provenance.ts';

/** What the ways need of a node. */
export interface ProvenanceModules extends ProvenModules {
  /** Of this network. */
  readonly domain: SigningDomain;
}

type Create = (application: Application, modules: ProvenanceModules) => Provenance;

const WAYS: Readonly<Record<ProvenanceKind, Create>> = {
  attested({ name, coprocessors, attestations: quorum }, { domain }) {
    if (quorum === undefined) throw new Error(`application ${name}: no attestations`); // the configuration was checked
    return attested(domain, { addresses: coprocessors, quorum });
  },
  proven({ name, proofs: rules, acl }, modules) {
    if (rules === undefined) throw new Error(`application ${name}: no rules for proofs`); // as above
    return proven({ ...rules, delegationsAreChecked: acl !== undefined }, modules);
  },
};

export function provenanceRules(applications: readonly Application[], modules: ProvenanceModules): ProvenanceRules {
  const byName = new Map(
    applications.map((application): [string, AllowedProvenance] => {
      const ways = application.provenance.map((kind) => WAYS[kind](application, modules));
      return [application.name, { ways, provenLists: application.proofs?.developmentKeys ?? false }];
    }),
  );
  return (app) => byName.get(app) ?? NO_PROVENANCE;
}
