/**
 * The judge of evidence against its enemies. Goals: a liar is convicted before anybody who has the roster; a file that
 * differs in anything convicts nobody; t parties, who know everything that a burn makes public and sign what they like,
 * convict nobody honest; any bytes end in a verdict or a typed error. Method: evidence of sessions that were made with
 * the keys of all parties (support/made-evidence.ts); networks are in evidence.sim.test.ts.
 */
import { doubleSignature } from '@keyquorum/mpc/agreement/evidence';
import { sha256 } from '@keyquorum/mpc/bytes';
import { LABELS } from '@keyquorum/mpc/labels';
import { familyA2, familyC } from '@keyquorum/mpc/prss/family';
import { bodyBytesMax, OPENING_BYTES } from '@keyquorum/mpc/prss/init-messages';
import { createScope } from '@keyquorum/mpc/prss/init-scope';
import { partiesOf, quorumOf, type Roster } from '@keyquorum/mpc/roster';
import { rosterDigest } from '@keyquorum/mpc/runtime/statement';
import { createPrng } from '@keyquorum/mpc/simulate/prng';
import type { PartyId } from '@keyquorum/mpc/transport';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeAnnouncement } from '../src/ceremony/starting.ts';
import { encodeStart } from '../src/decryption/batch-record.ts';
import { EvidenceError } from '../src/evidence/evidence-error.ts';
import {
  decodeEvidenceFile,
  EVIDENCE_FILE_BYTES_MAX,
  type EvidenceFile,
  encodeEvidenceFile,
  type WrongShare,
} from '../src/evidence/file.ts';
import { verifyMessageEvidence } from '../src/evidence/verify.ts';
import { kernel } from './support/kernel.ts';
import {
  accuse,
  accuseOfBroken,
  accuseOfTwo,
  announcementOf,
  type ChangeBody,
  createCommittee,
  flipped,
  type MadeInit,
  type MadeSession,
  makeBatch,
  makeEpoch,
  makeKeygen,
} from './support/made-evidence.ts';

const SIZES = [
  { n: 4, t: 1 },
  { n: 7, t: 2 },
];
const committee = createCommittee(4, 1);
const keygen = makeKeygen(committee);
const batch = makeBatch(committee);
const LIAR = 4;
/** What a cheat broadcasts, in the step where it is seen. */
const CHEATS: Readonly<Record<string, ChangeBody>> = {
  'keys cut short': (body, step) => (step === 0 ? body.slice(0, -1) : body),
  'a contribution cut short': (body, step) => (step === 1 ? body.slice(0, -1) : body),
  'a complaint with a key that was not announced': (body, step) =>
    step === 2 ? Uint8Array.of(...body.slice(0, 32), 1, 1, ...new Uint8Array(32)) : body,
};
/** Only the last of so many parties cheats. */
const byLiar =
  (cheat: ChangeBody, liar = LIAR): ChangeBody =>
  (body, step, party) =>
    party === liar ? cheat(body, step, party) : body;
const cut = byLiar(CHEATS['a contribution cut short']!);
const brokenKeygen = makeKeygen(committee, undefined, { change: cut });
const brokenEpoch = makeEpoch(committee, cut);

const judge = (file: EvidenceFile | Uint8Array, roster: Roster = committee.roster) =>
  verifyMessageEvidence(kernel, roster, file instanceof Uint8Array ? file : encodeEvidenceFile(file));

/** The code of the refusal, or the convicted party. */
function verdict(file: EvidenceFile | Uint8Array, roster?: Roster): string | PartyId {
  try {
    return judge(file, roster).party;
  } catch (error) {
    if (!(error instanceof EvidenceError)) throw error;
    expect(error.message).not.toBe('');
    return error.code;
  }
}

function shareOf({ proof }: EvidenceFile): WrongShare {
  if (proof.kind !== 'wrong-share') throw new Error('a wrong share was made');
  return proof.value;
}

/** The same accusation with another part. */
function withShare(file: EvidenceFile, change: Partial<WrongShare>): EvidenceFile {
  return { ...file, proof: { kind: 'wrong-share', value: { ...shareOf(file), ...change } } };
}

