/**
 * One preprocessing batch (docs/protocols/preprocessing.md, steps P3 and P4; SPEC O3, O4): masks as square-root bits,
 * and shared-operand pairs over GF(16), opened at degree 2t with the shares of all parties.
 *
 * A bit j of a mask matters modulo 2^(64-j), so groups of eight bits are opened with 8, 7, .. 1 bytes per coefficient.
 * A bit's share modulo 2 is a GF(16) share of the same bit, so the masks need no second preparation for the circuit.
 *
 * SHARE message: probe, 64 nibbles | group g = 0..7: 8*B elements, 4*(8-g) bytes each | products xy, then xy': P*B
 * nibbles. Values: the same without the probe, opened.
 */
import { asGf16, asGr64, type Gr64 } from '@keyquorum/kernel/batch';
import type { Kernel } from '@keyquorum/kernel/kernel';
import { decodeCertificate, encodeCertificate, verifyCertificate } from '@keyquorum/mpc/agreement/certificate';
import { decisionSubject, enterSession } from '@keyquorum/mpc/agreement/decision';
import { sha256 } from '@keyquorum/mpc/bytes';
import { COMPARISON, MODULUS_BITS } from '@keyquorum/mpc/circuit/plan';
import { eraseKeys, type PrssKeys, sessionKeys } from '@keyquorum/mpc/prss/keys';
import { createPrss, type Prss } from '@keyquorum/mpc/prss/prss';
import { quorumOf, type Roster } from '@keyquorum/mpc/roster';
import type { Session } from '@keyquorum/mpc/session';
import {
  type BitFormat,
  bitMessage,
  bitMessageBytes,
  bitValues,
  finishBits,
  readBitMessage,
} from '@keyquorum/mpc/sharing/bits';
import { decodeDetected } from '@keyquorum/mpc/sharing/detected';
import { finishPairs, type PairSecrets, pairsMessage } from '@keyquorum/mpc/sharing/triples';
import type { PartyId, SessionId } from '@keyquorum/mpc/transport';
import { type Opened, openClosed } from '../closed/opening.ts';
import { concat } from '../concat.ts';
import type { BatchRecord } from './batch-record.ts';
import type { Material } from './material.ts';

const GROUP_BITS = 8;
const GROUPS = MODULUS_BITS / GROUP_BITS;
/**
 * Nibbles of the self-test value at the head of every SHARE: a returning party checks its keys with them (SPEC O12).
 */
export const PROBE_NIBBLES = 64;
const PROBE_BYTES = PROBE_NIBBLES / 2;
export const SHARE_TAG = 'share';

/** The bits of group g are needed modulo 2^(64-8g). */
function groupFormat(group: number, bundles: number): BitFormat<'gr64'> {
  return { algebra: 'gr64', count: GROUP_BITS * bundles, coefficientBytes: GROUPS - group };
}

function productBytes(bundles: number): number {
  return (COMPARISON.pairs * bundles + 1) >> 1;
}

/** Bytes of the opened values: 1152 per bundle for the mask, 77 for the products. */
export function valuesBytes(bundles: number): number {
  let bytes = 2 * productBytes(bundles);
  for (let group = 0; group < GROUPS; group++) bytes += bitMessageBytes(groupFormat(group, bundles));
  return bytes;
}

interface BatchSecrets {
  readonly bits: readonly Gr64[];
  readonly pairs: PairSecrets;
}

/** The SHARE message of one party, a function of its session keys, and what is behind it. */
export function shareMessage(
  kernel: Kernel,
  prss: Prss,
  bundles: number,
): { message: Uint8Array; secrets: BatchSecrets } {
  const { gf16 } = kernel;
  const parts: Uint8Array[] = [gf16.pack(prss.random16('probe', PROBE_NIBBLES))];
  const bits: Gr64[] = [];
  for (let group = 0; group < GROUPS; group++) {
    const made = bitMessage(kernel, prss, `bits/${group}`, groupFormat(group, bundles));
    parts.push(made.message);
    bits.push(made.a);
  }
  const { message, secrets } = pairsMessage(kernel, prss, 'pairs', COMPARISON.pairs * bundles);
  parts.push(gf16.pack(message[0]), gf16.pack(message[1]));
  return { message: concat(parts), secrets: { bits, pairs: secrets } };
}

