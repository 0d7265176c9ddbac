/** The proof for contracts: what comes in, what is left out, and its layout as a contract reads it. */
import { secp256k1 } from '@noble/curves/secp256k1.js';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  createDecryptionProof,
  encodeDecryptionProof,
  type PartySignature,
  type SignedAnswer,
} from '../src/decryption-proof.ts';
import { publicDecryptionDigest } from '../src/eip712.ts';
import { WireError } from '../src/error.ts';
import { encodeExtraData, signedExtraData } from '../src/extra-data.ts';
import { createSigner, type Signer } from '../src/signer.ts';

const DOMAIN = { chainId: 654_321n, verifyingContract: `0x${'44'.repeat(20)}` } as const;
const PARTIES = 7;
const QUORUM = 3;
const parties = Array.from({ length: PARTIES }, (_, index) => createSigner(new Uint8Array(32).fill(index + 1)));
const outsider = createSigner(new Uint8Array(32).fill(99));
const signers = parties.map(({ address }) => address);
const ANSWER: SignedAnswer = {
  handles: [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)],
  decryptedResult: new Uint8Array(64).fill(3),
  extraData: new Uint8Array(0),
};
const CONTEXT = encodeExtraData({ version: 1, contextId: 5n });

function signatureOf(signer: Signer, answer: SignedAnswer = ANSWER): Uint8Array {
  return signer.sign(publicDecryptionDigest(DOMAIN, { ...answer, extraData: signedExtraData(answer.extraData) }));
}

/** What the contract reads out of a proof. */
function read(proof: Uint8Array): { signatures: Uint8Array[]; extraData: Uint8Array } {
  const count = proof[0]!;
  const signatures = Array.from({ length: count }, (_, index) => proof.slice(1 + 65 * index, 66 + 65 * index));
  return { signatures, extraData: proof.slice(1 + 65 * count) };
}

/** The other signature that the same signer can make without its key: refused by contracts. */
function mirrored(signature: Uint8Array): Uint8Array {
  const { r, s } = secp256k1.Signature.fromBytes(signature.subarray(0, 64), 'compact');
  const other = new secp256k1.Signature(r, secp256k1.Point.Fn.ORDER - s).toBytes('compact');
  return new Uint8Array([...other, 55 - signature[64]!]);
}

/** Made from the signature of the party that sends it. */
const BAD: Readonly<Record<string, (party: number) => PartySignature>> = {
  "an outsider's": (party) => ({ party, signature: signatureOf(outsider) }),
  "another party's": (party) => ({ party, signature: signatureOf(parties[party % PARTIES]!) }),
  'over other values': (party) => {
    const answer = { ...ANSWER, decryptedResult: new Uint8Array(64).fill(4) };
    return { party, signature: signatureOf(parties[party - 1]!, answer) };
  },
  'over other handles': (party) => {
    const answer = { ...ANSWER, handles: [...ANSWER.handles].reverse() };
    return { party, signature: signatureOf(parties[party - 1]!, answer) };
  },
  'for another context': (party) => {
    return { party, signature: signatureOf(parties[party - 1]!, { ...ANSWER, extraData: CONTEXT }) };
  },
  'with s above half the order': (party) => ({ party, signature: mirrored(signatureOf(parties[party - 1]!)) }),
  'with v 0 or 1': (party) => {
    const signature = signatureOf(parties[party - 1]!);
    signature[64]! -= 27;
    return { party, signature };
  },
  'cut off': (party) => ({ party, signature: signatureOf(parties[party - 1]!).subarray(0, 64) }),
  'of a party that is none': (party) => ({ party: party + PARTIES, signature: signatureOf(parties[party - 1]!) }),
  'of party 0': (party) => ({ party: 0, signature: signatureOf(parties[party - 1]!) }),
};

