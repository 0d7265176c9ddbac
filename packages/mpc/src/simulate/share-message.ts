/**
 * What a fault strategy must know to lie well: where the ring elements are in a protocol's message, and how the message
 * is signed. Protocol packages pass one codec per message layout to the simulator.
 */
import type { PartyId } from '../transport.ts';

/** Layout of the elements in a message. */
export type ElementRing =
  /** GR(2^k, 4): four coordinates of `coordinateBytes` little-endian bytes each. */
  | { readonly kind: 'galois'; readonly coordinateBytes: number }
  /** GF(16): two elements per byte, the first in the low half. */
  | { readonly kind: 'gf16' };

/** Signs a payload as the corrupt party, for the session, tag and roster of the message that is being altered. */
export type SignPayload = (domain: string, receiver: PartyId | 0, payload: Uint8Array) => Uint8Array;

export interface ShareMessageCodec {
  /** True for tags whose bodies this codec understands. */
  matches(tag: string): boolean;
  /** Degree of the sharing in units of t: 2 for values that are only ever detected, never corrected. */
  readonly degree: 1 | 2;
  /** The body with its elements replaced by what `change` makes of them, signed again if the layout has a signature. */
  alter(
    body: Uint8Array,
    change: (elements: Uint8Array, ring: ElementRing) => Uint8Array,
    sign: SignPayload,
  ): Uint8Array;
}