/** The opened values, or undefined when some element lies on no polynomial of degree 2t. */
export function openValues(
  kernel: Kernel,
  messages: ReadonlyMap<PartyId, Uint8Array>,
  { expected, t, bundles }: { expected: readonly PartyId[]; t: number; bundles: number },
): Uint8Array | undefined {
  const { gf16 } = kernel;
  const parts: Uint8Array[] = [];
  let at = PROBE_BYTES;
  const cut = (bytes: number) => {
    const section = new Map(expected.map((party) => [party, messages.get(party)!.slice(at, at + bytes)]));
    at += bytes;
    return section;
  };
  for (let group = 0; group < GROUPS; group++) {
    const format = groupFormat(group, bundles);
    const shares = mapValues(cut(bitMessageBytes(format)), (bytes) => readBitMessage(kernel, bytes, format));
    const opening = decodeDetected(kernel, 'gr64', shares, { expected, t });
    if (opening.kind !== 'opened') return undefined;
    parts.push(bitValues(kernel, opening.values, format));
  }
  for (let product = 0; product < 2; product++) {
    const packed = cut(productBytes(bundles));
    if ([...packed.values()].some((bytes) => hasPadding(bytes, COMPARISON.pairs * bundles))) return undefined;
    const shares = mapValues(packed, (bytes) => gf16.unpack(bytes, COMPARISON.pairs * bundles));
    const opening = decodeDetected(kernel, 'gf16', shares, { expected, t });
    if (opening.kind !== 'opened') return undefined;
    parts.push(gf16.pack(opening.values));
  }
  return concat(parts);
}

/** An unused last nibble that is not 0: a lie like any other, since nobody honest sends it. */
function hasPadding(packed: Uint8Array, nibbles: number): boolean {
  return nibbles % 2 === 1 && packed.at(-1)! >> 4 !== 0;
}

/** This party's shares of the batch, from its secrets and the opened values. */
function finishBatch(
  kernel: Kernel,
  secrets: BatchSecrets,
  { values, bundles }: { values: Uint8Array; bundles: number },
): Material {
  const { gr64, gf16 } = kernel;
  const bits: Uint8Array[] = [];
  const lifts: Uint8Array[] = [];
  let mask = gr64.zeros(bundles);
  let at = 0;
  for (const [group, a] of secrets.bits.entries()) {
    const format = groupFormat(group, bundles);
    const opened = values.slice(at, at + bitMessageBytes(format));
    at += opened.length;
    const shares = finishBits(kernel, a, opened, format);
    bits.push(gr64.residue(shares));
    lifts.push(gr64.toWire(shares, 1)); // every group is exact modulo 2^8 at least
    mask = addWeighted(kernel, mask, { shares, group, bundles });
  }
  const product = gf16.unpack(values.slice(at, at + productBytes(bundles)), COMPARISON.pairs * bundles);
  const product2 = gf16.unpack(values.slice(at + productBytes(bundles)), COMPARISON.pairs * bundles);
  const pairs = finishPairs(kernel, secrets.pairs, [product, product2]);
  return { bundles, mask, bits: asGf16(concat(bits)), lifts: concat(lifts), pairs };
}

