/**
 * What re-encryption costs the processor, without a network: a node's answer, flooded shares of squashed blocks, and
 * what a client does with 2t+1 answers. Warm.
 */
import { randomBytes } from 'node:crypto';
import { asGr128 } from '@keyquorum/kernel/batch';
import { createKernel } from '@keyquorum/kernel/kernel';
import { familyC, subsetsWith } from '@keyquorum/mpc/prss/family';
import { PRSS_KEY_BYTES, prssKeys } from '@keyquorum/mpc/prss/keys';
import { floodedShares, maskSession } from '@keyquorum/protocols/decryption/flooding';
import type { Value128 } from '@keyquorum/tfhe/ciphertext';
import { DEFAULT_PARAMETERS, lweDimensionOf, SQUASHED_DELTA_LOG2 } from '@keyquorum/tfhe/parameters';
import { userDecryptionLinker, userDecryptionResponseDigest } from '@keyquorum/wire/eip712';
import { createUserKeyPair, decodeEncryptionKey } from '@keyquorum/wire/encryption-key';
import { mlKem512 } from '@keyquorum/wire/primitives-node';
import type { AnsweredRequest } from '@keyquorum/wire/response';
import { createSigner } from '@keyquorum/wire/signer';
import { combineResponses, createResponseOpener } from '@keyquorum/wire/user-decryption';
import { checkUserRequest, type UserRequest, userRequestDigest } from '@keyquorum/wire/user-request';
import {
  ALL_TYPES,
  createCommittee,
  DOMAIN,
  deal,
  random,
  respond,
} from '../../packages/wire/test/support/committee.ts';
import { CONTRACT } from '../network/user.ts';

const WARM_UP_CALLS = 200;
const CALLS = 200;
const UINT64 = typeOfBits(64);
const UINT256 = typeOfBits(256);
/** Blocks of an answer and of a squashed value hold four bits. */
const BLOCKS_OF_UINT64 = 16;
const ELEMENT_BYTES = 64;
const WORD_BYTES = 16;
/** Of the answer for one uint64. */
const ANSWER_BYTES = 1_385;
const USER = `0x${'22'.repeat(20)}` as const;

export interface AnswerCost {
  readonly n: number;
  readonly t: number;
  /** A node's answer for one uint64: signcryption and signature; its shares are there already. */
  readonly answerMs: number;
  readonly answerParts: AnswerParts;
  /** What a node does for a request before: it checks what the user signed. */
  readonly permitMs: number;
  /** One answer for one uint64, checked and decrypted by the client. */
  readonly openMs: number;
  /** The 64 blocks of a uint256 from 2t+1 opened answers. */
  readonly decodeMs: number;
  /** Squashed blocks of uint64 values of which a node computes its flooded shares. */
  readonly floodedBlocksPerSecond: number;
}

/** The largest parts of an answer's processor time. */
export interface AnswerParts {
  /** Two: of the share inside, and of the whole answer. */
  readonly signaturesMs: number;
  /** Two of EIP-712: the linker, and what is signed. */
  readonly digestsMs: number;
  readonly encapsulationMs: number;
}

export async function benchAnswers({ n, t }: { n: number; t: number }): Promise<AnswerCost> {
  const floodMs = await floodOneMs(n, t);
  const before = { answerParts: await answerParts(), permitMs: await permitMs() };
  return { n, t, ...before, ...(await answerMs(n, t)), floodedBlocksPerSecond: (1_000 * BLOCKS_OF_UINT64) / floodMs };
}

async function answerParts(): Promise<AnswerParts> {
  const signer = createSigner(random(32));
  const { encryptionKey } = createUserKeyPair(random(64));
  const encapsulationKey = decodeEncryptionKey(encryptionKey);
  const request = { publicKey: encryptionKey, handles: [random(32)], userAddress: USER };
  const answer = { ...request, userDecryptedShare: random(ANSWER_BYTES), extraData: new Uint8Array(0) };
  const digest = random(32);
  return {
    signaturesMs: 2 * (await cpuMs(() => signer.sign(digest))),
    digestsMs: await cpuMs(() => {
      userDecryptionLinker(DOMAIN, request);
      userDecryptionResponseDigest(DOMAIN, answer);
    }),
    encapsulationMs: await cpuMs(() => mlKem512.encapsulate(encapsulationKey)),
  };
}

