/** What other nodes say to a request that one node passes on: four parties, whose clocks say different times. */
import { simulate } from '@keyquorum/mpc/simulate/simulate';
import { EXPIRY_TOLERANCE_SECONDS } from '@keyquorum/wire/authorization';
import { expect, test } from 'vitest';
import { withoutKernel } from '../../../mpc/test/without-kernel.ts';
import { PublicDecryptionBody } from '../../src/requests/body.ts';
import { publicContentOf } from '../../src/requests/content.ts';
import { createForwarding } from '../../src/requests/forwarding.ts';
import { createRequesters, newApiKey, requesterPublicKey } from '../../src/requests/requester.ts';

const NOW_SECONDS = 1_790_000_000;
const KEY = newApiKey();
const ALICE = { name: 'alice', publicKey: requesterPublicKey(KEY), apps: ['default'] };
const id = (byte: number) => byte.toString(16).padStart(2, '0').repeat(32);
const BODY: PublicDecryptionBody = {
  ...{ requestId: id(1), keyId: id(2) },
  ciphertexts: [{ handle: id(3), format: 'fhe', bytes: 'AAAA' }],
};
const CONTENT = publicContentOf(BODY, 'alice');

test('a signature that expired on the way counts for some minutes; who refuses it later is done without', async () => {
  const at = (seconds: number) => createRequesters([ALICE], () => (NOW_SECONDS + seconds) * 1_000);
  const { expires, signature } = at(0).authenticate(`Bearer ${KEY}`)!.sign(CONTENT.hash);
  const lateBy = [0, 0, EXPIRY_TOLERANCE_SECONDS - 1, EXPIRY_TOLERANCE_SECONDS]; // of parties 1 to 4
  const taken: number[] = [];
  const refusals: object[] = [];
  const sim = simulate({ seed: 3, n: 4, t: 1, kernel: withoutKernel, reorder: false });
  const { outcomes } = await sim.run(async (party) => {
    const requesters = at(expires - NOW_SECONDS + lateBy[party.self - 1]!);
    const warn = (_: string, fields: object) => void refusals.push(fields);
    const modules = { party, requesters, bodyBytes: 2 ** 20, warn };
    const forwarding = createForwarding<PublicDecryptionBody>('public-decryption', PublicDecryptionBody, modules);
    forwarding.serve(async (from, { request, requester }, authorize) => {
      expect([from, request, requester]).toEqual([1, BODY, 'alice']);
      expect(authorize(CONTENT.hash)).toEqual(ALICE);
      taken.push(party.self);
    });
    if (party.self !== 1) return;
    await party.clock.until(party.clock.now() + 10); // all serve
    const hex = Buffer.from(signature).toString('hex');
    const end = forwarding.send({ request: BODY, requester: 'alice', expires, signature: hex });
    await end();
  });
  expect(outcomes.map(({ status }) => status)).toEqual(Array(4).fill('fulfilled'));
  expect(taken.sort()).toEqual([2, 3]);
  const reason = expect.stringMatching(/^UNAUTHENTICATED: .* expired 300 s ago: sign the request again/);
  expect(refusals).toEqual([{ peer: 4, requestId: BODY.requestId, reason }]);
});
