/**
 * All bodies of a key set from one party that knows every secret: what the distributed generation must produce. Uses
 * the kernel with keys "shared" to one party, so a whole base set of the default parameters takes a second or two.
 */
import { asGr64, asGr128, type Gr64, type Gr128 } from '@keyquorum/kernel/batch';
import type { GlweKernel } from '@keyquorum/kernel/glwe';
import { createKernel } from '@keyquorum/kernel/kernel';
import { createKeystream, type Keystream } from '@keyquorum/kernel/keystream';
import type { Ring } from '@keyquorum/kernel/ring';
import { createMaskStream, type KeyStreamComponent, keyStreamSeedData, type MaskStream } from '../../src/csprng.ts';
import {
  type ComponentPlan,
  type KeySetComponent,
  maskWords,
  rowPlaintext,
  type SecretKeyName,
} from '../../src/key-set-components.ts';

/** One byte per bit. */
export type SecretBits = Readonly<Record<SecretKeyName, Uint8Array>>;

const kernel = createKernel();
/** Rows per step: bounds memory. */
const CHUNK_MASK_BYTES = 4 * 2 ** 20;

/** Bodies by component. Noise comes from `noiseKey`, 16 bytes. */
export function dealBodies(
  components: readonly KeySetComponent[],
  { seed, secrets, noiseKey }: { seed: Uint8Array; secrets: SecretBits; noiseKey: Uint8Array },
): ReadonlyMap<KeyStreamComponent, Uint8Array> {
  const noise = createKeystream(noiseKey);
  const bodies = components.map((plan): [KeyStreamComponent, Uint8Array] => {
    const masks = createMaskStream(keyStreamSeedData(seed), plan.position);
    const rows = noiselessBodies(plan, secrets, masks);
    const all = new Uint8Array(plan.bodyBytes);
    let at = 0;
    for (const piece of rows) {
      all.set(sum(plan, piece, noiseWords(plan, noise, piece.length / plan.wordBytes)), at);
      at += piece.length;
    }
    return [plan.component, all];
  });
  return new Map(bodies);
}

/** body - mask * key - plaintext of every row, signed: the noise of a component that somebody made. */
export function* residualNoise(
  plan: ComponentPlan,
  bodies: Uint8Array,
  masks: MaskStream,
  secrets: SecretBits,
): Generator<bigint> {
  let at = 0;
  for (const piece of noiselessBodies(plan, secrets, masks)) {
    const view = new DataView(difference(plan, bodies.slice(at, at + piece.length), piece).buffer);
    for (let offset = 0; offset < piece.length; offset += plan.wordBytes) {
      const low = view.getBigUint64(offset, true);
      if (plan.wordBytes === 8) yield BigInt.asIntN(64, low);
      else yield BigInt.asIntN(128, low | (view.getBigUint64(offset + 8, true) << 64n));
    }
    at += piece.length;
  }
}

/** Bodies without noise, in pieces of some rows. */
function* noiselessBodies(plan: ComponentPlan, secrets: SecretBits, masks: MaskStream): Generator<Uint8Array> {
  const linear = linearPart(plan, secrets[plan.outputKey]);
  const plaintexts = plaintextRows(plan, secrets);
  const rowBytes = maskWords(plan) * plan.wordBytes;
  const step = Math.max(1, Math.floor(CHUNK_MASK_BYTES / rowBytes));
  for (let first = 0; first < plan.rowCount; first += step) {
    const rows = Math.min(step, plan.rowCount - first);
    const bodies = linear(masks.read(rows * rowBytes));
    yield sum(plan, bodies, plaintexts(first, rows));
  }
}