const FILES: readonly [string, EvidenceFile][] = [
  ['a wrong share of the bits', accuse(committee, keygen, { party: LIAR, step: 'bits' })],
  ['a wrong share of a chunk', accuse(committee, keygen, { party: LIAR, step: 'body64/3' })],
  ['a wrong SHARE of a batch', accuse(committee, batch, { party: LIAR, step: 'share' })],
  ['two messages of a key generation', accuseOfTwo(committee, keygen, { party: LIAR, step: 'body64/3' })],
  ['two messages of a batch', accuseOfTwo(committee, batch, { party: LIAR, step: 'share' })],
  ['a broken PRSS-Init of a key generation', accuseOfBroken(committee, brokenKeygen, LIAR)],
  ['a broken PRSS-Init of an epoch', accuseOfBroken(committee, brokenEpoch, LIAR)],
];

/** The same accusation of another party. */
function withParty(file: EvidenceFile, party: PartyId): EvidenceFile {
  const { proof } = file;
  if (proof.kind === 'double-signature') return { ...file, proof: { ...proof, value: { ...proof.value, party } } };
  if (proof.kind === 'broken-init') return { ...file, proof: { ...proof, value: { ...proof.value, party } } };
  return withShare(file, { party });
}

describe.each(SIZES)('a liar is convicted, n=$n, t=$t', ({ n, t }) => {
  const large = createCommittee(n, t);
  test.each(['bits', 'body64/0', 'body128/6'])('of a wrong share in %s of a key generation', (step) => {
    const made = makeKeygen(large);
    const found = judge(accuse(large, made, { party: n, step }), large.roster);
    expect(found).toEqual({
      ...{ party: n, kind: 'wrong-share', ceremony: 'keygen', step, attempt: 0 },
      ceremonyId: 'ab'.repeat(32),
      session: made.ceremony.session,
    });
  });

  test('of a wrong SHARE, while t others lie about the keys of the batch', () => {
    const liars = partiesOf(large.roster).slice(0, t);
    const keyOf = (party: PartyId, set: number) =>
      createPrng(`${liars.includes(party) ? 'a lie about' : 'key of'} set ${set}`).bytes(32);
    const made = makeBatch(large, { keyOf });
    expect(judge(accuse(large, made, { party: n, step: 'share' }), large.roster)).toMatchObject({
      ...{ party: n, kind: 'wrong-share', ceremony: 'preprocessing', step: 'share' },
      ceremonyId: made.ceremony.session,
    });
  });
});

describe.each(SIZES)('a party that breaks a PRSS-Init is convicted, n=$n, t=$t', ({ n, t }) => {
  const large = createCommittee(n, t);
  test.each(Object.entries(CHEATS))('by %s, and nobody else', (_name, cheat) => {
    const change = byLiar(cheat, n);
    const made: [MadeInit, string, string][] = [
      [makeKeygen(large, undefined, { change }), 'keygen', 'ab'],
      [makeEpoch(large, change), 'epoch', 'cd'],
    ];
    for (const [init, ceremony, id] of made) {
      expect(judge(accuseOfBroken(large, init, n), large.roster)).toEqual({
        ...{ party: n, kind: 'broken-init', ceremony, step: 'prss-init', attempt: 0 },
        ceremonyId: id.repeat(32),
        session: init.ceremony.session,
      });
      for (const party of partiesOf(large.roster).slice(0, -1)) {
        expect(verdict(accuseOfBroken(large, init, party), large.roster)).toBe('EVIDENCE_REFUTED');
      }
    }
  });
});

