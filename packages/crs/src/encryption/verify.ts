/**
 * Is a proven list well encrypted? The verifier of tfhe-zk-pok, version 2 of its proofs (Libert, "Vector commitments
 * with proofs of smallness", 2024): both equations in one, with a random weight eta, as a product of eight pairings.
 *
 * One core, default parameters and 2048 bits: half a second when the prover computed the sums ("proof" load), and two
 * sums in G2 over d + k points more, a second each, when it left them to the verifier ("verify" load).
 */
import type { Bls446, RandomBytes } from '@keyquorum/kernel/bls446';
import {
  G1_GENERATOR,
  type G1Points,
  G2_BYTES,
  G2_GENERATOR,
  type G2Points,
  scalarsFromBytes,
  scalarsToBytes,
  WIDE_BYTES,
} from '@keyquorum/kernel/bls446-encoding';
import type { CompactPublicKeyParts } from '@keyquorum/tfhe/compact-public-key';
import type { ProvenPart } from '@keyquorum/tfhe/proven-list';
import { EncryptionProofError } from '../crs-error.ts';
import type { CrsFile } from '../crs-file.ts';
import { type PointPair, productIsOne } from '../pairing.ts';
import { g1At, g2At, sizeOf } from '../state.ts';
import { modulo, type PublicPolynomials, powers, publicPolynomials } from './polynomials.ts';
import { type EncryptionProof, encryptionProof } from './proof.ts';
import { type EncryptionStatement, NORMS, type WitnessSizes, witnessSizes } from './statement.ts';
import { type Challenges, challengesOf } from './transcript.ts';

const WORD_BYTES = 8;
/** Each costs the same, whatever it holds: so many take 40 s of one core, when all were proven for load "verify". */
export const PARTS_MAX = 16;

export interface Verification {
  /** Of a reference string whose points are known to be right. */
  readonly crs: CrsFile;
  readonly publicKey: CompactPublicKeyParts;
  /** What the proof was bound to when it was made. */
  readonly metadata: Uint8Array;
}

/**
 * Every part of the list encrypts plaintexts below t/2 under the key with small noise, and whoever made it knew them
 * and chose this metadata.
 * @throws EncryptionProofError
 */
export function verifyEncryption(
  curve: Bls446,
  random: RandomBytes,
  verification: Verification,
  parts: readonly ProvenPart[],
): void {
  if (parts.length === 0) throw new EncryptionProofError('PROOF_CAPACITY', 'the list has no ciphertext');
  if (parts.length > PARTS_MAX) {
    throw new EncryptionProofError('PROOF_PARTS', `a list with ${parts.length} proofs, want at most ${PARTS_MAX}`);
  }
  parts.forEach((part, index) => {
    const statement = statementOf(verification, part, index);
    const proof = encryptionProof(curve, part.proof);
    if (holds(curve, random, verification, { statement, proof })) return;
    const problem = `part ${index}: not proven for this list, public key, reference string and metadata`;
    throw new EncryptionProofError('PROOF_INVALID', problem);
  });
}

function statementOf({ crs, publicKey }: Verification, part: ProvenPart, index: number): EncryptionStatement {
  const { dimension, noiseBound, plaintextModulus } = crs.shape;
  const blocks = part.bodies.length / WORD_BYTES;
  if (blocks < 1 || blocks > crs.shape.blocks) {
    const problem = `part ${index}: ${blocks} ciphertexts, want 1 to ${crs.shape.blocks}`;
    throw new EncryptionProofError('PROOF_CAPACITY', problem);
  }
  const words = { a: publicKey.mask, b: publicKey.body, c1: part.masks, c2: part.bodies };
  for (const [name, { length }] of Object.entries({ ...words, c2: words.c1 })) {
    if (length === dimension * WORD_BYTES) continue;
    const problem = `part ${index}: ${name} has ${length} bytes, but the reference string is for ${dimension} words`;
    throw new EncryptionProofError('PROOF_INVALID', problem);
  }
  return { dimension, blocks, noiseBound, plaintextModulus, ...words };
}

interface Proven {
  readonly statement: EncryptionStatement;
  readonly proof: EncryptionProof;
}

interface Equation extends Proven {
  readonly crs: CrsFile;
  readonly sizes: WitnessSizes;
  readonly challenges: Challenges;
  readonly polynomials: PublicPolynomials;
  readonly chi: bigint;
  readonly eta: bigint;
}

function holds(curve: Bls446, random: RandomBytes, { crs, metadata }: Verification, proven: Proven): boolean {
  const { statement, proof } = proven;
  const sizes = witnessSizes(statement);
  const challenges = challengesOf(curve.scalars, crs, metadata, proven);
  const all = publicPolynomials(statement, sizes, challenges, sizeOf(crs));
  const polynomials = proof.sums ? all : { ...all, h3: 0n, omega: 0n }; // then their evaluations are no part of it
  const { h1, h2, t, h3, omega } = polynomials;
  const chi = challenges.afterEvaluations(proof.sums ? [h1, h2, t, h3, omega] : [h1, h2, t]);
  const [eta = 0n] = scalarsFromBytes(curve.scalars.fromWideBytes(random(WIDE_BYTES)));
  return productIsOne(pairsOf(curve, { ...proven, crs, sizes, challenges, polynomials, chi, eta }));
}

