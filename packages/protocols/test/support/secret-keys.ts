/**
 * What no party may know: secret keys reconstructed from shares, and the noise of a public key. Textbook, for tests.
 */
import { asGr128 } from '@keyquorum/kernel/batch';
import { openingMatrix } from '@keyquorum/kernel/lagrange';
import { fromHex } from '@keyquorum/mpc/bytes';
import type { PartyId } from '@keyquorum/mpc/transport';
import { createMaskStream, keyStreamSeedData } from '@keyquorum/tfhe/csprng';
import type { SecretKeyName } from '@keyquorum/tfhe/key-set-components';
import { type KeySetName, keySetChoice, secretKeyPlaces } from '@keyquorum/tfhe/key-sets';
import type { KeyRecord } from '../../src/services.ts';
import type { PublicStore, SecretStore } from '../../src/storage.ts';
import { kernel } from './kernel.ts';

const GR128_BYTES = 64;

/**
 * Bits of all keys in the order of their shares, from the stores of these parties. @throws if they share no key
 */
export async function reconstructBits(
  stores: ReadonlyMap<PartyId, SecretStore>,
  { keyId, session }: Pick<KeyRecord, 'keyId' | 'session'>,
  t: number,
): Promise<Uint8Array> {
  const parties = [...stores.keys()];
  const shares = await Promise.all(
    parties.map(async (party) => asGr128((await stores.get(party)!.get(`key/${keyId}/${session}`))!)),
  );
  const { values, firstInconsistent } = kernel.gr128.open(openingMatrix(parties, t, 'gr128'), shares);
  if (firstInconsistent >= 0) throw new Error(`shares of key bit ${firstInconsistent} are not of degree t`);
  if (!kernel.gr128.isBaseRing(values)) throw new Error('a key bit is not in the base ring');
  const words = new BigUint64Array(kernel.gr128.coordinate(values, 0).slice().buffer);
  return Uint8Array.from({ length: values.length / GR128_BYTES }, (_, index) => {
    const [low, high] = [words[2 * index]!, words[2 * index + 1]!];
    if (high !== 0n || low > 1n) throw new Error(`key bit ${index} is ${low} + 2^64 * ${high}`);
    return Number(low);
  });
}

/** One of the keys. */
export function keyOf(bits: Uint8Array, key: SecretKeyName, keySet: KeySetName): Uint8Array {
  const { first, bits: count } = secretKeyPlaces(keySetChoice(keySet)).find((place) => place.key === key)!;
  return bits.subarray(first, first + count);
}

/** e = B - A * rev(S) modulo X^N + 1 and 2^64, centred. */
export async function publicKeyNoise(publics: PublicStore, record: KeyRecord, bits: Uint8Array): Promise<bigint[]> {
  const { parameters } = keySetChoice(record.parameters);
  const body = (await publics.get(`bodies/${record.session}/0`))!;
  const size = parameters.pke.dimension;
  const mask = new BigUint64Array(
    createMaskStream(keyStreamSeedData(fromHex(record.seed)))
      .read(8 * size)
      .slice().buffer,
  );
  const noise = new BigUint64Array(body.slice().buffer); // wraps modulo 2^64
  const key = keyOf(bits, 'pke', record.parameters);
  for (let power = 0; power < size; power++) {
    if (key[size - 1 - power] === 0) continue;
    for (let index = 0; index < size; index++) {
      const at = (index + power) % size;
      noise[at] = index + power < size ? noise[at]! - mask[index]! : noise[at]! + mask[index]!;
    }
  }
  return Array.from(noise, (word) => BigInt.asIntN(64, word));
}
