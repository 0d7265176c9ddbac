/**
 * Domain labels of the ceremonies: every hash and every signature of this package starts with one of them, and no two
 * are equal (a test compares all labels of the workspace). A changed layout gets a new number. So does the session
 * label of a ceremony (`ceremonySession`, `poolSession`) when its messages become another function of the PRSS keys:
 * evidence is judged by recomputing them.
 */
export const labels = {
  proposal: 'keyquorum/protocols/proposal/v2',
  stripeSession: 'keyquorum/protocols/stripe-session/v1',
  lifting: 'keyquorum/protocols/lifting/v1',
  flooding: 'keyquorum/protocols/flooding/v2',
  floodedOpening: 'keyquorum/protocols/flooded-opening/v1',
  onlineSession: 'keyquorum/protocols/online-session/v1',
  poolNonce: 'keyquorum/protocols/pool-nonce/v2',
  poolStart: 'keyquorum/protocols/pool-start/v1',
  poolSession: 'keyquorum/protocols/pool-session/v1',
  ceremonyStart: 'keyquorum/protocols/ceremony-start/v1',
  ceremonySession: 'keyquorum/protocols/ceremony-session/v1',
  keygenSession: 'keyquorum/protocols/keygen-session/v1',
  keygenSeed: 'keyquorum/protocols/keygen-seed/v1',
  keyTrial: 'keyquorum/protocols/key-trial/v1',
  keyDigest: 'keyquorum/protocols/key-digest/v1',
  crsVote: 'keyquorum/protocols/crs-vote/v1',
  crsEndorsement: 'keyquorum/protocols/crs-endorsement/v1',
  crsComplete: 'keyquorum/protocols/crs-complete/v1',
  crsChain: 'keyquorum/protocols/crs-chain/v1',
  crsTranscript: 'keyquorum/protocols/crs-transcript/v1',
  evidence: 'keyquorum/protocols/evidence/v1',
  epochContext: 'keyquorum/protocols/epoch-context/v1',
} as const;

export type Label = (typeof labels)[keyof typeof labels];
