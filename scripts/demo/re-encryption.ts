/** The demo's user: has values re-encrypted to a key of its own, so that nobody else learns them, no node either. */
import { fheTypeOf, randomSample, type Sample } from '../network/encryption.ts';
import { CONTRACT, userOf } from '../network/user.ts';
import { DEMO_TYPES, type Setting } from './round.ts';
import { shownValue, table } from './table.ts';

export interface ReadRow {
  readonly sample: Sample;
  readonly ms: number;
  /** Nodes whose shares lie on the polynomial that gives the value. */
  readonly shares: number;
  readonly right: boolean;
}

/**
 * The user's wallet signs once; then each value is read from the shares of the nodes. A row is right when 2t+1 shares
 * agree on the value that was encrypted.
 */
export async function readAsUser({ network, committee, encryptor, keyId }: Setting): Promise<ReadRow[]> {
  const { client, permit } = await userOf(network, committee);
  const samples = DEMO_TYPES.map(randomSample);
  const encrypted = encryptor.encrypt(samples, 'packed');
  const rows: ReadRow[] = [];
  for (const [index, sample] of samples.entries()) {
    const ciphertexts = [{ ...encrypted[index]!, contractAddress: CONTRACT }];
    const started = performance.now();
    const { agreed, finished } = client.decryptForUser(permit, { keyId, ciphertexts });
    const [value] = await agreed;
    const ms = performance.now() - started;
    const { nodes } = await finished;
    const shares = nodes.filter(({ verdict }) => verdict === 'agreed').length;
    const right = value?.value === sample.value && value.fheType === fheTypeOf(sample.type);
    const enough = shares > 2 * committee.threshold;
    rows.push({ sample, ms, shares, right: right && enough });
  }
  permit.dispose();
  return rows;
}

export function readTable(rows: readonly ReadRow[]): string {
  const cells = rows.map(({ sample, ms, shares, right }) => {
    return [right ? '✓' : '✗ WRONG', shownValue(sample), sample.type, ms.toFixed(0), String(shares)];
  });
  return table(['', 'value', 'type', 'ms', 'shares that agree'], cells);
}
