/**
 * The challenges of a proof of encryption: each is a hash of the statement, the challenges before it and the points
 * that the prover had fixed by then. Labels, order and bytes are those of tfhe-zk-pok (`pke_v2::hashes`, compact mode):
 * a challenge is hashed in Montgomery form, a point with a byte that tells infinity.
 */
import { createHash } from 'node:crypto';
import type { ScalarField } from '@keyquorum/kernel/bls446';
import { G1_BYTES, G2_BYTES, R, scalarsFromBytes, scalarsToBytes } from '@keyquorum/kernel/bls446-encoding';
import { hashedPoints, hashToScalars, u128 } from '../challenge.ts';
import type { CrsFile } from '../crs-file.ts';
import type { EncryptionProof } from './proof.ts';
import { type EncryptionStatement, NORMS, statementBytes } from './statement.ts';

const MONTGOMERY_BITS = 320n;
const DELTAS = 7;
/** Signs in one byte: 3^5 < 256. */
const SIGNS_PER_BYTE = 5;

/** Integers below r. Where a vector is needed it is the powers of one of them, from the 0th. */
export interface Challenges {
  /** R, entry (i, j) at 128 j + i: -1, 0 or 1, for 2(d + k) + 4 columns. */
  readonly signs: Int8Array;
  readonly phi: bigint;
  readonly xi: bigint;
  readonly y: bigint;
  readonly t: bigint;
  readonly theta: bigint;
  readonly omega: bigint;
  /** One weight for each of the relations that are shown as one: r, dec, eq, y, theta, e, l. */
  readonly delta: readonly bigint[];
  /** Where all polynomials are evaluated. */
  readonly z: bigint;
  /** chi, which needs the evaluations at z, in the order h1, h2, t and, when the prover computed sums, h3, omega. */
  afterEvaluations(evaluations: readonly bigint[]): bigint;
}

interface Challenge {
  readonly values: readonly bigint[];
  readonly bytes: Uint8Array;
}

export function challengesOf(
  scalars: ScalarField,
  { labels, number }: Pick<CrsFile, 'labels' | 'number'>,
  metadata: Uint8Array,
  { statement, proof }: { readonly statement: EncryptionStatement; readonly proof: EncryptionProof },
): Challenges {
  const sid = number === null ? [] : [u128(number)];
  const fixed = [...sid, metadata, ...statementBytes(statement, proof.hashConfig)];
  const draw = (label: Uint8Array, parts: readonly Uint8Array[], count = 1): Challenge => {
    const values = scalarsFromBytes(hashToScalars(scalars, count, [label, ...fixed, ...parts]));
    return { values, bytes: montgomeryBytes(values) };
  };
  const { e, cE, cR, bin, rTilde, cY, later } = hashedProof(proof);

  const signs = signsOf([labels.r, ...fixed, e, cE, rTilde], statement);
  const phi = draw(labels.phi, [packed(signs), e, cE, cR, rTilde]);
  const xi = draw(labels.xi, [e, cE, phi.bytes, cR, bin, rTilde]);
  const commitments = [e, cE, cR, bin, rTilde];
  const y = draw(labels.hash, [phi.bytes, xi.bytes, ...commitments]);
  const committed = [...commitments, cY];
  const t = draw(labels.t, [y.bytes, phi.bytes, xi.bytes, ...committed]);
  const drawn = [y.bytes, t.bytes, phi.bytes, xi.bytes];
  const theta = draw(labels.lmap, [...drawn, ...committed]);
  drawn.push(theta.bytes);
  const omega = draw(labels.w, [...drawn, ...committed]);
  drawn.push(omega.bytes);
  const delta = draw(labels.agg, [...drawn, ...committed], DELTAS);
  drawn.push(delta.bytes);
  const z = draw(labels.z, [...drawn, ...committed, ...later]);
  return {
    signs,
    ...{ phi: one(phi), xi: one(xi), y: one(y), t: one(t), theta: one(theta), omega: one(omega), z: one(z) },
    delta: delta.values,
    afterEvaluations: (evaluations) =>
      one(draw(labels.chi, [...drawn, ...committed, ...later, z.bytes, montgomeryBytes(evaluations)])),
  };
}

function hashedProof({ sums, ...proof }: EncryptionProof) {
  const g1 = (point: Uint8Array) => hashedPoints(point, G1_BYTES);
  const g2 = (point: Uint8Array) => hashedPoints(point, G2_BYTES);
  return {
    ...{ e: g2(proof.cHatE), cE: g1(proof.cE), cR: g1(proof.cR) },
    ...{ bin: g2(proof.cHatBin), rTilde: g1(proof.cRTilde), cY: g1(proof.cY) },
    later: [g1(proof.cH1), g1(proof.cH2), g2(proof.cHatT), ...(sums ? [g2(sums.cHatH3), g2(sums.cHatW)] : [])],
  };
}

const SIGNS = Int8Array.of(0, 0, 1, -1);

/** The low two bits of each byte of a hash say which sign. */
function signsOf(parts: readonly Uint8Array[], { dimension, blocks }: EncryptionStatement): Int8Array {
  const columns = 2 * (dimension + blocks) + 4;
  const hash = createHash('shake256', { outputLength: NORMS * columns });
  for (const part of parts) hash.update(part);
  const bytes = hash.digest();
  const signs = new Int8Array(bytes.length);
  for (let index = 0; index < signs.length; index++) signs[index] = SIGNS[bytes[index]! & 3]!;
  return signs;
}

function packed(signs: Int8Array): Uint8Array {
  const bytes = new Uint8Array(Math.ceil(signs.length / SIGNS_PER_BYTE));
  for (let index = 0; index < bytes.length; index++) {
    const first = index * SIGNS_PER_BYTE;
    let value = 0;
    for (let at = Math.min(first + SIGNS_PER_BYTE, signs.length) - 1; at >= first; at--) {
      value = 3 * value + signs[at]! + 1;
    }
    bytes[index] = value;
  }
  return bytes;
}

function montgomeryBytes(values: readonly bigint[]): Uint8Array {
  return scalarsToBytes(values.map((value) => (value << MONTGOMERY_BITS) % R));
}

function one({ values: [value = 0n] }: Challenge): bigint {
  return value;
}
