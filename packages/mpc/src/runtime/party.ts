/**
 * Puts a party together: transport below, mailbox in the middle, sessions above. The same function makes the party of a
 * node and the n parties of a simulation.
 */
import type { Party, PeerState } from '../party.ts';
import { partiesOf } from '../roster.ts';
import type { PartyId } from '../transport.ts';
import { createMailbox, MAILBOX_LIMITS, type MailboxLimits } from './mailbox.ts';
import type { PartyModules } from './modules.ts';
import { SessionError } from './session-error.ts';

export function createParty(modules: PartyModules, limits: MailboxLimits = MAILBOX_LIMITS): Party {
  const { roster, self, kernel, clock, journal, signer, transport } = modules;
  const mailbox = createMailbox(modules, limits);
  const peerListeners = new Set<(peer: PartyId, state: PeerState) => void>();
  return {
    ...{ roster, self, kernel, clock, journal, signer, transport },
    random: (bytes) => modules.random(bytes),
    open: mailbox.open,
    start: () =>
      transport.start({
        onEnvelope: mailbox.onEnvelope,
        onPeer(peer, state) {
          for (const listener of [...peerListeners]) listener(peer, state);
        },
      }),
    async stop() {
      mailbox.closeAll(new SessionError('SESSION_CLOSED', `party ${self} is stopping`));
      await transport.stop();
    },
    onPeer(listener) {
      peerListeners.add(listener);
      return () => void peerListeners.delete(listener);
    },
    connected: () => partiesOf(roster).filter((party) => party !== self && transport.isUp(party)),
  };
}
