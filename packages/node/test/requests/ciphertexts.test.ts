/** How nodes come to bytes that a request only names: four parties, one of which was asked, and one that lies. */
import { sha256, sha256Hex } from '@keyquorum/mpc/bytes';
import type { Party } from '@keyquorum/mpc/party';
import { simulate } from '@keyquorum/mpc/simulate/simulate';
import type { CiphertextShelf } from '@keyquorum/wire/ciphertext-shelf';
import { expect, test } from 'vitest';
import { withoutKernel } from '../../../mpc/test/without-kernel.ts';
import { type Ciphertexts, createCiphertexts, createShelf } from '../../src/requests/ciphertexts.ts';
import { publicContentOf } from '../../src/requests/content.ts';

const id = (byte: number) => byte.toString(16).padStart(2, '0').repeat(32);
const BYTES = new Uint8Array(100_000).fill(7);
const limits = { ciphertextBytes: 2 ** 20, ciphertextBytesPerRequester: 2 ** 20, ciphertextSeconds: 60 };
const named = { handle: id(3), format: 'fhe' as const };
const contentOf = (ciphertext: object) => {
  return publicContentOf({ requestId: id(1), keyId: id(2), ciphertexts: [{ ...named, ...ciphertext }] }, 'alice');
};
const NAMING = contentOf({ digest: sha256Hex(BYTES) });
const CARRYING = contentOf({ bytes: Buffer.from(BYTES).toString('base64') });

interface Setting {
  /** Of every party, before party 1 pulls. */
  readonly prepare: (ciphertexts: Ciphertexts, party: Party, shelf: CiphertextShelf) => void;
  readonly bytesMax?: number;
}

/** What party 1 gets, told of the request by party 2; and what it holds afterwards. */
async function pulled({ prepare, bytesMax = 2 ** 20 }: Setting) {
  const sim = simulate({ seed: 3, n: 4, t: 1, kernel: withoutKernel, reorder: false });
  const { outcomes } = await sim.run(async (party) => {
    const shelf = createShelf(limits as Parameters<typeof createShelf>[0]);
    const ciphertexts = createCiphertexts(party, shelf, bytesMax);
    prepare(ciphertexts, party, shelf);
    if (party.self !== 1) return undefined;
    await party.clock.until(party.clock.now() + 10);
    const source = await ciphertexts.pull(2, NAMING);
    return { bytes: source(NAMING.ciphertexts[0]!), held: shelf.held().count };
  });
  const [outcome] = outcomes;
  if (outcome?.status === 'rejected') throw outcome.reason;
  return outcome?.status === 'fulfilled' ? outcome.value : outcome;
}

const offering = (ciphertexts: Ciphertexts) => {
  const [ciphertext] = CARRYING.ciphertexts;
  return ciphertexts.offer(CARRYING, [{ ...ciphertext!, bytes: BYTES }]);
};

test('from the node that was asked, whichever form its caller chose; and they are kept', async () => {
  const prepare: Setting['prepare'] = (ciphertexts, { self }) => void (self === 2 && offering(ciphertexts));
  expect(await pulled({ prepare })).toEqual({ bytes: BYTES, held: 1 });
});

test('from another one when the first serves other bytes; nothing but the named bytes is kept', async () => {
  const prepare: Setting['prepare'] = (ciphertexts, { self, transport }) => {
    const exchange = { name: 'ciphertext', requestBytesMax: 64, responseBytesMax: 2 ** 20 };
    if (self === 2) transport.serve(exchange, async () => new Uint8Array(BYTES.length).fill(8));
    if (self === 4) offering(ciphertexts);
  };
  expect(await pulled({ prepare })).toEqual({ bytes: BYTES, held: 1 });
});

test('also when the request failed, is tried again, and its first try ends late', async () => {
  const prepare: Setting['prepare'] = (ciphertexts, { self }) => {
    if (self !== 2) return;
    const endFirst = offering(ciphertexts);
    offering(ciphertexts);
    endFirst();
  };
  expect(await pulled({ prepare })).toEqual({ bytes: BYTES, held: 1 });
});

test('from nobody but itself when it was handed over here', async () => {
  const prepare: Setting['prepare'] = (_, { self }, shelf) => {
    if (self === 1) shelf.put('alice', sha256Hex(BYTES), BYTES);
  };
  expect(await pulled({ prepare })).toEqual({ bytes: BYTES, held: 1 });
});

test.each<[string, Setting]>([
  ['nobody has them', { prepare: () => undefined }],
  ['the request has ended', { prepare: (all, { self }) => void (self === 2 && offering(all)()) }],
  ['they were handed over to others only', { prepare: (_, __, shelf) => shelf.put('bob', sha256Hex(BYTES), BYTES) }],
  ['they are too long', { prepare: (all, { self }) => void (self === 2 && offering(all)), bytesMax: 99_999 }],
])('unknown: %s', async (_, setting) => {
  await expect(pulled(setting)).rejects.toMatchObject({ code: 'CIPHERTEXT_UNKNOWN' });
});

test('a node that is asked takes what came with the request, or was handed over by this requester', async () => {
  const sim = simulate({ seed: 3, n: 4, t: 1, kernel: withoutKernel });
  await sim.run(async (party) => {
    const shelf = createShelf(limits as Parameters<typeof createShelf>[0]);
    const { own } = createCiphertexts(party, shelf, 2 ** 20);
    const [carried] = CARRYING.ciphertexts;
    const [ciphertext] = NAMING.ciphertexts;
    expect(own('alice')(carried!)).toEqual(BYTES);
    expect(() => own('alice')(ciphertext!)).toThrow(expect.objectContaining({ code: 'CIPHERTEXT_UNKNOWN' }));
    shelf.put('alice', sha256Hex(BYTES), BYTES);
    expect(own('alice')(ciphertext!)).toBe(BYTES);
    expect(() => own('bob')(ciphertext!)).toThrow(expect.objectContaining({ code: 'CIPHERTEXT_UNKNOWN' }));
    expect(ciphertext!.digest).toEqual(sha256(BYTES));
  });
});