/**
 * With x = delta_x and chi, eta as above, in the notation of the paper:
 *   e(C_y^y C_h1, C^_bin) e(C_e^l C_h2, C^_e) e(C_r~ g^(eta chi^3), C^_h3)
 *     e(g_n^-(theta t_theta + l B^2) pi_kzg^-eta, g^_1)
 *   = e(C_R, C^_phi) e(C_e^e g^(-eta chi^4), C^_w) e(C_y^eq g^(-eta chi^2), C^_t)
 *     e(pi C_h1^-eta C_h2^(-chi eta) pi_kzg^(-z eta) g^(eta p), g^)
 * where p is the sum of all evaluations with powers of chi. Where the verifier computed a sum itself, g falls away.
 */
function pairsOf(curve: Bls446, equation: Equation): Record<'factors' | 'divisors', readonly PointPair[]> {
  const { crs, proof, sizes, challenges, polynomials, chi, eta } = equation;
  const { cE, cRTilde, cR, cY, cH1, cH2, pi, piKzg, cHatE, cHatBin, cHatT } = proof;
  const [, , deltaEq, deltaY, deltaTheta, deltaE, deltaL] = challenges.delta as [bigint, ...bigint[]];
  const { h1, h2, h3, t, omega, linear } = polynomials;
  const [, , chi2, chi3, chi4] = powers(chi, 5) as [bigint, bigint, bigint, bigint, bigint];
  const { cHatH3, cHatW } = proof.sums ?? sumsOf(curve, equation);
  const given = proof.sums ? eta : 0n;
  const last = g1At(crs.g1, sizeOf(crs) - 1);
  const evaluations = h1 + chi * h2 + chi2 * t + chi3 * h3 + chi4 * omega;
  const sum = (...terms: readonly Term[]): G1Points => combined(curve, terms);
  return {
    factors: [
      { g1: sum([cY, deltaY!], [cH1, 1n]), g2: cHatBin },
      { g1: sum([cE, deltaL!], [cH2, 1n]), g2: cHatE },
      { g1: sum([cRTilde, 1n], [G1_GENERATOR, given * chi3]), g2: cHatH3 },
      { g1: sum([last, -(deltaTheta! * linear + deltaL! * sizes.noiseSquared)], [piKzg, -eta]), g2: g2At(crs.g2, 0) },
    ],
    divisors: [
      { g1: cR, g2: normsSum(curve, equation) },
      { g1: sum([cE, deltaE!], [G1_GENERATOR, -given * chi4]), g2: cHatW },
      { g1: sum([cY, deltaEq!], [G1_GENERATOR, -eta * chi2]), g2: cHatT },
      {
        g1: sum(
          [pi, 1n],
          [cH1, -eta],
          [cH2, -chi * eta],
          [piKzg, -challenges.z * eta],
          [G1_GENERATOR, eta * evaluations],
        ),
        g2: G2_GENERATOR,
      },
    ],
  };
}

type Term = readonly [point: G1Points, factor: bigint];

function combined({ g1 }: Bls446, terms: readonly Term[]): G1Points {
  const points = new Uint8Array(terms.length * g1.pointBytes);
  terms.forEach(([point], index) => {
    points.set(point, index * g1.pointBytes);
  });
  return g1.multiScalar(points as unknown as G1Points, scalarsToBytes(terms.map(([, factor]) => modulo(factor))));
}

/** What the prover of a proof with "proof" load computes: commitments to h3 and to the powers of omega. */
function sumsOf(curve: Bls446, { crs, challenges, polynomials }: Equation): Record<'cHatH3' | 'cHatW', G2Points> {
  const { h3Coefficients } = polynomials;
  const omegas = powers(challenges.omega, h3Coefficients.length + 4);
  return {
    cHatH3: fallingSum(curve, crs, h3Coefficients),
    cHatW: curve.g2.multiScalar(crs.g2.subarray(0, omegas.length * G2_BYTES) as G2Points, scalarsToBytes(omegas)),
  };
}

/** Of the 128 norms: weights of the relation that defines them, and of that which takes them apart into bits. */
function normsSum(curve: Bls446, { crs, challenges }: Equation): G2Points {
  const [deltaR, deltaDec] = challenges.delta as [bigint, bigint];
  const [phis, xis] = [powers(challenges.phi, NORMS), powers(challenges.xi, NORMS)];
  const weights = phis.map((phi, index) => modulo(deltaR * phi + deltaDec * xis[index]!));
  return fallingSum(curve, crs, weights);
}

/** sum_j [coefficients_j alpha^(n-j)] of the generator of G2. */
function fallingSum({ g2 }: Bls446, crs: CrsFile, coefficients: readonly bigint[]): G2Points {
  const points = crs.g2.subarray(crs.g2.length - coefficients.length * G2_BYTES) as G2Points;
  return g2.multiScalar(points, scalarsToBytes(coefficients.toReversed()));
}