describe('the file', () => {
  test.each(FILES)('%s: convicts, and has one spelling', (_name, file) => {
    expect(verdict(file)).toBe(LIAR);
    const encoded = encodeEvidenceFile(file);
    expect(encodeEvidenceFile(decodeEvidenceFile(encoded))).toEqual(encoded);
  });

  test.each(FILES)('%s: any other bit, and it convicts nobody', (_name, file) => {
    const encoded = encodeEvidenceFile(file);
    const anyBit = fc.tuple(fc.nat(encoded.length - 1), fc.nat(7));
    fc.assert(
      fc.property(anyBit, ([at, bit]) => {
        expect(verdict(encoded.with(at, encoded[at]! ^ (1 << bit)))).toMatch(/^EVIDENCE_/);
      }),
      { numRuns: 400 },
    );
  });

  test.each(FILES)('%s: another party, or another network, and it convicts nobody', (_name, file) => {
    for (const party of [0, 1, 2, 3, 5, 255]) {
      expect(verdict(withParty(file, party))).toMatch(/^EVIDENCE_(SIGNATURE|SECRETS|REFUTED)$/);
    }
    const { roster } = committee;
    const keys = [...roster.publicKeys];
    const others: Roster[] = [
      { ...roster, network: 'another' },
      { ...roster, publicKeys: [keys[1]!, keys[0]!, keys[2]!, keys[3]!] },
      createCommittee(7, 2).roster,
    ];
    for (const other of others) {
      expect(verdict(file, other)).toBe('EVIDENCE_NETWORK');
      const moved = verdict({ ...file, network: rosterDigest(other) }, other);
      expect(moved).toMatch(/^EVIDENCE_(SIGNATURE|CEREMONY|CERTIFICATE)$/);
    }
  });

  test('any bytes, cut or longer: a typed error', () => {
    const files = FILES.map(([, file]) => encodeEvidenceFile(file));
    const cut = fc.constantFrom(...files).chain((file) => fc.nat(file.length - 1).map((end) => file.slice(0, end)));
    const longer = fc.constantFrom(...files).map((file) => Uint8Array.of(...file, 0));
    const spliced = fc
      .tuple(fc.constantFrom(...files), fc.nat(400), fc.uint8Array({ minLength: 1, maxLength: 24 }))
      .map(([file, at, bytes]) => Uint8Array.of(...file.slice(0, at), ...bytes, ...file.slice(at + bytes.length)));
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 300 }), cut, longer, spliced), (bytes) => {
        const found = verdict(bytes);
        if (found === LIAR) expect(files.some((file) => Buffer.compare(file, bytes) === 0)).toBe(true);
        else expect(found).toMatch(/^EVIDENCE_/);
      }),
      { numRuns: 2_000 },
    );
    expect(verdict(new Uint8Array(EVIDENCE_FILE_BYTES_MAX + 1))).toBe('EVIDENCE_MALFORMED');
  });

  test('names a ceremony in one spelling only, and members in order', () => {
    const keygenFile = accuse(committee, keygen, { party: LIAR, step: 'bits' });
    const batchFile = accuse(committee, batch, { party: LIAR, step: 'share' });
    const announcement = announcementOf({ parameters: 'test', purpose: 'development' });
    const late = encodeAnnouncement(announcement);
    new DataView(late.buffer).setBigUint64(37, 2n ** 53n + 1n, true); // no number of JavaScript
    const announcements = [
      encodeAnnouncement({ ...announcement, kind: 'epoch' }),
      encodeAnnouncement({ ...announcement, content: Uint8Array.of(9, 0) }),
      late,
    ];
    const longer = encodeAnnouncement({ ...announcement, kind: 'epoch', content: new Uint8Array(5) });
    const epochFile = accuseOfBroken(committee, brokenEpoch, LIAR);
    expect(verdict({ ...epochFile, ceremony: { kind: 'epoch', value: longer } })).toBe('EVIDENCE_CEREMONY');
    for (const value of announcements) {
      expect(verdict({ ...keygenFile, ceremony: { kind: 'keygen', value } })).toBe('EVIDENCE_CEREMONY');
    }
    for (const bundles of [3, 2049]) {
      const value = encodeStart({ epoch: 1, bundles, leader: 1, nonces: [] });
      expect(verdict({ ...batchFile, ceremony: { kind: 'preprocessing', value } })).toBe('EVIDENCE_CEREMONY');
    }
    const shown = batch.shownFor(LIAR);
    for (const value of [[...shown.value].reverse(), [shown.value[0]!, ...shown.value]]) {
      expect(verdict(withShare(batchFile, { secrets: { ...shown, value } }))).toBe('EVIDENCE_MALFORMED');
    }
  });

  test('a key that a committee of this size never makes', () => {
    const large = createCommittee(15, 4);
    const made = makeKeygen(large, announcementOf({ parameters: 'default', purpose: 'production' }));
    const file = accuse(large, made, { party: LIAR, step: 'bits', message: Uint8Array.of(1) });
    expect(verdict(file, large.roster)).toBe('EVIDENCE_CEREMONY');
  });

  test('has room for every committee', () => {
    for (let n = 4; n <= 15; n++) {
      for (let t = 1; 3 * t < n; t++) {
        const roster = { network: 'x', n, t, publicKeys: Array.from({ length: n }, () => new Uint8Array(32)) };
        const scope = createScope(
          { session: '00'.repeat(32), roster },
          [familyC(roster), familyA2(roster)],
          sha256(roster.publicKeys[0]!),
        );
        const broadcasts = bodyBytesMax(scope).map((bytes) => n * (8 + bytes));
        const openings = scope.sets.reduce((sum, { members }) => sum + members.length * OPENING_BYTES, 0);
        expect(openings).toBeLessThanOrEqual(2 ** 20);
        expect(Math.max(...bodyBytesMax(scope))).toBeLessThanOrEqual(2 ** 20);
        expect(broadcasts.reduce((sum, bytes) => sum + bytes, openings)).toBeLessThan(
          EVIDENCE_FILE_BYTES_MAX - 2 ** 16,
        );
      }
    }
  });
});

