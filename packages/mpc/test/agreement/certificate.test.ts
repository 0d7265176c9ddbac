import { CodecError } from '@keyquorum/codec/error';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  CERTIFICATE_BYTES_MAX,
  type Certificate,
  collectDigest,
  collectSignatures,
  decodeCertificate,
  digestSubject,
  encodeCertificate,
  receiveCertificate,
  SignatureTally,
  soloCertificate,
  verifyCertificate,
} from '../../src/agreement/certificate.ts';
import { sha256 } from '../../src/bytes.ts';
import { LABELS } from '../../src/labels.ts';
import type { Party } from '../../src/party.ts';
import { quorumOf } from '../../src/roster.ts';
import { signStatement } from '../../src/runtime/statement.ts';
import { silent } from '../../src/simulate/faults/silent.ts';
import { type SimulateOptions, simulate } from '../../src/simulate/simulate.ts';
import { TAG_LENGTH_MAX } from '../../src/transport.ts';
import { withoutKernel } from '../without-kernel.ts';

const SESSION = 'ce'.repeat(32);
const [A, B] = ['a', 'b'].map((text) => sha256(new TextEncoder().encode(text))) as [Uint8Array, Uint8Array];
const base: SimulateOptions = { seed: 5, n: 4, t: 1, kernel: withoutKernel };
const { roster } = simulate(base);
const speakers = [1, 2, 3, 4].map((id) => simulate(base).party(id));
const subject = digestSubject(LABELS.ok, SESSION, 'ok', A);

function certificateOf(signers: readonly number[], digest = A): Certificate {
  const signed = digestSubject(LABELS.ok, SESSION, 'ok', digest);
  return {
    subject: signed,
    signatures: new Map(signers.map((id) => [id, signStatement(speakers[id - 1]!, signed)])),
  };
}

describe('verification', () => {
  test('wants a quorum of valid signatures on exactly this subject', () => {
    expect(verifyCertificate(roster, subject, certificateOf([1, 3, 4]), 3)).toBe(true);
    expect(verifyCertificate(roster, subject, certificateOf([1, 3]), 3)).toBe(false);
    expect(verifyCertificate(roster, subject, certificateOf([1, 3, 4], B), 3)).toBe(false);
    expect(verifyCertificate(roster, { ...subject, tag: 'other' }, certificateOf([1, 3, 4]), 3)).toBe(false);
    expect(verifyCertificate({ ...roster, network: 'other' }, subject, certificateOf([1, 3, 4]), 3)).toBe(false);
  });

  test('refuses a signature that stands under another party, even beyond the quorum', () => {
    const { signatures } = certificateOf([1, 2, 3]);
    const swapped = { subject, signatures: new Map([...signatures, [4, signatures.get(1)!]]) };
    expect(verifyCertificate(roster, subject, swapped, 3)).toBe(false);
    const unknown = { subject, signatures: new Map([...signatures, [9, signatures.get(1)!]]) };
    expect(verifyCertificate(roster, subject, unknown, 3)).toBe(false);
  });
});

describe('encoding', () => {
  test('round trip, within its bound', () => {
    for (const signers of [[], [2], [1, 2, 3, 4]]) {
      const certificate = certificateOf(signers);
      expect(decodeCertificate(encodeCertificate(certificate))).toEqual(certificate);
    }
    const longest = { ...subject, domain: 'd'.repeat(64), tag: 't'.repeat(TAG_LENGTH_MAX) };
    const signatures = new Map(Array.from({ length: 15 }, (_, index) => [index + 1, new Uint8Array(64)]));
    expect(encodeCertificate({ subject: longest, signatures })).toHaveLength(CERTIFICATE_BYTES_MAX);
  });

  const valid = encodeCertificate(certificateOf([1, 2, 4]));
  const mutated = fc
    .tuple(fc.nat(valid.length - 1), fc.nat(255), fc.integer({ min: -3, max: 3 }))
    .map(([at, byte, grow]) => {
      const bytes = new Uint8Array(Math.max(0, valid.length + grow));
      bytes.set(valid.subarray(0, bytes.length));
      if (at < bytes.length) bytes[at] = byte;
      return bytes;
    });

  test('any bytes: CodecError or the one canonical encoding', () => {
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 300 }), mutated), (bytes) => {
        let decoded: Certificate;
        try {
          decoded = decodeCertificate(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(CodecError);
          return;
        }
        expect(encodeCertificate(decoded)).toEqual(bytes);
      }),
      { numRuns: 5_000 },
    );
  });
});

