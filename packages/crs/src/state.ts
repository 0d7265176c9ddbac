/**
 * What contributions work on: the lists [alpha^i] of both groups, i = 1..2n in G1 and 1..n in G2, where alpha is the
 * product of all accepted secrets and nobody's to know. Place n of G1 (alpha^(n+1), counted from 0) stays empty:
 * who had that point could prove anything. Before the first contribution alpha is 1.
 */
import { createHash } from 'node:crypto';
import {
  asG1Points,
  asG2Points,
  G1_BYTES,
  G1_GENERATOR,
  type G1Points,
  G2_BYTES,
  G2_GENERATOR,
  type G2Points,
} from '@keyquorum/kernel/bls446-encoding';
import type { CrsParameters } from './parameters.ts';

const START_LABEL = 'keyquorum/crs/start/v1';

/** What a ceremony makes, agreed before it begins. */
export interface CrsSubject {
  readonly parameters: CrsParameters;
  /** Number of the ceremony, below 2^128; it stands in the file and in every challenge. */
  readonly number: bigint;
}

/** Where the chain of contributions stands: what the next one is proven against. */
export interface CrsPosition {
  /** Turn of the last accepted contribution; 0 before the first. */
  readonly round: number;
  /** Names all contributions so far: SHA-256 of the last head, or of the subject. */
  readonly digest: Uint8Array;
  /** [alpha] of G1. */
  readonly first: G1Points;
}

export interface CrsPoints {
  /** 2n points. */
  readonly g1: G1Points;
  /** n points. */
  readonly g2: G2Points;
}

export interface CrsState extends CrsPosition, CrsPoints {}

export function startPosition(subject: CrsSubject): CrsPosition {
  return { round: 0, digest: startDigest(subject), first: G1_GENERATOR };
}

export function startState(subject: CrsSubject): CrsState {
  const { size } = subject.parameters;
  const g1 = repeated(G1_GENERATOR, 2 * size);
  g1.fill(0, size * G1_BYTES, (size + 1) * G1_BYTES);
  return { ...startPosition(subject), g1: asG1Points(g1), g2: asG2Points(repeated(G2_GENERATOR, size)) };
}

/** The point at this place of a list, counted from 0: a view. */
export function g1At(points: G1Points, index: number): G1Points {
  return points.subarray(index * G1_BYTES, (index + 1) * G1_BYTES) as G1Points; // whole points of checked ones
}

export function g2At(points: G2Points, index: number): G2Points {
  return points.subarray(index * G2_BYTES, (index + 1) * G2_BYTES) as G2Points; // whole points of checked ones
}

/** n of lists; what they hold was checked when they were read. */
export function sizeOf({ g2 }: CrsPoints): number {
  return g2.length / G2_BYTES;
}

/** Everything that follows from nothing else: two ceremonies with one of these different share no contribution. */
function startDigest({ parameters, number }: CrsSubject): Uint8Array {
  const { maxBits, dimension, blocks, noiseBound, plaintextModulus, size } = parameters;
  const fields = [number, maxBits, dimension, blocks, noiseBound, plaintextModulus, size].map(String);
  return new Uint8Array(
    createHash('sha256')
      .update([START_LABEL, ...fields].join('|'))
      .digest(),
  );
}

function repeated(point: Uint8Array, count: number): Uint8Array {
  const points = new Uint8Array(count * point.length);
  for (let index = 0; index < count; index++) points.set(point, index * point.length);
  return points;
}
