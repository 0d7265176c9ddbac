/** `keyquorum verify-evidence`: does a file prove a party corrupt? Needs no node and no network, only network.toml. */
import { randomFillSync } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { createBls446 } from '@keyquorum/kernel/bls446';
import { createKernel } from '@keyquorum/kernel/kernel';
import { sha256Hex } from '@keyquorum/mpc/bytes';
import { EvidenceError } from '@keyquorum/protocols/evidence/evidence-error';
import { EVIDENCE_FILE_BYTES_MAX } from '@keyquorum/protocols/evidence/file';
import type { EvidenceSummary } from '@keyquorum/protocols/evidence/summary';
import { verifyEvidenceFile } from '@keyquorum/protocols/evidence/verify';
import { Command } from 'commander';
import { ConfigError } from '../config/config-error.ts';
import { type Network, readNetwork, shortDigest } from '../config/network.ts';
import { systemCode } from '../store/store-error.ts';

interface VerifyOptions {
  readonly network: string;
  readonly json?: true;
}

const OFFENCES: Record<EvidenceSummary['kind'], string> = {
  'double-signature': 'it signed two different messages for one step',
  'wrong-share': 'it signed another message than the one that follows from its keys',
  'bad-contribution': 'it signed a contribution that no honest party makes',
  'broken-init': 'what it signed while PRSS keys were made is malformed, or refuted by a sealed box',
};

const CEREMONIES: Record<EvidenceSummary['ceremony'], string> = {
  keygen: 'key generation',
  preprocessing: 'preprocessing batch',
  crs: 'reference string',
  epoch: 'start of an epoch',
};

export function verifyEvidenceCommand(print: (line: string) => void): Command {
  return new Command('verify-evidence')
    .description('check offline that a file of evidence proves a party corrupt; ends with 0 only if it does')
    .argument('<file>', 'as GET /v1/evidence/{id} of a node serves it')
    .requiredOption('--network <file>', 'network.toml: the public keys of the parties')
    .option('--json', 'one machine-readable line')
    .action(async (file: string, { network: networkFile, json }: VerifyOptions) => {
      const network = readNetwork(networkFile);
      const bytes = await readEvidence(file);
      const judge = {
        kernel: createKernel(),
        curve: createBls446(),
        random: (count: number) => randomFillSync(new Uint8Array(count)),
      };
      const found = await verifyEvidenceFile(judge, network.roster, bytes);
      const id = sha256Hex(bytes);
      if (json) return print(JSON.stringify({ id, network: network.digest, ...found }));
      for (const line of report(network, found)) print(line);
      print(`evidence ${id}`);
    });
}

function report(network: Network, { party, kind, ceremony, ceremonyId, attempt, session, step }: EvidenceSummary) {
  const nth = ceremony === 'keygen' ? `, attempt ${attempt}` : '';
  return [
    `party ${party} is proven corrupt: ${OFFENCES[kind]}`,
    `network ${network.roster.network}, digest ${shortDigest(network)}`,
    `${CEREMONIES[ceremony]} ${ceremonyId}${nth}, session ${session}`,
    `step ${step}`,
  ];
}

async function readEvidence(file: string): Promise<Uint8Array> {
  try {
    const { size } = await stat(file);
    if (size <= EVIDENCE_FILE_BYTES_MAX) return await readFile(file);
  } catch (error) {
    const message = `cannot be read (${systemCode(error) ?? 'unknown cause'})`;
    throw new ConfigError('CONFIG_MISSING', { file, field: 'file', message });
  }
  throw new EvidenceError('EVIDENCE_MALFORMED', `${file} is longer than any evidence`);
}
