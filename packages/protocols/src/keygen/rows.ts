/**
 * Bodies of the rows of a component on shares, without noise (docs/protocols/key-generation.md, K4): public masks times
 * the shared output key, plus what the rows encrypt. Everything is local, since masks are public; rows of a GGSW
 * encrypt a bit times a key and so have degree 2t, all others t. Results are packed: coefficient 4i+j of a row is
 * coordinate j of element i, and LWE rows stand four to an element.
 */
import type { Gr64, Gr128 } from '@keyquorum/kernel/batch';
import type { GlweKernel } from '@keyquorum/kernel/glwe';
import type { Kernel } from '@keyquorum/kernel/kernel';
import { eraseBuffer } from '@keyquorum/kernel/release';
import type { Ring } from '@keyquorum/kernel/ring';
import { createMaskStream, keyStreamSeedData, type MaskStream } from '@keyquorum/tfhe/csprng';
import { type KeySetComponent, maskWords, rowPlaintext, type SecretKeyName } from '@keyquorum/tfhe/key-set-components';
import { PACKED } from './chunks.ts';
import { element, powerOfTwo, replace, slice } from './elements.ts';
import { modulo64, type SecretKeyShares } from './secret-keys.ts';

/** Masks that are in memory at a time. */
const MASK_BYTES = 4 * 2 ** 20;

/** Makes rows of one component. Holds shares of its keys until erased. */
export interface RowMaker {
  /** Packed shares of the bodies of these rows, ceil(rows * N / 4) elements of the component's ring. */
  rows(first: number, count: number): Gr64 | Gr128;
  erase(): void;
}

/** `seed`: of the key set's public stream. */
export function createRowMaker(
  kernel: Kernel,
  component: KeySetComponent,
  { keys, seed }: { keys: SecretKeyShares; seed: Uint8Array },
): RowMaker {
  if (component.wordBytes === 16) {
    return rowMaker({ ring: kernel.gr128, glwe: kernel.glwe128 }, component, { key: keys.of, seed });
  }
  const key = (name: SecretKeyName) => modulo64(kernel, keys.of(name));
  if (component.shape.polynomialSize === 1) return lweRowMaker(kernel, component, { key, seed });
  return rowMaker({ ring: kernel.gr64, glwe: kernel.glwe64 }, component, { key, seed });
}

interface Arithmetic<E> {
  readonly ring: Ring<E>;
  readonly glwe: GlweKernel<E>;
}

interface Keys<E> {
  /** A copy of a key's shares in the ring of the component. */
  readonly key: (name: SecretKeyName) => E;
  readonly seed: Uint8Array;
}

/** Rows under a GLWE key. */
function rowMaker<E extends Gr64 | Gr128>(
  { ring, glwe }: Arithmetic<E>,
  component: KeySetComponent,
  { key, seed }: Keys<E>,
): RowMaker {
  const { shape, reversed } = component;
  const size = shape.polynomialSize;
  const output = key(component.outputKey);
  const prepared = glwe.prepareKey(reversed ? reversedOrder(ring, output) : output, size);
  const packedKey = ring.pack4(output);
  const inputs = scaledInputs(ring, component, key);
  const rowElements = size / PACKED;
  const masks = maskReader(component, seed);

  /** Adds what row `index` encrypts to its body, which stands at element `at` of `bodies`. */
  function addPlaintext(bodies: E, at: number, index: number): void {
    const row = rowPlaintext(component, index);
    if (row.kind === 'zero') return;
    const bit = element(ring, inputs.get(row.level)!, row.inputBit);
    if (row.kind === 'bit') {
      replace(ring, bodies, at, ring.add(element(ring, bodies, at), bit));
      return;
    }
    const polynomial = slice(ring, packedKey, row.polynomial * rowElements, rowElements);
    const product = ring.scale(bit, polynomial); // s_i * S_p
    replace(ring, bodies, at, ring.sub(slice(ring, bodies, at, rowElements), product));
    eraseBuffer(product);
  }

  return {
    rows(first, count) {
      const bodies = prepared.packedBodies(masks(first, count));
      for (let row = 0; row < count; row++) addPlaintext(bodies, row * rowElements, first + row);
      return bodies;
    },
    erase() {
      prepared.erase();
      for (const secret of [output, packedKey, ...inputs.values()]) eraseBuffer(secret);
    },
  };
}

/** Rows under an LWE key: one coefficient each. */
function lweRowMaker(kernel: Kernel, component: KeySetComponent, { key, seed }: Keys<Gr64>): RowMaker {
  const { gr64: ring, lwe } = kernel;
  const output = key(component.outputKey);
  const inputs = scaledInputs(ring, component, key);
  const step = Math.max(1, Math.floor(MASK_BYTES / rowMaskBytes(component)));
  const masks = maskReader(component, seed);

  return {
    rows(first, count) {
      const bodies = ring.zeros(PACKED * Math.ceil(count / PACKED));
      for (let row = 0; row < count; row += step) {
        const products = lwe.innerProducts(masks(first + row, Math.min(step, count - row)), output);
        replace(ring, bodies, row, products);
      }
      for (let row = 0; row < count; row++) {
        const content = rowPlaintext(component, first + row);
        if (content.kind !== 'bit') continue;
        const bit = element(ring, inputs.get(content.level)!, content.inputBit);
        replace(ring, bodies, row, ring.add(element(ring, bodies, row), bit));
      }
      const packed = ring.pack4(bodies);
      eraseBuffer(bodies);
      return packed;
    },
    erase() {
      for (const secret of [output, ...inputs.values()]) eraseBuffer(secret);
    },
  };
}

/** Shares of s_i * 2^exponent for every bit of the input key, by level. */
function scaledInputs<E extends Gr64 | Gr128>(
  ring: Ring<E>,
  component: KeySetComponent,
  key: (name: SecretKeyName) => E,
): Map<number, E> {
  const { content, wordBytes } = component;
  if (content.kind === 'zero') return new Map();
  const { baseLog, levels } = content.decomposition;
  const input = key(content.inputKey);
  const scaled = Array.from({ length: levels }, (_, index): [number, E] => {
    const exponent = 8 * wordBytes - baseLog * (index + 1);
    return [index + 1, ring.scale(powerOfTwo(ring, wordBytes, exponent), input)];
  });
  eraseBuffer(input);
  return new Map(scaled);
}

/** rev(S): the coefficients in opposite order. */
function reversedOrder<E extends Gr64 | Gr128>(ring: Ring<E>, key: E): E {
  const count = ring.count(key);
  const out = ring.zeros(count);
  for (let at = 0; at < count; at++) out.set(element(ring, key, at), (count - 1 - at) * ring.bytesPerElement);
  return out;
}

/** Reads the masks of rows, in a buffer that the next read overwrites: they are many and public. */
function maskReader(component: KeySetComponent, seed: Uint8Array): (first: number, count: number) => Uint8Array {
  const rowBytes = rowMaskBytes(component);
  let buffer = new Uint8Array(0);
  let stream: MaskStream | undefined;
  return (first, count) => {
    const position = component.position + first * rowBytes;
    if (stream?.position !== BigInt(position)) stream = createMaskStream(keyStreamSeedData(seed), position);
    if (buffer.length < count * rowBytes) buffer = new Uint8Array(count * rowBytes);
    const masks = buffer.subarray(0, count * rowBytes);
    stream.fill(masks);
    return masks;
  };
}

function rowMaskBytes(component: KeySetComponent): number {
  return maskWords(component) * component.wordBytes;
}
