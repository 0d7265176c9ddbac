/**
 * The online protocol: opens the 4-bit messages of certified LWE ciphertexts, and nothing else about them
 * (docs/protocols/decryption.md, steps D1..D5). Everything opened is of degree t: at most t silent or lying parties
 * cannot stop it or change its result, and no message needs a time limit to be safe.
 *  D1 shares of the phase x = b - <a, s>, plus half a step h (at admission, before the binding);
 *  D2 c = x + h + r is opened, four ciphertexts to a ring element; r is the bundle's mask, so c is uniform;
 *  D3 bits 59..62 of c - r are compared out of the shared bits of r, D4 and set to 0 if the padding bit is set;
 *  D5 the wanted message bits are opened; where the answer is a user's, each xor a shared random bit (lifting.ts).
 * Rounds: 1 + 7 + 1. Bytes per ciphertext and link: 8 + 113 + 2.
 */
import { asGf16, asGr64, type Gf16, type Gr64 } from '@keyquorum/kernel/batch';
import type { Kernel } from '@keyquorum/kernel/kernel';
import { evaluatePlan } from '@keyquorum/mpc/circuit/evaluate';
import { COMPARISON } from '@keyquorum/mpc/circuit/plan';
import type { Session } from '@keyquorum/mpc/session';
import { openRobust } from '@keyquorum/mpc/sharing/robust';
import type { Value64 } from '@keyquorum/tfhe/ciphertext';
import type { Material } from './material.ts';

const ELEMENT_BYTES = 32;
const WORD_BYTES = 8;
const PACKED = 4;
const MESSAGE_BITS = 4;

/** D1: shares modulo 2^64 of b - <a, s> + h, one element per LWE ciphertext. `key`: shares of the key bits. */
export function phaseShares(kernel: Kernel, value: Value64, key: Gr64): Gr64 {
  const { gr64, lwe } = kernel;
  const products = lwe.innerProducts(value.masks, key);
  const bodies = gr64.embed(value.bodies);
  const halfStep = 1n << BigInt(value.deltaLog2 - 1); // turns the floor of the bit selection into rounding
  const half = gr64.embed(new Uint8Array(new BigUint64Array(gr64.count(bodies)).fill(halfStep).buffer));
  return gr64.add(gr64.sub(bodies, products), half);
}

export interface OnlineInput {
  /** Of D1, for all ciphertexts of the proposal. */
  readonly phases: Gr64;
  /** Per ciphertext: the message bits to open, lowest first; the others stay closed. */
  readonly wanted: Uint8Array;
  /** Shares of bits that are added to the four message bits before they are opened; wire-major, like the material. */
  readonly flips: Gf16;
  /** One bundle per ciphertext. */
  readonly material: Material;
  readonly deadlineMs: number;
}

/** The wanted bits of each message, flipped. @throws RobustOpeningError, or the session's reason when it ends */
export async function openMessages(session: Session, input: OnlineInput): Promise<Uint8Array> {
  const { kernel } = session;
  const { phases, wanted, flips, material, deadlineMs } = input;
  const publicWords = await openMasked(session, kernel.gr64.add(phases, material.mask), deadlineMs); // D2
  const message = await evaluatePlan(kernel, COMPARISON, {
    // D3, D4
    publicWords,
    bits: material.bits,
    pairs: material.pairs,
    open: (level, shares) => openRobust(session, `level/${level}`, 'gf16', shares, { deadlineMs }),
  });
  return openWanted(session, kernel.gf16.add(message, flips), wanted, deadlineMs); // D5
}

/** D2: base-ring values are packed four to an element; the opened words stand in order. */
async function openMasked(session: Session, masked: Gr64, deadlineMs: number): Promise<Uint8Array> {
  const { gr64 } = session.kernel;
  const blocks = gr64.count(masked);
  const padded = new Uint8Array(Math.ceil(blocks / PACKED) * PACKED * ELEMENT_BYTES);
  padded.set(masked);
  const opened = await openRobust(session, 'masked', 'gr64', gr64.pack4(asGr64(padded)), { deadlineMs });
  return opened.slice(0, blocks * WORD_BYTES);
}

/** D5: only the wanted bits travel; each opens to 0 or 1. */
async function openWanted(
  session: Session,
  message: Gf16,
  wanted: Uint8Array,
  deadlineMs: number,
): Promise<Uint8Array> {
  const blocks = wanted.length;
  const positions: { bit: number; block: number }[] = [];
  for (let bit = 0; bit < MESSAGE_BITS; bit++) {
    for (let block = 0; block < blocks; block++) if ((wanted[block]! >> bit) & 1) positions.push({ bit, block });
  }
  const shares = Uint8Array.from(positions, ({ bit, block }) => message[bit * blocks + block]!);
  const opened = await openRobust(session, 'message', 'gf16', asGf16(shares), { deadlineMs });
  const messages = new Uint8Array(blocks);
  positions.forEach(({ bit, block }, index) => {
    const value = opened[index]!;
    // An exact opening of a bit is a bit, whoever lies: anything else is our own fault, and the node must not go on.
    if (value > 1) throw new Error(`message bit ${bit} of ciphertext ${block} opened as a non-bit`);
    messages[block] = messages[block]! | (value << bit);
  });
  return messages;
}
