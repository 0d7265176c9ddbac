/**
 * Wrong shares inside otherwise right messages, signed again where the protocol signs: the lies that openings must
 * detect or correct. What is not a share message goes out unchanged.
 */
import { signStatement, subjectOf } from '../../runtime/statement.ts';
import type { Envelope, PartyId } from '../../transport.ts';
import type { ElementRing, ShareMessageCodec, SignPayload } from '../share-message.ts';
import { type FaultStrategy, type FaultTools, intercept } from '../strategy.ts';
import { addCodeword } from './codeword.ts';

type Change = (elements: Uint8Array, ring: ElementRing) => Uint8Array;

/** What happens to the elements of one message. */
type ChangeFor = (message: { envelope: Envelope; to: PartyId; codec: ShareMessageCodec; tools: FaultTools }) => Change;

/** Uniformly random elements. */
export function randomShare(): FaultStrategy {
  return alterShares(
    'sends random shares',
    ({ tools }) =>
      (elements) =>
        tools.random.bytes(elements.length),
  );
}

/** Every element plus one: the smallest lie, and the same towards everybody. */
export function constantOffset(): FaultStrategy {
  return alterShares('adds a constant to its shares', () => addOne);
}

/** Right shares for parties with an even number, wrong ones for the others. */
export function equivocateShares(): FaultStrategy {
  return alterShares('sends different shares to different parties', ({ to }) => (to % 2 === 0 ? same : addOne));
}

/**
 * The attack on error correction of degree-2t values (F1): the corrupt parties add their part of one codeword of least
 * weight, so that a decoder would rather "correct" an honest party. `highBitsOnly` hides the offset in the top bit.
 */
export function codewordOffset({ highBitsOnly = false } = {}): FaultStrategy {
  const name = `adds a codeword to its shares${highBitsOnly ? ', in the top bit' : ''}`;
  return alterShares(name, ({ envelope, codec, tools }) => {
    const { self, roster, colluders } = tools;
    const shared = tools.shared.fork(`${envelope.session} ${envelope.tag}`); // equal at all colluders
    const code = { n: roster.n, degree: codec.degree * roster.t, support: colluders };
    return (elements, ring) => addCodeword(elements, ring, { ...code, self, random: shared, highBitsOnly });
  });
}

function alterShares(name: string, changeFor: ChangeFor): FaultStrategy {
  return {
    name,
    wrap: (transport, tools) =>
      intercept(transport, {
        send(to, envelope, inner) {
          const codec = tools.codecs.find(({ matches }) => matches(envelope.tag));
          if (!codec) return inner.send(to, envelope);
          const change = changeFor({ envelope, to, codec, tools });
          const body = codec.alter(new Uint8Array(envelope.body), change, signerFor(envelope, tools));
          inner.send(to, { ...envelope, body });
        },
      }),
  };
}

function signerFor({ session, tag }: Envelope, tools: FaultTools): SignPayload {
  return (domain, receiver, payload) => signStatement(tools, subjectOf({ domain, session, tag, receiver }, payload));
}

const same: Change = (elements) => elements;

/** Adds 1 to coordinate 0 of every element. */
function addOne(elements: Uint8Array, ring: ElementRing): Uint8Array {
  if (ring.kind === 'gf16') {
    const changed = elements.map((pair) => pair ^ 0x11);
    return keepPadding(changed, elements);
  }
  const changed = new Uint8Array(elements);
  for (let at = 0; at + 4 * ring.coordinateBytes <= changed.length; at += 4 * ring.coordinateBytes) {
    addOneAt(changed, at, ring.coordinateBytes);
  }
  return changed;
}

/** The last half byte may be padding, which must stay 0 or the message is not even well formed. */
function keepPadding(changed: Uint8Array, original: Uint8Array): Uint8Array {
  const last = changed.length - 1;
  if (last >= 0) changed[last] = ((changed[last] ?? 0) & 0x0f) | ((original[last] ?? 0) & 0xf0);
  return changed;
}

function addOneAt(bytes: Uint8Array, at: number, count: number): void {
  for (let index = at; index < at + count; index++) {
    const sum = (bytes[index] ?? 0) + 1;
    bytes[index] = sum;
    if (sum < 256) return; // no carry
  }
}