/** A function from masks of whole rows to sum_q mask_q * key_q. */
function linearPart(plan: ComponentPlan, bits: Uint8Array): (masks: Uint8Array) => Uint8Array {
  const ordered = plan.reversed ? bits.slice().reverse() : bits;
  const words = new Uint8Array(ordered.length * plan.wordBytes);
  ordered.forEach((bit, i) => {
    words[i * plan.wordBytes] = bit;
  });
  if (plan.shape.polynomialSize === 1) {
    const key = kernel.gr64.embed(words);
    return (masks) => kernel.gr64.coordinate(kernel.lwe.innerProducts(masks, key), 0);
  }
  // Packed bodies of a key in the base ring are the coefficients themselves, in order.
  const prepare = <E extends Gr64 | Gr128>(glwe: GlweKernel<E>, ring: Ring<E>) => {
    const key = glwe.prepareKey(ring.embed(words), plan.shape.polynomialSize);
    return (masks: Uint8Array) => key.packedBodies(masks);
  };
  return plan.wordBytes === 8 ? prepare(kernel.glwe64, kernel.gr64) : prepare(kernel.glwe128, kernel.gr128);
}

/** A function giving the plaintexts of rows, in place of their bodies. */
function plaintextRows(plan: ComponentPlan, secrets: SecretBits): (first: number, rows: number) => Uint8Array {
  const { wordBytes, shape, content } = plan;
  const size = shape.polynomialSize;
  const input = content.kind === 'zero' ? undefined : secrets[content.inputKey];
  return (first, rows) => {
    const view = new DataView(new ArrayBuffer(rows * size * wordBytes));
    const put = (word: number, value: bigint) => {
      view.setBigUint64(word * wordBytes, BigInt.asUintN(64, value), true);
      if (wordBytes === 16) view.setBigUint64(word * wordBytes + 8, BigInt.asUintN(64, value >> 64n), true);
    };
    for (let r = 0; r < rows; r++) {
      const row = rowPlaintext(plan, first + r);
      if (row.kind === 'zero' || !input?.[row.inputBit]) continue;
      const unit = 1n << BigInt(row.exponent);
      if (row.kind === 'bit') {
        put(r * size, unit);
        continue;
      }
      const factor = secrets[plan.outputKey].subarray(row.polynomial * size, (row.polynomial + 1) * size);
      factor.forEach((bit, j) => {
        if (bit) put(r * size + j, -unit);
      });
    }
    return new Uint8Array(view.buffer);
  };
}

/** TUniform(noiseBoundLog2) samples as words. */
function noiseWords(plan: ComponentPlan, noise: Keystream, count: number): Uint8Array {
  const bound = new Uint8Array(count * plan.wordBytes);
  const [byte, bit] = [plan.noiseBoundLog2 >> 3, plan.noiseBoundLog2 & 7];
  for (let at = 0; at < bound.length; at += plan.wordBytes) bound[at + byte] = 1 << bit;
  const ring: Ring<Gr64> | Ring<Gr128> = plan.wordBytes === 8 ? kernel.gr64 : kernel.gr128;
  const samples = ring.noise(noise, plan.noiseBoundLog2 + 1, Math.ceil(count / 4));
  return difference(plan, samples.subarray(0, bound.length), bound);
}

function sum(plan: ComponentPlan, a: Uint8Array, b: Uint8Array): Uint8Array {
  return wordwise(plan, a, b, 'add');
}

function difference(plan: ComponentPlan, a: Uint8Array, b: Uint8Array): Uint8Array {
  return wordwise(plan, a, b, 'sub');
}

/** Words as coordinates of elements, padded to whole ones. */
function wordwise(plan: ComponentPlan, a: Uint8Array, b: Uint8Array, operation: 'add' | 'sub'): Uint8Array {
  const whole = (bytes: Uint8Array) => {
    const padded = new Uint8Array(Math.ceil(bytes.length / 64) * 64);
    padded.set(bytes);
    return padded;
  };
  const out =
    plan.wordBytes === 8
      ? kernel.gr64[operation](asGr64(whole(a)), asGr64(whole(b)))
      : kernel.gr128[operation](asGr128(whole(a)), asGr128(whole(b)));
  return out.slice(0, a.length);
}