describe('createDecryptionProof', () => {
  test('any good and bad signatures in any order: the good ones, each party once, in party order', () => {
    const good = fc.uniqueArray(fc.integer({ min: 1, max: PARTIES }), { minLength: QUORUM });
    const bad = fc.array(fc.tuple(fc.integer({ min: 1, max: PARTIES }), fc.constantFrom(...Object.keys(BAD))), {
      maxLength: 4,
    });
    const shuffled = fc.tuple(good, bad).chain(([signed, wrong]) => {
      const all = [
        ...signed.map((party) => ({ party, signature: signatureOf(parties[party - 1]!) })),
        ...wrong.map(([party, kind]) => BAD[kind]!(party)),
      ];
      const order = fc.shuffledSubarray(all, { minLength: all.length });
      return fc.record({ signed: fc.constant(signed.toSorted((left, right) => left - right)), order });
    });
    fc.assert(
      fc.property(shuffled, ({ signed, order }) => {
        const twice = [...order, ...order]; // repeating what was said adds nothing
        const proof = createDecryptionProof(DOMAIN, ANSWER, twice, { signers, quorum: QUORUM });
        expect(proof?.parties).toEqual(signed);
        const want = signed.map((party) => signatureOf(parties[party - 1]!));
        expect(read(proof!.bytes)).toEqual({ signatures: want, extraData: ANSWER.extraData });
      }),
      { numRuns: 15 },
    );
  });

  test.for(Object.entries(BAD))('a signature %s does not help to reach the quorum', ([, bad]) => {
    const signatures = [1, 2].map((party) => ({ party, signature: signatureOf(parties[party - 1]!) }));
    const withBad = [...signatures, bad(3)];
    expect(createDecryptionProof(DOMAIN, ANSWER, withBad, { signers, quorum: QUORUM })).toBeUndefined();
    expect(createDecryptionProof(DOMAIN, ANSWER, withBad, { signers, quorum: 2 })?.parties).toEqual([1, 2]);
  });

  test('the same party twice is one party', () => {
    const one = { party: 1, signature: signatureOf(parties[0]!) };
    expect(createDecryptionProof(DOMAIN, ANSWER, [one, one, one], { signers, quorum: 2 })).toBeUndefined();
  });

  test('extraData stands behind the signatures as it was signed: 00 as nothing, a context as it is', () => {
    for (const [extraData, want] of [
      [new Uint8Array(0), new Uint8Array(0)],
      [new Uint8Array(1), new Uint8Array(0)],
      [CONTEXT, CONTEXT],
    ] as const) {
      const answer = { ...ANSWER, extraData };
      const signatures = parties.map((signer, index) => ({ party: index + 1, signature: signatureOf(signer, answer) }));
      const proof = createDecryptionProof(DOMAIN, answer, signatures, { signers, quorum: PARTIES });
      expect(read(proof!.bytes).extraData).toEqual(want);
    }
  });

  test('extraData that nobody knows is refused', () => {
    const answer = { ...ANSWER, extraData: new Uint8Array([3]) };
    expect(() => createDecryptionProof(DOMAIN, answer, [], { signers, quorum: 0 })).toThrow(WireError);
  });

  test('signers in any spelling of their address', () => {
    const lower = signers.map((address) => address.toLowerCase() as `0x${string}`);
    const signatures = parties.map((signer, index) => ({ party: index + 1, signature: signatureOf(signer) }));
    const proof = createDecryptionProof(DOMAIN, ANSWER, signatures, { signers: lower, quorum: PARTIES });
    expect(proof?.parties).toEqual(parties.map((_, index) => index + 1));
  });
});

describe('encodeDecryptionProof', () => {
  test('what the contract reads is what went in, for every count', () => {
    const signature = fc.uint8Array({ minLength: 65, maxLength: 65 });
    fc.assert(
      fc.property(
        fc.array(signature, { maxLength: 255 }),
        fc.uint8Array({ maxLength: 70 }),
        (signatures, extraData) => {
          expect(read(encodeDecryptionProof(signatures, extraData))).toEqual({ signatures, extraData });
        },
      ),
    );
  });

  test('signatures of another length and more than a byte can count are our own bug', () => {
    const signature = new Uint8Array(65);
    expect(() => encodeDecryptionProof([signature.subarray(1)], new Uint8Array(0))).toThrow(RangeError);
    expect(() => encodeDecryptionProof(Array(256).fill(signature), new Uint8Array(0))).toThrow(RangeError);
  });
});
