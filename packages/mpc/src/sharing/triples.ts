/**
 * Multiplication triples over GF(16), in pairs that share their left operand: (x; y, y'; xy, xy'). Each party's message
 * is xy + v + z and xy' + v' + z' with PRSS values v, v' of degree t and zero sharings z, z' of degree 2t; the opened d
 * gives the product as d - v. One nibble per product and link (docs/protocols/preprocessing.md; SPEC O3).
 */
import type { Gf16 } from '@keyquorum/kernel/batch';
import type { Kernel } from '@keyquorum/kernel/kernel';
import type { Prss } from '../prss/prss.ts';

/** Shares of `left * right = product` and `left * right2 = product2`. */
export interface SharedPairs {
  readonly left: Gf16;
  readonly right: Gf16;
  readonly right2: Gf16;
  readonly product: Gf16;
  readonly product2: Gf16;
}

/** What a party keeps until the products are opened. */
export interface PairSecrets {
  readonly left: Gf16;
  readonly right: Gf16;
  readonly right2: Gf16;
  readonly mask: Gf16;
  readonly mask2: Gf16;
}

/** Shares of the masked products, of degree 2t: first all of xy, then all of xy'. */
export function pairsMessage(
  kernel: Kernel,
  prss: Prss,
  label: string,
  count: number,
): { message: readonly [Gf16, Gf16]; secrets: PairSecrets } {
  const { gf16 } = kernel;
  const draw = (name: string) => prss.random16(`${label}/${name}`, count);
  const secrets = { left: draw('x'), right: draw('y'), right2: draw('y2'), mask: draw('v'), mask2: draw('v2') };
  const masked = (right: Gf16, mask: Gf16, zero: string): Gf16 =>
    gf16.add(gf16.add(gf16.mul(secrets.left, right), mask), prss.zero16(`${label}/${zero}`, count));
  return { message: [masked(secrets.right, secrets.mask, 'z'), masked(secrets.right2, secrets.mask2, 'z2')], secrets };
}

/** The triples, from the own secrets and the opened masked products. */
export function finishPairs(kernel: Kernel, secrets: PairSecrets, opened: readonly [Gf16, Gf16]): SharedPairs {
  const { left, right, right2, mask, mask2 } = secrets;
  const product = kernel.gf16.add(opened[0], mask);
  const product2 = kernel.gf16.add(opened[1], mask2);
  return { left, right, right2, product, product2 };
}
