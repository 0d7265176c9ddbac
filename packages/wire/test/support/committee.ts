/**
 * n parties that answer a re-encryption with shares of known values: a dealer shares them over GR(2^128,4) with BigInt
 * arithmetic, the parties answer through `createResponse`, and a liar's answer is changed and signed again.
 */
import { randomBytes } from 'node:crypto';
import { asGr128, type Gr128 } from '@keyquorum/kernel/batch';
import { encodeGr128, GR_ZERO, type GrElement, grAdd, grFromPoint, grMul } from '@keyquorum/kernel/gr';
import { type SigningDomain, userDecryptionResponseDigest } from '../../src/eip712.ts';
import { decodeEncryptionKey } from '../../src/encryption-key.ts';
import { signedExtraData } from '../../src/extra-data.ts';
import { MESSAGE_SHIFT, type PackingFactor } from '../../src/packed-share.ts';
import {
  type AnsweredRequest,
  createResponse,
  decodePayload,
  encodePayload,
  type ResponsePayload,
  type UserDecryptionResponse,
} from '../../src/response.ts';
import { signcrypt } from '../../src/signcryption.ts';
import { createSigner, type Signer } from '../../src/signer.ts';

export const DOMAIN: SigningDomain = {
  chainId: 54_321n,
  verifyingContract: '0x66f9664f97F2b50F62D13eA064982f936dE76657',
};
export const random = (count: number): Uint8Array => new Uint8Array(randomBytes(count));

/** The types that clients read: number, bits, and a value with all kinds of digits. */
export const ALL_TYPES: readonly { readonly fheType: number; readonly bits: number; readonly value: bigint }[] = [
  { fheType: 0, bits: 1, value: 1n },
  { fheType: 2, bits: 8, value: 0xa7n },
  { fheType: 3, bits: 16, value: 0xbeefn },
  { fheType: 4, bits: 32, value: 0xdead_beefn },
  { fheType: 5, bits: 64, value: 0xfedc_ba98_7654_3210n },
  { fheType: 6, bits: 128, value: (1n << 128n) - 0x1234n },
  { fheType: 7, bits: 160, value: (1n << 159n) + 0xabcdefn },
  { fheType: 8, bits: 256, value: (1n << 256n) - 3n ** 80n },
];

export interface PlainValue {
  readonly fheType: number;
  readonly bits: number;
  readonly value: bigint;
  readonly packingFactor?: PackingFactor;
}

/** A value whose shares are dealt: `shares[party - 1]`. */
export interface DealtValue {
  readonly fheType: number;
  readonly packingFactor: PackingFactor;
  readonly handle: Uint8Array;
  readonly shares: readonly Gr128[];
}

function randomElement(): GrElement {
  const word = () => BigInt(`0x${randomBytes(16).toString('hex')}`);
  return [word(), word(), word(), word()];
}

/** Blocks of the value, times 2^123, with noise below 2^`noiseBits`, four to an element. */
export function packedElements(
  { bits, value }: PlainValue,
  packingFactor: PackingFactor,
  noiseBits = 100,
): GrElement[] {
  const width = 2 * packingFactor;
  const blocks = Array.from({ length: Math.ceil(bits / width) }, (_, index) => {
    const message = (value >> BigInt(width * index)) & ((1n << BigInt(width)) - 1n);
    const noise = BigInt.asIntN(noiseBits, BigInt(`0x${randomBytes(16).toString('hex')}`));
    return BigInt.asUintN(128, (message << MESSAGE_SHIFT) + noise);
  });
  return Array.from({ length: Math.ceil(blocks.length / 4) }, (_, index) => {
    const at = (k: number) => blocks[4 * index + k] ?? 0n;
    return [at(0), at(1), at(2), at(3)];
  });
}

/** Shares of parties 1..n on random polynomials of degree t. */
export function shareElements(secrets: readonly GrElement[], n: number, t: number): Gr128[] {
  const polynomials = secrets.map((secret) => [secret, ...Array.from({ length: t }, randomElement)]);
  return Array.from({ length: n }, (_, index) => {
    const point = grFromPoint(index + 1);
    return encodeGr128(
      polynomials.map((coefficients) =>
        coefficients.reduceRight((value, c) => grAdd(grMul(value, point, 128), c, 128), GR_ZERO),
      ),
    );
  });
}

export function deal(plain: PlainValue, n: number, t: number): DealtValue {
  const packingFactor = plain.packingFactor ?? (plain.fheType === 0 ? 1 : 2);
  const handle = random(32);
  handle[30] = plain.fheType;
  handle[31] = 0;
  const shares = shareElements(packedElements(plain, packingFactor), n, t);
  return { fheType: plain.fheType, packingFactor, handle, shares };
}

export interface Committee {
  readonly n: number;
  readonly t: number;
  readonly signers: readonly Signer[];
}

