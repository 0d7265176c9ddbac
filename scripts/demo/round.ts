/** One round of the demo: fresh values, encrypted by node-tfhe, decrypted by asking one node after the other. */
import { checkAnswer } from '@keyquorum/client/answer';
import type { Committee } from '@keyquorum/client/committee';
import type { NodeAnswer } from '@keyquorum/client/contract';
import { type DecryptionRequest, decrypt, decryptionRequest, type TimedDecryption } from '../network/decryption.ts';
import { type Encryptor, fheTypeOf, randomSample, type Sample, type SampleType } from '../network/encryption.ts';
import type { LocalNetwork } from '../network/local-network.ts';
import { shownValue, table } from './table.ts';

export const DEMO_TYPES: readonly SampleType[] = ['bool', 'uint8', 'uint64', 'uint256', 'address'];

export interface Setting {
  readonly network: LocalNetwork;
  readonly committee: Committee;
  readonly encryptor: Encryptor;
  /** What it encrypts under, serialised. */
  readonly publicKey: Uint8Array;
  readonly keyId: string;
}

export interface Row {
  readonly sample: Sample;
  readonly packing: string;
  readonly asked: number;
  readonly ms: number;
  /** Nodes whose verified signature stands under the same result. */
  readonly signatures: number;
  readonly faults: readonly { readonly party: number; readonly kind: string }[];
  readonly right: boolean;
}

export interface RoundOptions {
  /** Running parties: each shows its own signed answer to every request. */
  readonly parties: readonly number[];
  /** The parties to send requests to, in turn; all of them when absent. */
  readonly ask?: readonly number[];
  readonly types?: readonly SampleType[];
  readonly packing: 'packed' | 'plain';
}

/** Decrypts one value of each type, each in a request of its own. */
export async function decryptEach(setting: Setting, options: RoundOptions): Promise<Row[]> {
  const { parties, ask = parties, types = DEMO_TYPES, packing } = options;
  const samples = types.map(randomSample);
  const encrypted = setting.encryptor.encrypt(samples, packing);
  const rows: Row[] = [];
  for (const [index, sample] of samples.entries()) {
    const asked = ask[index % ask.length]!;
    const request = decryptionRequest(setting.keyId, [encrypted[index]!]);
    const answer = await decrypt(setting.network.rest(asked), request);
    const [value] = answer.values;
    const signatures = await agreeingSignatures(setting, parties, request, answer);
    const right = BigInt(value?.value ?? -1) === sample.value && value?.fheType === fheTypeOf(sample.type);
    const enough = signatures > setting.committee.threshold;
    rows.push({ sample, packing, asked, ms: answer.ms, signatures, faults: answer.faults, right: right && enough });
  }
  return rows;
}

/** The same request at every party: same id and content, so each answers from what it did already. */
async function agreeingSignatures(
  { network, committee }: Setting,
  parties: readonly number[],
  request: DecryptionRequest,
  first: TimedDecryption,
): Promise<number> {
  const answers = await Promise.all(
    parties.map(async (party) => {
      const answer = await decrypt(network.rest(party), request);
      // Throws when signature, words or handles are wrong: the demo then fails with the reason.
      checkAnswer(committee, committee.nodes[party - 1]!, request)(answer as unknown as NodeAnswer);
      return answer.abiEncoded === first.abiEncoded;
    }),
  );
  return answers.filter(Boolean).length;
}

export function rowsTable(rows: readonly Row[]): string {
  const head = ['', 'value', 'type', 'list', 'node asked', 'ms', 'agreed signatures'];
  return table(
    head,
    rows.map(({ sample, packing, asked, ms, signatures, right }) => [
      right ? '✓' : '✗ WRONG',
      shownValue(sample),
      sample.type,
      packing,
      String(asked),
      ms.toFixed(0),
      String(signatures),
    ]),
  );
}
