/**
 * What a party should have sent in a step of a key generation, for somebody who has only the evidence: commitments from
 * the certified PRSS-Init, keys from openings that match them, seed and opened bits from the keys of 2t+1 parties, and
 * then the party's message by the code that makes one's own.
 */
import type { Kernel } from '@keyquorum/kernel/kernel';
import type { FamilyName } from '@keyquorum/mpc/prss/family';
import { familyKeys, readOpenings } from '@keyquorum/mpc/prss/init-contributions';
import { createPrss, type Prss } from '@keyquorum/mpc/prss/prss';
import type { Roster } from '@keyquorum/mpc/roster';
import type { PartyId } from '@keyquorum/mpc/transport';
import { keySetChoice } from '@keyquorum/tfhe/key-sets';
import { type KeygenPlan, keygenPlan } from '../keygen/material.ts';
import { UnsoundSizeError } from '../keygen/noise.ts';
import { BITS_TAG, decisiveSets, isStep, replayRun, stepMessage } from '../keygen/replay.ts';
import { requireCertified } from './broken-init.ts';
import type { AccusedCeremony } from './ceremony-root.ts';
import { EvidenceError } from './evidence-error.ts';
import type { WrongShare } from './file.ts';

type KeygenCeremony = Extract<AccusedCeremony, { kind: 'keygen' }>;

/** @throws EvidenceError when the file does not determine it */
export function rightKeygenMessage(
  kernel: Kernel,
  roster: Roster,
  ceremony: KeygenCeremony,
  { party, step, secrets }: WrongShare,
): Uint8Array {
  const { session, content } = ceremony;
  const plan = planOf(roster, content);
  if (!isStep(plan, step)) throw new EvidenceError('EVIDENCE_CEREMONY', `a key generation has no step ${step}`);
  if (secrets.kind !== 'openings') throw new EvidenceError('EVIDENCE_SECRETS', 'want openings of the PRSS-Init');
  const { commitments, transcript } = requireCertified(roster, ceremony, secrets.value.init);
  const { scope } = commitments;
  const openings = readOpenings(commitments, decisiveSets(scope, party), secrets.value.openings);
  if (openings === undefined) {
    throw new EvidenceError('EVIDENCE_SECRETS', 'the openings are not those that the parties have committed to');
  }
  const prssOf = (each: PartyId, family: FamilyName): Prss => {
    const keys = familyKeys(commitments, each, { family, openings });
    if (keys === undefined) throw new Error(`the decisive sets lack a set of party ${each}`);
    return createPrss(kernel, keys);
  };
  const past = { roster, session, transcript, prssOf: (each: PartyId) => prssOf(each, 'C') };
  const run = step === BITS_TAG ? { plan } : replayRun(kernel, plan, past);
  return stepMessage(kernel, { c: prssOf(party, 'C'), a2: prssOf(party, 'A2') }, run, step);
}

function planOf(roster: Roster, { parameters }: KeygenCeremony['content']): KeygenPlan {
  try {
    return keygenPlan(keySetChoice(parameters), roster);
  } catch (error) {
    if (!(error instanceof UnsoundSizeError)) throw error;
    throw new EvidenceError('EVIDENCE_CEREMONY', `this roster makes no such key: ${error.message}`, { cause: error });
  }
}