/** Adds sum_j 2^j b_j of one group to the masks; bits above a bit's precision vanish modulo 2^64. */
function addWeighted(
  kernel: Kernel,
  mask: Gr64,
  { shares, group, bundles }: { shares: Gr64; group: number; bundles: number },
): Gr64 {
  let sum = mask;
  for (let bit = 0; bit < GROUP_BITS; bit++) {
    const words = BigUint64Array.of(1n << BigInt(GROUP_BITS * group + bit), 0n, 0n, 0n);
    const one = shares.slice(32 * bit * bundles, 32 * (bit + 1) * bundles);
    sum = kernel.gr64.addScaled(sum, asGr64(new Uint8Array(words.buffer)), asGr64(one));
  }
  return sum;
}

function eraseSecrets({ bits, pairs }: BatchSecrets): void {
  for (const vector of bits) vector.fill(0);
  pairs.mask.fill(0);
  pairs.mask2.fill(0); // the operands live on in the material
}

export interface BatchInput {
  /** PRSS keys of the epoch, family C. */
  readonly keys: PrssKeys;
  readonly bundles: number;
  /** All parties that are not proven corrupt. */
  readonly expected: readonly PartyId[];
  readonly deadlineMs: number;
  /** Awaited before each step that keeps the processor busy. */
  turn(): Promise<void>;
  readonly onWaiting?: (parties: readonly PartyId[]) => void;
}

export interface BatchResult {
  readonly material: Material;
  readonly values: Uint8Array;
  /** COMPLETE signatures of a quorum on the values. */
  readonly certificate: Uint8Array;
}

/**
 * Runs the batch whose session is entered.
 * @throws OpeningError when parties are silent or somebody lied; nothing of the batch is used then
 */
export async function preprocess(session: Session, input: BatchInput): Promise<BatchResult> {
  const { kernel, t } = session;
  const { bundles, expected } = input;
  enterSession(session.journal, session.id);
  await input.turn();
  const { message, secrets } = withSessionKeys(input.keys, session.id, (keys) =>
    shareMessage(kernel, createPrss(kernel, keys), bundles),
  );
  const opened: Opened = await openClosed(session, {
    tag: SHARE_TAG,
    message,
    expected,
    decode: (messages) => openValues(kernel, messages, { expected, t, bundles }),
    valuesBytesMax: valuesBytes(bundles),
    seal: 'complete',
    deadlineMs: input.deadlineMs,
    ...(input.onWaiting && { onWaiting: input.onWaiting }),
  });
  await input.turn();
  const material = finishBatch(kernel, secrets, { values: opened.values, bundles });
  eraseSecrets(secrets);
  return { material, values: opened.values, certificate: encodeCertificate(opened.certificate) };
}

/** The material of a batch this party missed: its own shares are PRSS values, all else is public (SPEC R7). */
export function recomputeBatch(
  kernel: Kernel,
  { id, keys, bundles, values }: { id: SessionId; keys: PrssKeys; bundles: number; values: Uint8Array },
): Material {
  const { secrets } = withSessionKeys(keys, id, (own) => shareMessage(kernel, createPrss(kernel, own), bundles));
  const material = finishBatch(kernel, secrets, { values, bundles });
  eraseSecrets(secrets);
  return material;
}

/** @throws Error when a quorum did not sign COMPLETE for exactly these values of this batch */
export function verifyRecord(
  roster: Roster,
  id: SessionId,
  bundles: number,
  { values, certificate }: BatchRecord,
): void {
  const subject = decisionSubject(id, 'complete', sha256(values));
  const right = values.length === valuesBytes(bundles);
  if (!right || !verifyCertificate(roster, subject, decodeCertificate(certificate), quorumOf(roster))) {
    throw new Error(`batch ${id}: the record is not certified by a quorum`);
  }
}

function withSessionKeys<T>(keys: PrssKeys, session: SessionId, use: (keys: PrssKeys) => T): T {
  const own = sessionKeys(keys, session);
  try {
    return use(own);
  } finally {
    eraseKeys(own);
  }
}

function mapValues<K, A, B>(map: ReadonlyMap<K, A>, change: (value: A) => B): Map<K, B> {
  return new Map([...map].map(([key, value]) => [key, change(value)]));
}
