/** Where the shares lie in the messages of this package: for fault strategies, in tests and behind the fault switch. */
import { LABELS } from '@keyquorum/mpc/labels';
import { SIGNATURE_BYTES } from '@keyquorum/mpc/runtime/statement';
import type { ElementRing, ShareMessageCodec } from '@keyquorum/mpc/simulate/share-message';
import { SHARES_TAG } from './decryption/content-openings.ts';
import { SHARE_TAG } from './decryption/preprocessing.ts';
import { BITS_TAG } from './keygen/replay.ts';

const GR64: ElementRing = { kind: 'galois', coordinateBytes: 8 };
const GR128: ElementRing = { kind: 'galois', coordinateBytes: 16 };
/** A batch's elements have all widths; byte by byte every change is possible. */
const BYTES: ElementRing = { kind: 'galois', coordinateBytes: 1 };

/** Degree-t openings: the body is the shares. */
function plain(pattern: RegExp, ring: ElementRing): ShareMessageCodec {
  return { matches: (tag) => pattern.test(tag), degree: 1, alter: (body, change) => change(body, ring) };
}

/** Degree-2t openings: signature, then the shares it is over. */
function signed(pattern: RegExp, ring: ElementRing): ShareMessageCodec {
  return {
    matches: (tag) => pattern.test(tag),
    degree: 2,
    alter(body, change, sign) {
      const shares = change(Uint8Array.from(body.subarray(SIGNATURE_BYTES)), ring);
      const altered = new Uint8Array(body.length);
      altered.set(sign(LABELS.message, 0, shares));
      altered.set(shares, SIGNATURE_BYTES);
      return altered;
    },
  };
}

export const SHARE_CODECS: readonly ShareMessageCodec[] = [
  plain(/^(seed|masked|lifted)$/, GR64),
  plain(/^(level\/\d+|message)$/, { kind: 'gf16' }),
  plain(new RegExp(`^${SHARES_TAG}$`), GR128),
  signed(/^body64\/\d+$/, GR64),
  signed(/^body128\/\d+$/, GR128),
  signed(new RegExp(`^${BITS_TAG}$`), GR128),
  signed(new RegExp(`^${SHARE_TAG}$`), BYTES),
];
