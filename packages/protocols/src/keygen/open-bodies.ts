/**
 * Opens the bodies of a key set chunk by chunk (docs/protocols/key-generation.md, step K4). Each chunk is a closed
 * opening of its own, by kings in turn, agreed on by a quorum and stored; a window of them is under way, so that links,
 * processors and disks work at once and nobody holds more than a window in memory. Results are awaited in order: if
 * somebody lies, all parties stop at the same chunk, the first that did not open.
 */
import type { Session } from '@keyquorum/mpc/session';
import type { PartyId } from '@keyquorum/mpc/transport';
import { bodiesSent, type Kings, kingsOf } from '../closed/kings.ts';
import { type Opened, type OpeningStep, openClosed } from '../closed/opening.ts';
import { type BodyStore, joinDigests } from './bodies.ts';
import { openBodyChunk } from './body-message.ts';
import { type BodyChunk, chunkBytes } from './chunks.ts';

/** Chunks under way: enough to fill a link of 1 Gbit/s over 50 ms, and below what an inbox keeps for a peer. */
const WINDOW = 8;

/** Tag of the share messages of a chunk; the ring shows in it. */
export function bodyTag({ component, index }: BodyChunk): string {
  return `body${8 * component.wordBytes}/${index}`;
}

/** The chunk that a tag of `bodyTag` names. */
export function chunkOfTag(chunks: readonly BodyChunk[], tag: string): BodyChunk | undefined {
  return chunks.find((chunk) => bodyTag(chunk) === tag);
}

export interface OpenBodiesInput {
  readonly chunks: readonly BodyChunk[];
  readonly expected: readonly PartyId[];
  /** This party's message for a chunk. Called once for each, in order. */
  readonly messageOf: (chunk: BodyChunk) => Uint8Array;
  readonly store: BodyStore;
  readonly deadlineMs: number;
  /** Most bytes to send per second, to all parties together; undefined for no limit. */
  readonly bytesPerSecond: number | undefined;
  readonly onOpened: (chunks: number) => void;
  readonly onWaiting: (parties: readonly PartyId[]) => void;
}

/**
 * Digests of all chunks in order; the chunks are durable. @throws StalledOpening, InconsistentOpening, the session's
 * reason, or what the disk says
 */
export async function openBodies(session: Session, input: OpenBodiesInput): Promise<Uint8Array> {
  const { chunks, store, expected } = input;
  const digests: Uint8Array[] = [];
  const underWay: Promise<Opened>[] = [];
  const pace = pacer(session, input.bytesPerSecond);
  let progressMs = session.clock.now();

  async function settleFirst(): Promise<void> {
    const index = digests.length;
    const { values, digest, shares } = await underWay.shift()!;
    await store.put(index, values);
    shares.release();
    session.release(digest, () => store.get(index)); // who is late reads it from this party's disk
    digests.push(digest);
    progressMs = session.clock.now();
    input.onOpened(digests.length);
  }

  for (const chunk of chunks) {
    if (underWay.length === WINDOW) await settleFirst();
    const kings = kingsOf(expected, session.t, chunk.index);
    await pace(bodiesSent(kings, session.self) * chunkBytes(chunk));
    const isFirst = () => chunk.index === digests.length;
    const step = { ...chunkStep(session, chunk, kings, input), progressMs: () => progressMs };
    const onWaiting = (parties: readonly PartyId[]) => isFirst() && input.onWaiting(parties);
    const opened = openClosed(session, { ...step, onWaiting });
    opened.catch(() => undefined); // seen when its turn comes
    underWay.push(opened);
    await session.clock.yield();
  }
  while (underWay.length > 0) await settleFirst();
  return joinDigests(digests);
}

function chunkStep(session: Session, chunk: BodyChunk, kings: Kings, input: OpenBodiesInput): OpeningStep {
  const { expected, deadlineMs } = input;
  const { kernel, t } = session;
  return {
    tag: bodyTag(chunk),
    message: input.messageOf(chunk),
    expected,
    kings,
    decode: (messages) => openBodyChunk(kernel, chunk, messages, { expected, t }),
    valuesBytesMax: chunkBytes(chunk),
    seal: 'ok',
    deadlineMs,
  };
}

/** Waits so that no more than this many bytes are sent per second in the long run. */
function pacer({ clock, signal }: Session, bytesPerSecond: number | undefined): (bytes: number) => Promise<void> {
  let freeMs = clock.now();
  return async (bytes) => {
    if (bytesPerSecond === undefined) return;
    await clock.until(freeMs, signal);
    freeMs = Math.max(freeMs, clock.now()) + (1_000 * bytes) / bytesPerSecond;
  };
}