describe('collecting', () => {
  const quorum = quorumOf(roster);
  const run = <T>(options: Partial<SimulateOptions>, program: (party: Party) => Promise<T>) =>
    simulate({ ...base, ...options }).run(program);

  test('gives everybody a certificate of the quorum', async () => {
    const { outcomes, faults } = await run({}, (party) =>
      collectSignatures(party.open(SESSION), 'ok', LABELS.ok, A, quorum),
    );
    for (const outcome of outcomes) {
      if (outcome.status !== 'fulfilled') throw new Error(outcome.status);
      expect(verifyCertificate(roster, subject, outcome.value, quorum)).toBe(true);
    }
    expect(faults).toEqual([]);
  });

  test('needs no more than the quorum, and says so when it is missed', async () => {
    const collectBy = (faults: number[]) =>
      run({ faults: Object.fromEntries(faults.map((id) => [id, silent()])) }, async (party) => {
        const deadlineMs = party.clock.now() + 1_000;
        const { signatures } = await collectSignatures(party.open(SESSION), 'ok', LABELS.ok, A, quorum, { deadlineMs });
        return [...signatures.keys()];
      });
    const [one] = (await collectBy([2])).outcomes;
    expect(one).toEqual({ status: 'fulfilled', value: [1, 3, 4] });
    const [two] = (await collectBy([2, 3])).outcomes;
    expect(two).toMatchObject({ status: 'rejected', reason: { code: 'QUORUM_MISSED' } });
  });

  test('counts only equal digests; a different one is no fault', async () => {
    const { outcomes, faults } = await run({}, (party) =>
      collectSignatures(party.open(SESSION), 'ok', LABELS.ok, party.self <= 2 ? A : B, quorum),
    );
    for (const outcome of outcomes) expect(outcome).toMatchObject({ reason: { code: 'QUORUM_MISSED' } });
    expect(faults).toEqual([]);
  });

  test('adoption: t+1 equal votes are enough, and a party without a vote learns the digest', async () => {
    const votes = [A, A, B, undefined];
    const { outcomes } = await run({}, async (party) => {
      const { digest } = await collectDigest(party.open(SESSION), 'ok', LABELS.ok, votes[party.self - 1], 2);
      return digest;
    });
    for (const outcome of outcomes) expect(outcome).toEqual({ status: 'fulfilled', value: A });
  });

  test('wrong signatures and lengths are reported and not counted', async () => {
    const { outcomes, faults } = await run({}, async (party) => {
      const session = party.open(SESSION);
      if (party.self === 4) return session.sendAll('ok', new Uint8Array(96));
      if (party.self === 3) return session.sendAll('ok', new Uint8Array(95));
      await collectSignatures(session, 'ok', LABELS.ok, A, quorum);
    });
    expect(outcomes[0]).toMatchObject({ reason: { code: 'QUORUM_MISSED' } });
    expect(new Set(faults.filter(({ by }) => by === 1).map(({ fault }) => `${fault.party} ${fault.kind}`))).toEqual(
      // A zero digest is another digest: ignored. The short vote is malformed.
      new Set(['3 malformed']),
    );
  });

  test('a forwarded certificate is enough for a party that missed the vote', async () => {
    const forwarded = { domain: LABELS.ok, votedTag: 'ok', quorum: 3 };
    const { outcomes, faults } = await run({}, async (party) => {
      const session = party.open(SESSION);
      if (party.self === 1) return (await receiveCertificate(session, 'forward', forwarded)).subject.digest;
      if (party.self === 2) session.sendAll('forward', encodeCertificate(certificateOf([1, 2])));
      if (party.self === 3) session.sendAll('forward', new Uint8Array(10));
      await party.clock.until(party.clock.now() + 100);
      if (party.self === 4) session.sendAll('forward', encodeCertificate(certificateOf([1, 2, 3])));
      return undefined;
    });
    expect(outcomes[0]).toEqual({ status: 'fulfilled', value: A });
    expect(faults.map(({ fault }) => `${fault.party} ${fault.kind}`).sort()).toEqual(['2 malformed', '3 malformed']);
  });

  test('a tally takes the first vote of a party and no wrong one', () => {
    const tally = new SignatureTally(roster, 2);
    const [one, two] = speakers as [Party, Party];
    const signature = soloCertificate(one, subject).signatures.get(1)!;
    expect(tally.add(2, subject, signature)).toBe(false);
    expect(tally.add(1, subject, signature)).toBe(true);
    expect(tally.add(1, subject, signature)).toBe(false);
    expect(tally.certificate()).toBeUndefined();
    expect(tally.add(2, subject, soloCertificate(two, subject).signatures.get(2)!)).toBe(true);
    expect([...tally.certificate()!.signatures.keys()]).toEqual([1, 2]);
  });
});
