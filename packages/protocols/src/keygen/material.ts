/**
 * What a key generation makes, from its public choices to each party's messages: how many bits, which chunks, and a
 * maker of the message of any chunk from a party's shares and PRSS keys. The same code makes the own messages and, when
 * a session is burnt, recomputes those of others.
 */
import { asGr64, type Gr64 } from '@keyquorum/kernel/batch';
import type { Kernel } from '@keyquorum/kernel/kernel';
import { familyA2 } from '@keyquorum/mpc/prss/family';
import type { Roster } from '@keyquorum/mpc/roster';
import { type KeySetChoice, secretKeyPlaces } from '@keyquorum/tfhe/key-sets';
import { bodyMessage, noiseBitCount, type SessionPrss } from './body-message.ts';
import { type BodyChunk, bodyChunks } from './chunks.ts';
import { requireSoundNoise } from './noise.ts';
import { createRowMaker, type RowMaker } from './rows.ts';
import type { BitCounts, SecretBits } from './secret-bits.ts';
import { type SecretKeyShares, secretKeyShares } from './secret-keys.ts';

const GR64_BYTES = 32;

export interface KeygenPlan {
  readonly choice: KeySetChoice;
  readonly chunks: readonly BodyChunk[];
  /** Sets of family A2, whose noise terms are added. */
  readonly noiseSets: number;
  readonly counts: BitCounts;
}

/** @throws UnsoundSizeError when no noise is sound for a committee of this size */
export function keygenPlan(choice: KeySetChoice, roster: Pick<Roster, 'n' | 't'>): KeygenPlan {
  const noiseSets = familyA2(roster).subsets.length;
  const chunks = bodyChunks(choice);
  const components = firstChunks(chunks).map(({ component }) => component);
  requireSoundNoise(choice.parameters, components, noiseSets);
  const { first, bits } = secretKeyPlaces(choice).at(-1)!;
  const noise = components.reduce((sum, component) => sum + noiseBitCount(component, noiseSets), 0);
  return { choice, chunks, noiseSets, counts: { key: first + bits, noise } };
}

/** Shares behind all bits of a session. */
export interface KeygenSecrets {
  readonly keys: SecretKeyShares;
  /** Joint noise bits, component after component in the order of the chunks. */
  readonly noise: Gr64;
}

export function bitsOf({ choice }: KeygenPlan, bits: SecretBits): KeygenSecrets {
  return { keys: secretKeyShares(choice, bits.key), noise: bits.noise };
}

export interface BodyMaker {
  /** A party's message for a chunk; once per chunk, and fastest in order. */
  readonly messageOf: (chunk: BodyChunk) => Uint8Array;
  /** Erases the secrets, also those it was made from. */
  readonly erase: () => void;
}

export function bodyMaker(
  kernel: Kernel,
  { chunks, noiseSets }: KeygenPlan,
  { prss, secrets, seed }: { prss: SessionPrss; secrets: KeygenSecrets; seed: Uint8Array },
): BodyMaker {
  const noiseBits = noiseByComponent(chunks, noiseSets, secrets.noise);
  let current: { component: string; rows: RowMaker } | undefined;

  function rowsOf({ component }: BodyChunk): RowMaker {
    if (current?.component === component.component) return current.rows;
    current?.rows.erase();
    const rows = createRowMaker(kernel, component, { keys: secrets.keys, seed });
    current = { component: component.component, rows };
    return rows;
  }

  return {
    messageOf: (chunk) =>
      bodyMessage(kernel, chunk, {
        prss,
        noiseSets,
        rows: rowsOf(chunk),
        noiseBits: noiseBits.get(chunk.component.component)!,
      }),
    erase() {
      current?.rows.erase();
      secrets.keys.erase();
      secrets.noise.fill(0);
    },
  };
}

/** The first chunk of every component. */
function firstChunks(chunks: readonly BodyChunk[]): readonly BodyChunk[] {
  return chunks.filter(({ firstRow }) => firstRow === 0);
}

/** Views of the noise bits of each component. */
function noiseByComponent(chunks: readonly BodyChunk[], noiseSets: number, all: Gr64): ReadonlyMap<string, Gr64> {
  let at = 0;
  const views = firstChunks(chunks).map(({ component }): [string, Gr64] => {
    const bytes = noiseBitCount(component, noiseSets) * GR64_BYTES;
    const view = asGr64(all.subarray(at, at + bytes));
    at += bytes;
    return [component.component, view];
  });
  return new Map(views);
}
