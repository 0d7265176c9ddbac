/**
 * Parties that cheat in a ceremony of reference strings. Each changes the contribution that the honest program beneath
 * makes, and signs what comes of it.
 */
import {
  type Contribution,
  contribute,
  decodeContribution,
  encodeContribution,
  HEAD_BYTES,
  listsDigest,
} from '@keyquorum/crs/contribution';
import { type CrsState, startState } from '@keyquorum/crs/state';
import { asScalars, G1_BYTES, type G1Points, G2_BYTES, type G2Points } from '@keyquorum/kernel/bls446-encoding';
import { SIGNATURE_BYTES, signStatement } from '@keyquorum/mpc/runtime/statement';
import { type FaultStrategy, type FaultTools, intercept } from '@keyquorum/mpc/simulate/strategy';
import type { Envelope, PartyId } from '@keyquorum/mpc/transport';
import { headSubject } from '../../src/crs/judge.ts';
import { CRS_ID, SMALL_FORMAT } from './crs-network.ts';
import { curves } from './curves.ts';

const TURN = /^turn\/(\d+)$/;
const subject = SMALL_FORMAT.subject(CRS_ID, { parameters: 'test', maxBits: 32 });
const { size } = subject.parameters;

/** Another contribution in the place of the honest one. */
type Change = (honest: Contribution, tools: FaultTools) => Contribution | Promise<Contribution>;

function signed(envelope: Envelope, contribution: Contribution, { roster, self, signer }: FaultTools): Envelope {
  const bytes = encodeContribution(contribution);
  const head = headSubject(envelope.session, self, bytes.subarray(0, HEAD_BYTES));
  const signature = signStatement({ roster, self, signer }, head);
  return { ...envelope, body: new Uint8Array(Buffer.concat([signature, bytes])) };
}

/** Sends what `change` makes; to parties for which `isTold` says so only. */
export function cheat(name: string, change: Change, isTold: (to: PartyId) => boolean = () => true): FaultStrategy {
  return {
    name,
    wrap: (transport, tools) =>
      intercept(transport, {
        send(to, envelope, inner) {
          if (!TURN.test(envelope.tag) || !isTold(to)) return inner.send(to, envelope);
          const honest = decodeContribution(envelope.body.subarray(SIGNATURE_BYTES), size, tools.self);
          void Promise.resolve(change(honest, tools)).then((made) => inner.send(to, signed(envelope, made, tools)));
        },
      }),
  };
}

/** Sends its contribution as other bytes, to everybody or to some. */
export function garble(
  name: string,
  garbled: (body: Uint8Array, to: PartyId) => Uint8Array | undefined,
): FaultStrategy {
  return {
    name,
    wrap: (transport) =>
      intercept(transport, {
        send(to, envelope, inner) {
          const body = TURN.test(envelope.tag) ? garbled(envelope.body, to) : envelope.body;
          if (body !== undefined) inner.send(to, { ...envelope, body });
        },
      }),
  };
}

/** The lists with a change, named in the head as if they were right. */
export function relisted(change: (g1: Uint8Array, g2: Uint8Array) => void): Change {
  return ({ head, g1, g2 }) => {
    const lists = { g1: Uint8Array.from(g1) as G1Points, g2: Uint8Array.from(g2) as G2Points };
    change(lists.g1, lists.g2);
    return { head: { ...head, lists: listsDigest(lists) }, ...lists };
  };
}

const place = (points: Uint8Array, index: number, bytes = G1_BYTES) =>
  points.subarray(index * bytes, (index + 1) * bytes);

/** Every signed cheat that the message itself proves. */
export const PROVABLE: readonly FaultStrategy[] = [
  cheat(
    'exchanges two powers',
    relisted((g1) => g1.set([...place(g1, 2), ...place(g1, 1)], G1_BYTES)),
  ),
  cheat(
    'exchanges two powers in G2',
    relisted((_, g2) => g2.set([...place(g2, 2, G2_BYTES), ...place(g2, 1, G2_BYTES)], G2_BYTES)),
  ),
  cheat(
    'fills the empty place',
    relisted((g1) => place(g1, size).set(place(g1, 0))),
  ),
  cheat(
    'sends infinity',
    relisted((g1) => place(g1, 1).fill(0)),
  ),
  cheat(
    'sends a point off the curve',
    relisted((g1) => place(g1, 1).set([place(g1, 1)[0]! ^ 1])),
  ),
  cheat(
    'sends a coordinate that is not reduced',
    relisted((g1) => place(g1, 1).fill(255, 0, 56)),
  ),
  cheat('gives a wrong proof', ({ head, g1, g2 }) => {
    const response = asScalars(head.response.map((byte, index) => (index === 0 ? byte ^ 1 : byte)));
    return { head: { ...head, response }, g1, g2 };
  }),
  cheat('signs for another turn', ({ head, g1, g2 }) => ({ head: { ...head, round: (head.round % 3) + 1 }, g1, g2 })),
  cheat('starts over on the base of the others', (honest, tools) => startOver(tools, honest.head.base)),
  cheat('signs for proofs of another size', ({ head, g1, g2 }) => ({ head: { ...head, maxBits: 64 }, g1, g2 })),
];

/** Cheats that prove nothing to others, and are skipped all the same. */
export const UNPROVABLE: readonly FaultStrategy[] = [
  cheat('starts over', (_, tools) => startOver(tools)),
  garble('signs nothing', (body) => body.map((byte, index) => (index === 3 ? byte ^ 1 : byte))),
  garble('sends half', (body) => body.slice(0, body.length / 2)),
  garble('contributes nothing', () => undefined),
];

/** A contribution of this party to the start, which would undo those of all others. */
function startOver({ self, random }: FaultTools, base?: Uint8Array): Promise<Contribution> {
  const start = startState(subject);
  const state: CrsState = base === undefined ? start : { ...start, digest: base };
  const tools = { curve: curves.curve, workers: curves.startWorkers() };
  return contribute(tools, subject, state, { round: self, random: random.bytes });
}
