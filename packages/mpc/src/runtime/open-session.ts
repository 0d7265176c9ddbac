/**
 * One open session of a party: the `Session` that protocols see. It adds to the inbox the rule of SPEC R14: every send
 * looks at the session's state and signal right before the write, so that a step that lost a race sends nothing.
 */
import { sha256 } from '../bytes.ts';
import { partiesOf } from '../roster.ts';
import type { Fault, Received, ReceiveLimits, Session } from '../session.ts';
import { ENVELOPE_BODY_BYTES_MAX, type PartyId, type SessionId } from '../transport.ts';
import type { BlobStore } from './blobs.ts';
import { Inbox, type InboxLimits } from './inbox.ts';
import type { PartyModules } from './modules.ts';
import { isTag } from './names.ts';
import { SessionError } from './session-error.ts';

export interface OpenSession {
  readonly session: Session;
  readonly inbox: Inbox;
}

export interface SessionOwner {
  readonly modules: PartyModules;
  readonly blobs: BlobStore;
  readonly limits: InboxLimits;
  /** Runs once, when the session ends. */
  onClose(): void;
  report(fault: Fault): void;
}

export function openSession(id: SessionId, owner: SessionOwner, outer: AbortSignal | undefined): OpenSession {
  const { roster, self, kernel, clock, journal, signer, random, transport } = owner.modules;
  const peers = partiesOf(roster).filter((party) => party !== self);
  const ended = new AbortController();
  const { signal } = ended;

  const close = (reason?: Error) => end(reason ?? new SessionError('SESSION_CLOSED', `session ${id} is closed`));
  const end = (reason: unknown) => {
    if (signal.aborted) return;
    outer?.removeEventListener('abort', onOuterAbort);
    ended.abort(reason); // first: whatever wakes up below must find the session closed
    inbox.close(reason);
    owner.blobs.withdrawAll(id);
    owner.onClose();
  };
  const onOuterAbort = () => end(outer?.reason);
  /** The owner's signal is asked as well: its listeners may run in any order. */
  const assertOpen = () => {
    if (outer?.aborted) onOuterAbort();
    signal.throwIfAborted();
  };
  const inbox = new Inbox({ peers, clock, limits: owner.limits, report: owner.report, onHandlerError: end });

  let bytesSent = 0;
  const send = (to: PartyId, tag: string, body: Uint8Array) => {
    if (!peers.includes(to)) throw new RangeError(`send ${tag}: no other party ${to} in the roster`);
    if (!isTag(tag)) throw new RangeError(`send: ${JSON.stringify(tag)} is not a tag`);
    if (body.length > ENVELOPE_BODY_BYTES_MAX) throw new RangeError(`send ${tag}: ${body.length} bytes`);
    assertOpen();
    bytesSent += body.length;
    transport.send(to, { session: id, tag, body });
  };

  const session: Session = {
    ...{ id, roster, self, n: roster.n, t: roster.t, kernel, clock, journal, signer, signal, random },
    send,
    sendAll(tag, body) {
      for (const peer of peers) send(peer, tag, body);
    },
    receive(tag: string, limits: ReceiveLimits): AsyncIterable<Received> {
      assertOpen();
      return inbox.receive(tag, limits);
    },
    listen(prefix, { bytesMax }, handler) {
      assertOpen();
      inbox.listen(prefix, bytesMax, handler);
    },
    offer(bytes, hash = sha256(bytes)) {
      assertOpen();
      owner.blobs.offer(id, { bytes, hash });
      return hash;
    },
    release: (hash, load) => owner.blobs.replace(id, hash, load),
    async fetch(hash, from, bytesMax) {
      assertOpen();
      return owner.blobs.fetch(id, { hash, from, bytesMax, signal });
    },
    get bytesSent() {
      return bytesSent;
    },
    report: owner.report,
    close,
  };

  outer?.addEventListener('abort', onOuterAbort, { once: true });
  if (outer?.aborted) onOuterAbort();
  return { session, inbox };
}
