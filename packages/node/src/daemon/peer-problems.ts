/** The last reason why each peer is not connected, for status and log: an operator should not have to search. */
import type { MeshEvent } from '@keyquorum/p2p/options';
import type { Logger } from 'pino';
import { type Network, shortDigest } from '../config/network.ts';

/** Refused exchanges are part of normal life: a peer asks for what we do not have yet. */
const LEVELS: Partial<Record<MeshEvent['kind'], 'debug' | 'info'>> = {
  listening: 'info',
  restarted: 'info',
  'exchange-refused': 'debug',
};

export interface PeerProblems {
  onEvent(event: MeshEvent): void;
  /** '' when the link works or nothing is known yet. */
  of(party: number): string;
}

export function createPeerProblems(network: Network, log: Logger): PeerProblems {
  const problems = new Map<number, string>();

  /** Returns true when this is news. */
  function note(peer: number, problem: string): boolean {
    if (problems.get(peer) === problem) return false;
    problems.set(peer, problem);
    return true;
  }

  return {
    of: (party) => problems.get(party) ?? '',
    onEvent(event) {
      if (event.kind === 'up') {
        problems.delete(event.peer);
        log.info({ peer: event.peer }, 'peer connected');
      } else if (event.kind === 'configuration-mismatch') {
        const own = `ours has digest ${shortDigest(network)}; compare with keyquorum check`;
        const problem = `NETWORK_MISMATCH: network.toml differs (${own}): ${event.reason}`;
        if (note(event.peer, problem)) log.error({ peer: event.peer, code: 'NETWORK_MISMATCH' }, problem);
      } else if (event.kind === 'dial-failed' || event.kind === 'down') {
        const mismatch = problems.get(event.peer)?.startsWith('NETWORK_MISMATCH') === true;
        if (!mismatch && note(event.peer, event.reason))
          log.warn({ peer: event.peer, reason: event.reason }, event.kind);
      } else if (event.kind === 'receiver-failed') {
        log.error({ ...event }, 'our own code failed on a message: please report it');
      } else {
        const level = LEVELS[event.kind] ?? 'warn';
        log[level]({ ...event }, `p2p ${event.kind}`);
      }
    },
  };
}
