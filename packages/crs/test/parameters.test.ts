/** The sizes of tfhe-zk-pok. The bound for 64 bits also stands in a file that node-tfhe made. */
import { DEFAULT_PARAMETERS, TEST_PARAMETERS } from '@keyquorum/tfhe/parameters';
import { expect, test } from 'vitest';
import { crsFileBytes } from '../src/crs-file.ts';
import { CrsParametersError, crsParameters } from '../src/parameters.ts';
import { SMALL_KEY } from './support/small-key.ts';

test.each([
  { maxBits: 8, blocks: 2, witnessBits: 2056, size: 5896, fileBytes: 3_396_328 },
  { maxBits: 64, blocks: 16, witnessBits: 2112, size: 5952, fileBytes: 3_428_584 },
  { maxBits: 256, blocks: 64, witnessBits: 2304, size: 6144, fileBytes: 3_539_176 },
  { maxBits: 1024, blocks: 256, witnessBits: 3072, size: 6912, fileBytes: 3_981_544 },
  { maxBits: 2048, blocks: 512, witnessBits: 4096, size: 7936, fileBytes: 4_571_368 },
])('default parameters, $maxBits bits', ({ maxBits, fileBytes, ...sizes }) => {
  const parameters = crsParameters(DEFAULT_PARAMETERS, maxBits);
  expect(parameters).toMatchObject({ ...sizes, dimension: 2048, noiseBound: 131_072n, plaintextModulus: 32 });
  expect(crsFileBytes(parameters.size)).toBe(fileBytes);
});

test('bounds on the squared norm', () => {
  expect(crsParameters(DEFAULT_PARAMETERS, 64).boundSquared).toBe(146_526_581_183_226_432n);
  expect(crsParameters(DEFAULT_PARAMETERS, 2048).boundSquared).toBe(225_369_684_739_368_960n);
});

test('the smallest set that node-tfhe proves with', () => {
  const small = crsParameters(SMALL_KEY, 32);
  expect(small).toMatchObject({ blocks: 8, witnessBits: 64, size: 1472, noiseBound: 1n });
  expect(crsFileBytes(small.size)).toBe(848_104);
});

test.each([0, -1, 3, 1.5, 4096, Number.NaN])('%d bits are refused', (maxBits) => {
  expect(() => crsParameters(DEFAULT_PARAMETERS, maxBits)).toThrow(CrsParametersError);
});

test('more blocks than the key has room for are refused', () => {
  expect(crsParameters(TEST_PARAMETERS, 2048).blocks).toBe(TEST_PARAMETERS.pke.dimension);
  expect(() => crsParameters(SMALL_KEY, 256)).toThrow('64 blocks are more than a key of dimension 32 has room for');
});