export function createCommittee(n: number, t: number): Committee {
  return { n, t, signers: Array.from({ length: n }, () => createSigner(random(32))) };
}

/** Ways to lie. Every one is validly signed to the outside, unless it says otherwise. */
export const LIES = {
  'random shares': { elements: (own: Gr128) => asGr128(random(own.length)) },
  'shares off in the highest bit': { elements: (own: Gr128) => changed(own, (bytes) => bytes.fill(0x80, 15, 16)) },
  'fewer elements': { share: (own: Gr128) => countedElements(own.subarray(64)) },
  'more elements': { share: (own: Gr128) => countedElements(new Uint8Array([...own, ...random(64)])) },
  'a share that does not decode': { share: () => Uint8Array.of(9, 0, 0, 0, 0, 0, 0, 0, 1) },
  'a signcryption that does not decrypt': {
    payload: changedSigncryption((bytes) => bytes.set([bytes.at(-1)! ^ 1], bytes.length - 1)),
  },
  'three bytes for a signcryption': { payload: replacedSigncryption(new Uint8Array(3)) },
  'another degree': { payload: (own: ResponsePayload) => ({ ...own, degree: own.degree + 1 }) },
  'another linker': { payload: (own: ResponsePayload) => ({ ...own, linker: new Uint8Array(32) }) },
  'another party': { payload: (own: ResponsePayload) => ({ ...own, party: own.party === 1 ? 2 : 1 }) },
  'another packing factor': {
    payload: (own: ResponsePayload) => ({
      ...own,
      values: own.values.map((value) => ({ ...value, packingFactor: 3 - value.packingFactor })),
    }),
  },
  'a signature of somebody else': { signer: () => createSigner(random(32)) },
} as const;
export type Lie = keyof typeof LIES;

interface Lying {
  readonly elements?: (own: Gr128) => Gr128;
  readonly share?: (own: Gr128) => Uint8Array;
  readonly payload?: (own: ResponsePayload) => ResponsePayload;
  readonly signer?: () => Signer;
}

/** The answer of a party, who may lie. */
export async function respond(
  committee: Committee,
  request: AnsweredRequest,
  values: readonly DealtValue[],
  { party, lie }: { party: number; lie?: Lie | undefined },
): Promise<UserDecryptionResponse> {
  const lying: Lying = lie ? LIES[lie] : {};
  const signer = committee.signers[party - 1]!;
  const own = values.map(({ shares, ...value }) => {
    const elements = shares[party - 1]!;
    return { ...value, elements: lying.elements?.(elements) ?? elements };
  });
  const honest = await createResponse(request, own, { party, threshold: committee.t, signer, random });
  if (!lying.share && !lying.payload && !lying.signer) return honest;
  let payload = decodePayload(honest.payload);
  if (lying.share) {
    const { linker } = payload;
    const recipient = { ...request, encapsulationKey: decodeEncryptionKey(request.encryptionKey) };
    const signcrypted = own.map(async ({ elements, fheType }) => {
      return signcrypt({ share: lying.share!(elements), fheType, linker }, recipient, signer, random);
    });
    const replaced = await Promise.all(signcrypted);
    payload = { ...payload, values: payload.values.map((value, i) => ({ ...value, signcrypted: replaced[i]! })) };
  }
  const bytes = encodePayload(lying.payload?.(payload) ?? payload);
  return signedAgain(request, values, bytes, lying.signer?.() ?? signer);
}

/** The payload under another signature. */
export function signedAgain(
  { domain, encryptionKey, extraData }: AnsweredRequest,
  values: readonly DealtValue[],
  payload: Uint8Array,
  signer: Signer,
): UserDecryptionResponse {
  const signed = signedExtraData(extraData);
  const handles = values.map(({ handle }) => handle);
  const answer = { publicKey: encryptionKey, handles, userDecryptedShare: payload, extraData: signed };
  return { payload, signature: signer.sign(userDecryptionResponseDigest(domain, answer)), extraData: signed };
}

function changed(own: Gr128, change: (bytes: Uint8Array) => void): Gr128 {
  const copy = new Uint8Array(own);
  change(copy);
  return asGr128(copy.every((byte, index) => byte === own[index]) ? copy.map((byte) => byte ^ 1) : copy);
}

function countedElements(elements: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(8 + elements.length);
  bytes[0] = elements.length / 64;
  bytes.set(elements, 8);
  return bytes;
}

function changedSigncryption(change: (bytes: Uint8Array) => void) {
  return (own: ResponsePayload): ResponsePayload => ({
    ...own,
    values: own.values.map((value) => {
      const signcrypted = new Uint8Array(value.signcrypted);
      change(signcrypted);
      return { ...value, signcrypted };
    }),
  });
}

function replacedSigncryption(signcrypted: Uint8Array) {
  return (own: ResponsePayload): ResponsePayload => ({
    ...own,
    values: own.values.map((value) => ({ ...value, signcrypted })),
  });
}
