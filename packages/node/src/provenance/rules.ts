/** From the configuration to the ways in which each application may show where its ciphertexts come from. */
import type { SigningDomain } from '@keyquorum/wire/eip712';
import type { Application, ProvenanceKind } from '../config/schema.ts';
import { attested } from './attested.ts';
import type { Provenance, ProvenanceRules } from './provenance.ts';

/** What the ways need of a node. */
export interface ProvenanceModules {
  /** Of this network. */
  readonly domain: SigningDomain;
}

type Create = (application: Application, modules: ProvenanceModules) => Provenance;

const WAYS: Readonly<Record<ProvenanceKind, Create>> = {
  attested({ name, coprocessors, attestations: quorum }, { domain }) {
    if (quorum === undefined) throw new Error(`application ${name}: no attestations`); // the configuration was checked
    return attested(domain, { addresses: coprocessors, quorum });
  },
};

export function provenanceRules(applications: readonly Application[], modules: ProvenanceModules): ProvenanceRules {
  const byName = new Map(
    applications.map((application) => {
      const ways = application.provenance.map((kind) => WAYS[kind](application, modules));
      return [application.name, ways];
    }),
  );
  return (app) => byName.get(app) ?? [];
}
