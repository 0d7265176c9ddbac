/**
 * Reference strings that this node missed, because it was down, restarted or too slow: any peer that has one hands over
 * transcript and file. A quorum has signed them, so nothing but signatures and the digest has to be checked.
 */
import { decode, encode } from '@keyquorum/codec/codec';
import { fixedBytes, vector } from '@keyquorum/codec/composites';
import { crsDigest } from '@keyquorum/crs/crs-file';
import type { Bls446 } from '@keyquorum/kernel/bls446';
import { equalBytes, fromHex, toHex } from '@keyquorum/mpc/bytes';
import type { Party } from '@keyquorum/mpc/party';
import { ENVELOPE_BODY_BYTES_MAX, type Exchange, type PartyId } from '@keyquorum/mpc/transport';
import { ask } from '../ask.ts';
import type { Log } from '../log.ts';
import type { CrsFormat } from './content.ts';
import type { CrsStore } from './crs-store.ts';
import { TRANSCRIPT_BYTES_MAX, verifyTranscript } from './transcript.ts';

const ID_BYTES = 32;
const LIST_MAX = 1024;
const ANSWER_LIMIT_MS = 10_000;
const RETRY_MS = 5_000;
/** A file over a slow link. */
const FILE_LIMIT_MS = 60_000;

const listCodec = vector(fixedBytes(ID_BYTES), LIST_MAX);
const listExchange: Exchange = { name: 'crs/list', requestBytesMax: 0, responseBytesMax: 8 + LIST_MAX * ID_BYTES };
const transcriptExchange: Exchange = {
  name: 'crs/transcript',
  requestBytesMax: ID_BYTES,
  responseBytesMax: TRANSCRIPT_BYTES_MAX,
};
const fileExchange: Exchange = {
  name: 'crs/file',
  requestBytesMax: ID_BYTES,
  responseBytesMax: ENVELOPE_BODY_BYTES_MAX,
};

export interface CrsRecoveryModules {
  readonly party: Party;
  readonly store: CrsStore;
  readonly curve: Bls446;
  readonly format: CrsFormat;
  readonly signal: AbortSignal;
  readonly log: Log;
  /** Still being made here: then there is nothing to recover. */
  isRunning(id: string): boolean;
  /** Whether the others may still be making one that failed here. */
  mayYetEnd(): boolean;
}

export interface CrsRecovery {
  /** Takes from connected peers whatever they have and this node does not. */
  all(): Promise<void>;
  /** The same again and again, as long as the others may be making one. */
  untilEnd(): Promise<void>;
}

/** Answers peers, and asks them. */
export function createCrsRecovery(modules: CrsRecoveryModules): CrsRecovery {
  const { party, store, curve, format, signal, log } = modules;
  const { transport, roster } = party;

  transport.serve(listExchange, async () =>
    encode(
      listCodec,
      store
        .records()
        .slice(-LIST_MAX)
        .map(({ crsId }) => fromHex(crsId)),
    ),
  );
  transport.serve(transcriptExchange, async (_from, id) => present(await store.transcript(toHex(id))));
  transport.serve(fileExchange, async (_from, id) => present(store.record(toHex(id)) && (await store.file(toHex(id)))));

  async function takeFrom(peer: PartyId): Promise<void> {
    const list = { to: peer, exchange: listExchange, body: new Uint8Array(0), limitMs: ANSWER_LIMIT_MS, signal };
    for (const id of decode(listCodec, await ask(party, list)).map(toHex)) {
      if (store.record(id) !== undefined || modules.isRunning(id)) continue;
      await takeOne(peer, id);
      log({ level: 'info', message: 'took a reference string from a peer', id, from: peer });
    }
  }

  /** @throws when the peer has not what a quorum signed */
  async function takeOne(peer: PartyId, id: string): Promise<void> {
    const body = fromHex(id);
    const question = { to: peer, exchange: transcriptExchange, body, limitMs: ANSWER_LIMIT_MS, signal };
    const transcript = await ask(party, question);
    const verified = verifyTranscript(curve, roster, transcript, format);
    if (verified.announcement.id !== id) throw new Error(`the transcript is of ${verified.announcement.id}`);
    const isRight = (file: Uint8Array | undefined) => file !== undefined && equalBytes(crsDigest(file), verified.file);
    if (!isRight(await store.file(id))) {
      const file = await ask(party, { to: peer, exchange: fileExchange, body, limitMs: FILE_LIMIT_MS, signal });
      if (!isRight(file)) throw new Error(`the file of ${id} has another digest`);
      await store.keepFile(id, file);
    }
    await store.publish(verified, Uint8Array.from(transcript));
  }

  async function all(): Promise<void> {
    for (const peer of party.connected()) {
      await takeFrom(peer).catch((error) => {
        if (signal.aborted) throw error;
        log({ level: 'debug', message: 'a peer hands over no reference strings', from: peer, error: String(error) });
      });
    }
  }

  async function untilEnd(): Promise<void> {
    await all();
    while (modules.mayYetEnd()) {
      await party.clock.until(party.clock.now() + RETRY_MS, signal);
      await all();
    }
  }

  return { all, untilEnd };
}

function present(bytes: Uint8Array | undefined): Uint8Array {
  if (bytes === undefined) throw new Error('no such reference string here');
  return bytes;
}
