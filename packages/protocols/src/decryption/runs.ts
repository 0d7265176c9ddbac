/**
 * One online session serves the runs of blocks of one proposal: of several requests, for everybody and for users.
 * Their blocks are opened together (D2..D5); the pieces for users are lifted together (D6).
 */
import { asGf16, asGr64, type Gf16, type Gr64 } from '@keyquorum/kernel/batch';
import type { Kernel } from '@keyquorum/kernel/kernel';
import type { Session } from '@keyquorum/mpc/session';
import { openRobust } from '@keyquorum/mpc/sharing/robust';
import { concat } from '../concat.ts';
import { type BoundValue, type Job, piecesIn } from './jobs.ts';
import { lentBits, liftedPieces, unmasked } from './lifting.ts';
import { eraseMaterial, type Material, takeBundles } from './material.ts';
import { openMessages } from './online.ts';
import { liftBundlesOf, maskBundlesOf, type ProposalItem } from './proposal.ts';

const ELEMENT_BYTES = 32;
const MESSAGE_BITS = 4;

/** A run of blocks and what it needs. */
export interface BlockRun {
  readonly item: ProposalItem;
  readonly job: Job;
  readonly value: BoundValue;
  /** Bundles that lend their bits; none to a public run. */
  readonly lent: Material;
  /** Masks of the pieces (D6), none in a public run. Copies: a job that is given up erases its own at any time. */
  readonly masks: Gr64;
}

/** Deals the lent bundles out to the runs, in order. `jobOf`: an item's admitted job. */
export function runsOf(items: readonly ProposalItem[], jobOf: (item: ProposalItem) => Job, lent: Material): BlockRun[] {
  let at = 0;
  return items.map((item) => {
    const job = jobOf(item);
    const count = liftBundlesOf([item]);
    at += count;
    const value = job.values[item.value] as BoundValue; // flooded values have no items
    return { item, job, value, lent: takeBundles(lent, at - count, count), masks: masksOf(item, value) };
  });
}

function masksOf(item: ProposalItem, value: BoundValue): Gr64 {
  const { liftMasks = asGr64(new Uint8Array(0)) } = value;
  const masks = piecesIn(value, item).map((index) =>
    liftMasks.subarray(index * ELEMENT_BYTES, (index + 1) * ELEMENT_BYTES),
  );
  return asGr64(concat(masks));
}

/**
 * The results of each run, as the board takes them: messages, or shares of pieces.
 * @throws RobustOpeningError, or the session's reason when it ends
 */
export async function openRuns(
  session: Session,
  runs: readonly BlockRun[],
  { material, deadlineMs }: { material: Material; deadlineMs: number },
): Promise<Uint8Array[]> {
  const phases = asGr64(concat(runs.map(({ value, item }) => cut(value.shares, item, ELEMENT_BYTES))));
  const wanted = concat(runs.map(({ value, item }) => cut(value.wanted, item, 1)));
  const flips = flipsOf(runs);
  try {
    const opened = await openMessages(session, { phases, wanted, flips, material, deadlineMs });
    const messages = divided(
      opened,
      runs.map(({ item }) => item.blocks),
    );
    const lifted = await openLifted(session, runs, { messages, deadlineMs });
    return messages.map((message, index) => lifted.get(runs[index]!) ?? message);
  } finally {
    phases.fill(0);
    flips.fill(0);
    for (const { lent, masks } of runs) {
      eraseMaterial(lent);
      masks.fill(0);
    }
  }
}

function cut(bytes: Uint8Array, { firstBlock, blocks }: ProposalItem, step: number): Uint8Array {
  return bytes.subarray(step * firstBlock, step * (firstBlock + blocks));
}

/** Wire-major over the blocks of all runs: lent bits where a user gets the answer, zeros elsewhere. */
function flipsOf(runs: readonly BlockRun[]): Gf16 {
  const total = maskBundlesOf(runs.map(({ item }) => item));
  const flips = new Uint8Array(MESSAGE_BITS * total);
  let at = 0;
  for (const { item, lent } of runs) {
    const { output, blocks } = item;
    const bits = output === 'user' ? lentBits(lent, blocks) : new Uint8Array(MESSAGE_BITS * blocks);
    for (let bit = 0; bit < MESSAGE_BITS; bit++) {
      flips.set(bits.subarray(bit * blocks, (bit + 1) * blocks), bit * total + at);
    }
    at += blocks;
  }
  return asGf16(flips);
}

/** The bytes in pieces of these lengths, in order. */
function divided(bytes: Uint8Array, lengths: readonly number[]): Uint8Array[] {
  let at = 0;
  return lengths.map((length) => {
    at += length;
    return bytes.subarray(at - length, at);
  });
}

/** D6 for all runs whose answer is a user's. */
async function openLifted(
  session: Session,
  runs: readonly BlockRun[],
  { messages, deadlineMs }: { messages: readonly Uint8Array[]; deadlineMs: number },
): Promise<Map<BlockRun, Uint8Array>> {
  const { kernel } = session;
  const lifts = runs.flatMap((run, index) =>
    run.item.output === 'user' ? [{ run, sums: sumsOf(kernel, run, messages[index]!) }] : [],
  );
  if (lifts.length === 0) return new Map();
  const mine = asGr64(concat(lifts.map(({ sums }) => sums)));
  const opened = await openRobust(session, 'lifted', 'gr64', mine, { deadlineMs });
  const parts = divided(
    opened,
    lifts.map(({ sums }) => sums.length),
  );
  return new Map(lifts.map(({ run }, index) => [run, unmasked(kernel, asGr64(parts[index]!), run.masks)]));
}

/** What a run opens: its pieces plus their masks. */
function sumsOf(kernel: Kernel, { value, item, lent, masks }: BlockRun, flipped: Uint8Array): Gr64 {
  const pieces = piecesIn(value, item).map((index) => {
    const piece = value.pieces[index]!;
    return { ...piece, block: piece.block - item.firstBlock };
  });
  const lifted = liftedPieces({ flipped, material: lent, pieces });
  const sums = kernel.gr64.add(lifted, masks);
  lifted.fill(0);
  return sums;
}
