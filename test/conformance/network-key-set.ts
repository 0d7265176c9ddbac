/** Key sets that a network of four processes generates, and decrypts for. One network serves all of them. */
import { open } from 'node:fs/promises';
import { parseFheType } from '@keyquorum/tfhe/fhe-type';
import { type KeySetName, keySetChoice } from '@keyquorum/tfhe/key-sets';
import { decrypt, decryptionRequest } from '../../scripts/network/decryption.ts';
import { fetchObject, finishedKey, generateKey, newRequestId } from '../../scripts/network/key-generation.ts';
import type { LocalNetwork } from '../../scripts/network/local-network.ts';
import { bringUp, temporaryNetwork } from '../../scripts/network/temporary-network.ts';
import { PARTIES } from '../e2e/running-network.ts';
import type { KeySetUnderTest, Plain } from './key-set-under-test.ts';
import { valuesOf } from './open-result.ts';

const KEY_WITHIN_MS = 120_000;
/** All results of a key set are a few thousand blocks. */
const BLOCKS = 4_096;
/** Of one request, far below the limits of a node. */
const VALUES_PER_REQUEST = 16;

export interface TestedNetwork extends AsyncDisposable {
  /** Generates the key set, in a ceremony of all four. */
  keySet(name: KeySetName): Promise<KeySetUnderTest>;
}

export async function startTestedNetwork(): Promise<TestedNetwork> {
  await using cleanup = new AsyncDisposableStack();
  const network = cleanup.use(await temporaryNetwork());
  await bringUp(network, BLOCKS);
  const stack = cleanup.move();
  return { keySet: (name) => generatedKeySet(network, name), [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

async function generatedKeySet(network: LocalNetwork, name: KeySetName): Promise<KeySetUnderTest> {
  const { parameters, parts } = keySetChoice(name);
  const made = await generateKey(network.rest(1), { parameters: name, purpose: 'development' });
  const keys = PARTIES.map((party) => finishedKey(network.rest(party), made.requestId, KEY_WITHIN_MS));
  const [key] = (await Promise.all(keys)) as [typeof made];
  return {
    parameters,
    parts,
    publicKey: await fetchObject(network.rest(2), key, 'CompactPublicKey'),
    async writeKeySet(path) {
      await using file = await open(path, 'w');
      await file.writeFile(await fetchObject(network.rest(3), key, 'CompressedXofKeySet'));
    },
    async decrypt(format, bytes) {
      const slots = valuesOf(format, bytes, parameters).length;
      const encoded = Buffer.from(bytes).toString('base64');
      const values: Plain[] = [];
      for (let first = 0; first < slots; first += VALUES_PER_REQUEST) {
        const count = Math.min(VALUES_PER_REQUEST, slots - first);
        const ciphertexts = Array.from({ length: count }, (_, index) => {
          return { handle: newRequestId(), format, bytes: encoded, slot: first + index };
        });
        const party = 1 + (first % PARTIES.length);
        const answer = await decrypt(network.rest(party), decryptionRequest(made.requestId, ciphertexts));
        for (const { fheType, value } of answer.values) {
          values.push({ type: parseFheType(String(fheType))!, value: BigInt(value) });
        }
      }
      return values;
    },
  };
}
