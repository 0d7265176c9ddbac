/** A compressed list of the Test set that holds zeros, for tests of what happens before anything is decrypted. */
import { lweDimensionOf, TEST_PARAMETERS } from '@keyquorum/tfhe/parameters';
import { safeSerialize, TYPE_NAME } from '@keyquorum/tfhe/safe-serialize';
import { compressedCiphertextList } from '@keyquorum/tfhe/schema/ciphertexts';
import { NATIVE_64 } from '@keyquorum/tfhe/schema/core';

/** A boolean and an unsigned integer of 8 bits. */
export function zeroList(): Uint8Array {
  const { compression, messageModulus, carryModulus } = TEST_PARAMETERS;
  const { dimension: glweDimension, polynomialSize, ciphertextsPerGlwe, storageLogModulus: bits } = compression;
  const bodyCount = 5;
  const count = lweDimensionOf(compression) + bodyCount;
  const packed = { data: new Uint8Array(8 * Math.ceil((count * bits) / 64)), bits, count };
  const order = { kind: 'KeyswitchBootstrap' as const, value: null };
  const shape = { ciphertextModulus: NATIVE_64, messageModulus, carryModulus, ciphertextsPerGlwe };
  const metadata = { ...shape, atomicPattern: { kind: 'Standard' as const, value: order } };
  const glwe = { packed, glweDimension, polynomialSize, bodyCount, ciphertextModulus: NATIVE_64 };
  const empty = { data: new Uint8Array(0) };
  return safeSerialize(TYPE_NAME.compressedCiphertextList, compressedCiphertextList, {
    inner: {
      blocks: { glwes: [glwe], metadata },
      items: [
        { version: 1, value: { kind: 'Boolean', value: null } },
        { version: 1, value: { kind: 'Unsigned', value: 4 } },
      ],
    },
    tag: empty,
    reRandomizationMetadata: [empty, empty],
  });
}
