/**
 * Every domain label of this package, so that no two operations can ever hash or sign equal bytes (SPEC R17).
 * `test/runtime/labels.test.ts` checks that they are distinct and well formed. A changed layout gets a new number.
 */
export const LABELS = {
  /** Digest of the roster, part of every signature. */
  roster: 'keyquorum/mpc/roster/v1',
  /** Frame around everything an Ed25519 identity signs. */
  statement: 'keyquorum/mpc/statement/v1',
  /**
   * Dolev-Strong (SPEC R1). The sender of a broadcast and those who relay it sign under different labels: an honest
   * party may relay two values of a lying sender, but never sends two itself.
   */
  broadcast: 'keyquorum/mpc/broadcast/v1',
  broadcastRelay: 'keyquorum/mpc/broadcast-relay/v1',
  /** "I hold one value of every party", and that all parties said so. */
  broadcastHeld: 'keyquorum/mpc/broadcast-held/v1',
  broadcastUnanimous: 'keyquorum/mpc/broadcast-unanimous/v1',
  /** A protocol message that may later serve as evidence. */
  message: 'keyquorum/mpc/message/v1',
  /** Watermarked index certificate (SPEC R4). */
  propose: 'keyquorum/mpc/propose/v1',
  echo: 'keyquorum/mpc/echo/v1',
  reserve: 'keyquorum/mpc/reserve/v1',
  /** End of a batch, and the exclusive decisions about a session (SPEC R5.3, R5.6). */
  ok: 'keyquorum/mpc/ok/v1',
  complete: 'keyquorum/mpc/complete/v1',
  burn: 'keyquorum/mpc/burn/v1',
  /**
   * Agreement on PRSS keys: scope, commitment, sealed box, key of a set, view of the messages, certificate (SPEC R2).
   */
  prssScope: 'keyquorum/mpc/prss-scope/v1',
  prssCommitment: 'keyquorum/mpc/prss-commitment/v1',
  prssBox: 'keyquorum/mpc/prss-box/v1',
  prssKey: 'keyquorum/mpc/prss-key/v1',
  prssView: 'keyquorum/mpc/prss-view/v1',
  prssInit: 'keyquorum/mpc/prss-init/v1',
  /** Pseudo-random secret sharing: keys of a session, keys of one stream (SPEC R5, R10). */
  prssSessionKey: 'keyquorum/mpc/prss-session-key/v1',
  prssStream: 'keyquorum/mpc/prss-stream/v1',
} as const;