async function permitMs(): Promise<number> {
  const signer = createSigner(random(32));
  const request: UserRequest = {
    kind: 'direct',
    publicKey: createUserKeyPair(random(64)).encryptionKey,
    ...{ contractAddresses: [CONTRACT], startTimestamp: 0n, durationDays: 1n, extraData: new Uint8Array(1) },
  };
  const signature = signer.sign(userRequestDigest(DOMAIN, request));
  const values = [{ fheType: UINT64.fheType, contractAddress: CONTRACT }];
  const check = { domain: DOMAIN, request, userAddress: signer.address, signature, values };
  return cpuMs(() => checkUserRequest({ ...check, nowSeconds: 1, toleranceSeconds: 60 }));
}

async function answerMs(n: number, t: number): Promise<Pick<AnswerCost, 'answerMs' | 'openMs' | 'decodeMs'>> {
  const committee = createCommittee(n, t);
  const keys = createUserKeyPair(random(64));
  const request: AnsweredRequest = {
    domain: DOMAIN,
    encryptionKey: keys.encryptionKey,
    userAddress: USER,
    extraData: new Uint8Array(0),
  };
  const openerFor = (handle: Uint8Array) => {
    const signers = committee.signers.map(({ address }) => address);
    return createResponseOpener({ ...request, handles: [handle], signers, threshold: t }, keys);
  };
  const small = deal(UINT64, n, t);
  const answer = () => respond(committee, request, [small], { party: 1 });
  const answered = await answer();
  const wide = deal(UINT256, n, t);
  const wideOpener = openerFor(wide.handle);
  const parties = Array.from({ length: 2 * t + 1 }, (_, index) => index + 1);
  const opened = await Promise.all(
    parties.map(async (party) => wideOpener.open(party, await respond(committee, request, [wide], { party }))),
  );
  return {
    answerMs: await cpuMs(answer),
    openMs: await cpuMs(() => openerFor(small.handle).open(1, answered)),
    decodeMs: await cpuMs(() => {
      const value = combineResponses(opened, t)?.values[0]?.value;
      if (value !== UINT256.value) throw new Error(`${n}/${t}: decoded ${value}`);
    }),
  };
}

/** Shares of one squashed uint64, of random words: what they encrypt does not matter here. */
async function floodOneMs(n: number, t: number): Promise<number> {
  const kernel = await createKernel();
  const dimension = lweDimensionOf(DEFAULT_PARAMETERS.noiseSquashing);
  const value: Value128 = {
    key: 'noise-squashing',
    deltaLog2: SQUASHED_DELTA_LOG2,
    type: { kind: 'uint', bits: 64 },
    dimension,
    masks: new Uint8Array(randomBytes(BLOCKS_OF_UINT64 * dimension * WORD_BYTES)),
    bodies: new Uint8Array(randomBytes(BLOCKS_OF_UINT64 * WORD_BYTES)),
    blockBits: Array.from({ length: BLOCKS_OF_UINT64 }, () => 4),
    pieces: Array.from({ length: BLOCKS_OF_UINT64 }, (_, block) => ({ block, shift: 0, bits: 4 })),
  };
  const family = familyC({ n, t });
  const prss = prssKeys(family, 1, new Map(subsetsWith(family, 1).map((index) => [index, random(PRSS_KEY_BYTES)])));
  const key = asGr128(random(dimension * ELEMENT_BYTES));
  const identity = { keyId: hexId(), parameters: 'default', session: hexId() } as const;
  const epochStart = hexId();
  return cpuMs(() => {
    floodedShares(kernel, value, { key, prss, session: maskSession(value, identity, epochStart) });
  });
}

/** Processor time of one call: what else the machine does counts for little. */
async function cpuMs(call: () => unknown): Promise<number> {
  for (let index = 0; index < WARM_UP_CALLS; index++) await call();
  const before = process.cpuUsage();
  for (let index = 0; index < CALLS; index++) await call();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000 / CALLS;
}

const hexId = () => randomBytes(32).toString('hex');

function typeOfBits(bits: number) {
  const type = ALL_TYPES.find((each) => each.bits === bits);
  if (!type) throw new RangeError(`no type of ${bits} bits`);
  return type;
}