/** What an honest party signed, and nothing else of it: its messages of these sessions, its votes and reveals. */
const HONEST = 1;
const nextAttempt = makeKeygen(
  committee,
  announcementOf({ parameters: 'test', purpose: 'development' }, { attempt: 1 }),
);
const otherBatch = makeBatch(committee, { epoch: 2 });
const honestly = (made: MadeSession, step: string) =>
  accuse(committee, made, { party: HONEST, step, message: made.right(HONEST, step) });
const secretsOf = (made: MadeSession) => made.shownFor(HONEST);

describe('t forgers convict nobody honest', () => {
  const bits = honestly(keygen, 'bits');
  const share = honestly(batch, 'share');
  const foreignInit = makeKeygen(committee, undefined, { seed: 'forged', signers: [LIAR] });
  const signed = (file: EvidenceFile): Partial<WrongShare> => {
    const { length, digest, signature } = shareOf(file);
    return { length, digest, signature };
  };

  test.each<[string, EvidenceFile, string]>([
    ['with what it rightly sent', bits, 'EVIDENCE_REFUTED'],
    ['with its SHARE', share, 'EVIDENCE_REFUTED'],
    [
      'with a message they signed',
      accuse(committee, keygen, { party: HONEST, step: 'bits', by: LIAR }),
      'EVIDENCE_SIGNATURE',
    ],
    [
      'with its message of another step',
      withShare(honestly(keygen, 'body64/3'), { step: 'bits' }),
      'EVIDENCE_SIGNATURE',
    ],
    [
      'with its message of another attempt',
      withShare(bits, signed(honestly(nextAttempt, 'bits'))),
      'EVIDENCE_SIGNATURE',
    ],
    ['with another attempt of the ceremony', { ...bits, ceremony: nextAttempt.root }, 'EVIDENCE_SIGNATURE'],
    ['with another batch', { ...share, ceremony: otherBatch.root }, 'EVIDENCE_SIGNATURE'],
    ['with a batch as a key generation', { ...share, ceremony: keygen.root }, 'EVIDENCE_SIGNATURE'],
    [
      'with a step that does not exist',
      accuse(committee, keygen, { party: HONEST, step: 'seed', message: sha256(new Uint8Array(1)) }),
      'EVIDENCE_CEREMONY',
    ],
    ['with PRSS keys they certify alone', withShare(bits, { secrets: secretsOf(foreignInit) }), 'EVIDENCE_CERTIFICATE'],
    ['with PRSS keys of another attempt', withShare(bits, { secrets: secretsOf(nextAttempt) }), 'EVIDENCE_CERTIFICATE'],
    ['with secrets of another kind', withShare(bits, { secrets: secretsOf(batch) }), 'EVIDENCE_SECRETS'],
    ['with openings where keys belong', withShare(share, { secrets: secretsOf(keygen) }), 'EVIDENCE_SECRETS'],
    ['with keys of another batch', withShare(share, { secrets: secretsOf(otherBatch) }), 'EVIDENCE_SECRETS'],
    [
      'with keys that only they show',
      withShare(share, { secrets: secretsOf(makeBatch(committee, { showing: [LIAR] })) }),
      'EVIDENCE_SECRETS',
    ],
    [
      'with too few showing',
      withShare(share, { secrets: secretsOf(makeBatch(committee, { showing: [2, LIAR] })) }),
      'EVIDENCE_SECRETS',
    ],
  ])('%s', (_attempt, file, code) => {
    expect(verdict(file)).toBe(code);
  });

  test('with their signatures in the names of others', () => {
    const { init } = keygen;
    const own = foreignInit.init.signatures.get(LIAR)!;
    const stolen = new Map([1, 2, 3, 4].map((party) => [party, party === LIAR ? own : init.signatures.get(party)!]));
    for (const signatures of [stolen, new Map([1, 2, 3].map((party) => [party, own]))]) {
      const certified = { ...foreignInit.init, signatures };
      const shown = foreignInit.shownFor(HONEST);
      const secrets = { ...shown, value: { ...shown.value, init: certified } };
      expect(verdict(withShare(bits, { secrets }))).toBe('EVIDENCE_CERTIFICATE');
    }
  });

  test('with their own openings changed', () => {
    const shown = keygen.shownFor(HONEST);
    const { openings } = shown.value;
    fc.assert(
      fc.property(fc.nat(openings.length - 1), (at) => {
        const secrets = { ...shown, value: { ...shown.value, openings: flipped(openings, at) } };
        expect(verdict(withShare(bits, { secrets }))).toBe('EVIDENCE_SECRETS');
      }),
      { numRuns: 100 },
    );
  });

  test('with a broadcast left out, or one of theirs changed', () => {
    const shown = keygen.shownFor(HONEST);
    for (const [step, bodies] of keygen.init.deliveries.entries()) {
      for (const party of bodies.keys()) {
        const without = new Map([...bodies].filter(([sender]) => sender !== party));
        const changed = new Map(bodies).set(party, flipped(bodies.get(party)!, 32));
        for (const other of [without, changed]) {
          const init = { ...keygen.init, deliveries: keygen.init.deliveries.with(step, other) };
          const secrets = { ...shown, value: { ...shown.value, init } };
          expect(verdict(withShare(bits, { secrets }))).toBe('EVIDENCE_CERTIFICATE');
        }
      }
    }
  });

  test('with lies about the keys of a batch, in their own name and in that of others', () => {
    const lies = makeBatch(committee, {
      keyOf: (party, set) => createPrng(`${party === LIAR ? 'lie about' : 'key of'} set ${set}`).bytes(32),
    });
    expect(verdict(withShare(share, { secrets: secretsOf(lies) }))).toBe('EVIDENCE_REFUTED');
    const shown = lies.shownFor(HONEST);
    const theirs = shown.value[LIAR - 1]!;
    const secrets = { ...shown, value: [2, 3, 4].map((party) => ({ ...theirs, party })) };
    expect(verdict(withShare(share, { secrets }))).toBe('EVIDENCE_SECRETS');
  });

  test('with a PRSS-Init in which they did nothing wrong, or another party did', () => {
    expect(verdict(accuseOfBroken(committee, keygen, HONEST))).toBe('EVIDENCE_REFUTED');
    for (const broken of [brokenKeygen, brokenEpoch]) {
      expect(verdict(accuseOfBroken(committee, broken, HONEST))).toBe('EVIDENCE_REFUTED');
    }
  });

  const framing = byLiar(CHEATS['a contribution cut short']!, HONEST);
  test.each([
    ['they certify alone', [LIAR]],
    ['one honest party too few certifies', [2, LIAR]],
  ])('with a PRSS-Init that %s', (_attempt, signers) => {
    const framed = makeKeygen(committee, undefined, { change: framing, signers });
    expect(verdict(accuseOfBroken(committee, framed, HONEST))).toBe('EVIDENCE_CERTIFICATE');
  });

  test('with a PRSS-Init as that of another ceremony', () => {
    const others = [nextAttempt.root, makeEpoch(committee, cut, 'ef'.repeat(32)).root];
    for (const [broken, swapped] of [
      [brokenKeygen, brokenEpoch],
      [brokenEpoch, brokenKeygen],
    ] as const) {
      const file = accuseOfBroken(committee, broken, LIAR);
      for (const ceremony of [...others, swapped.root]) {
        expect(verdict({ ...file, ceremony })).toBe('EVIDENCE_CERTIFICATE');
      }
      expect(verdict({ ...file, ceremony: batch.root })).toBe('EVIDENCE_CEREMONY');
      for (const kind of ['keygen', 'epoch', 'crs'] as const) {
        if (kind === file.ceremony.kind) continue;
        expect(verdict({ ...file, ceremony: { kind, value: file.ceremony.value } })).toBe('EVIDENCE_CEREMONY');
      }
    }
  });

  test('with a broadcast of a PRSS-Init left out, or changed', () => {
    for (const { root, init } of [keygen, brokenKeygen, brokenEpoch]) {
      for (const [step, bodies] of init.deliveries.entries()) {
        for (const party of bodies.keys()) {
          const without = new Map([...bodies].filter(([sender]) => sender !== party));
          const changed = new Map(bodies).set(party, bodies.get(party)!.slice(0, -1));
          for (const other of [without, changed]) {
            const forged = { root, init: { ...init, deliveries: init.deliveries.with(step, other) } };
            const file = accuseOfBroken(committee, forged, party);
            expect(verdict(file)).toBe('EVIDENCE_CERTIFICATE');
          }
        }
      }
    }
  });

  test('with two signatures that do not exclude each other', () => {
    const claim = (subject: { session: string; tag: string; domain: string }, byte: number, party = HONEST) => {
      const whole = { ...subject, receiver: 0, length: 1, digest: sha256(Uint8Array.of(byte)) };
      return { subject: whole, signature: committee.sign(party, whole) };
    };
    const subject = { session: keygen.ceremony.session, tag: 'bits', domain: LABELS.message };
    const relayed = { ...subject, domain: LABELS.broadcastRelay };
    const elsewhere = { ...subject, session: nextAttempt.ceremony.session };
    const pairs: [ReturnType<typeof claim>, ReturnType<typeof claim>, string][] = [
      [claim(relayed, 1), claim(relayed, 2), 'EVIDENCE_SIGNATURE'],
      [claim(subject, 1), claim(subject, 2, LIAR), 'EVIDENCE_SIGNATURE'],
      [claim(elsewhere, 1), claim(elsewhere, 2), 'EVIDENCE_CEREMONY'],
    ];
    for (const [one, other, code] of pairs) {
      const value = doubleSignature(HONEST, one, other);
      expect(verdict({ ...bits, proof: { kind: 'double-signature', value } })).toBe(code);
    }
  });

  test('with any mixture of what was signed and shown', () => {
    const sessions: MadeSession[] = [keygen, nextAttempt, batch, otherBatch, foreignInit];
    const stepsOf = (made: MadeSession) => (made.ceremony.kind === 'keygen' ? ['bits', 'body64/3'] : ['share']);
    const certified = sessions.filter((made) => made !== foreignInit);
    const messages = certified.flatMap((made) =>
      stepsOf(made).flatMap((step) => [honestly(made, step), accuse(committee, made, { party: LIAR, step })]),
    );
    const mixture = fc.record({
      ceremony: fc.constantFrom(...sessions.map(({ root }) => root)),
      party: fc.integer({ min: 1, max: 4 }),
      step: fc.constantFrom('bits', 'body64/3', 'share'),
      message: fc.constantFrom(...messages),
      secrets: fc.constantFrom(...sessions).chain((made) => fc.integer({ min: 1, max: 4 }).map(made.shownFor)),
    });
    fc.assert(
      fc.property(mixture, ({ ceremony, party, step, message, secrets }) => {
        const file = { ...withShare(message, { party, step, secrets }), ceremony };
        const found = verdict(file);
        if (found !== LIAR) expect(found).toMatch(/^EVIDENCE_/);
      }),
      { numRuns: 1_500 },
    );
  });
});

test('a quorum of corrupt parties could convict an honest one: what the certificate is worth', () => {
  const forgers = partiesOf(committee.roster).slice(-quorumOf(committee.roster));
  const forged = makeKeygen(committee, undefined, { seed: 'forged', signers: forgers });
  expect(verdict(withShare(honestly(keygen, 'bits'), { secrets: secretsOf(forged) }))).toBe(HONEST);
  const change = byLiar(CHEATS['a contribution cut short']!, HONEST);
  const framed = makeKeygen(committee, undefined, { signers: forgers, change });
  expect(verdict(accuseOfBroken(committee, framed, HONEST))).toBe(HONEST);
});
