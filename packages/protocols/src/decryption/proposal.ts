/**
 * The binding of pool material to requests (SPEC R4; docs/protocols/binding.md): a proposal names a range of bundles of
 * one stripe and, block by block, what each bundle will decrypt. Two different uses of one bundle would give an exact
 * linear equation on the secret key, so a bundle is used only under a certificate, and an honest party signs at most
 * one proposal per bundle, ever.
 */
import { decode, encode, u8, u32 } from '@keyquorum/codec/codec';
import { fixedBytes, mapped, struct, vector } from '@keyquorum/codec/composites';
import { fromHex, toHex } from '@keyquorum/mpc/bytes';
import type { PartyId, SessionId } from '@keyquorum/mpc/transport';
import { digestOf, sessionIdOf } from '../digest.ts';
import { labels } from '../labels.ts';
import type { Output } from './job.ts';

/** Most bundles one proposal may bind: bounds the work of one online session. */
export const PROPOSAL_BUNDLES_MAX = 1024;

/** Bundles lend the bits of their masks to conversions: the four bits of so many blocks each (D5). */
export const BLOCKS_PER_LIFT = 16;

/** A run of LWE ciphertexts of one value of one admitted request. */
export interface ProposalItem {
  /** Whom the answer is for. Never do answers to users and to everybody share a bundle. */
  readonly output: Output;
  readonly requestId: string;
  /** SHA-256 of everything the request asks, ciphertext bytes included. */
  readonly contentHash: Uint8Array;
  readonly keyId: string;
  /** Which value of the request, and which of its LWE ciphertexts. */
  readonly value: number;
  readonly firstBlock: number;
  readonly blocks: number;
}

export interface Proposal {
  /** Session id of the batch: batches are named by sid, never by number. */
  readonly batch: SessionId;
  /** Owner of the stripe, the only party that may propose its bundles. */
  readonly owner: PartyId;
  /** Counts the owner's proposals in this stripe from 1. */
  readonly number: number;
  /** First bundle, counted inside the batch; the items take consecutive bundles in order. */
  readonly low: number;
  readonly items: readonly ProposalItem[];
}

const OUTPUTS: readonly Output[] = ['public', 'user'];
const output = mapped(u8, {
  to: (number) => OUTPUTS[number],
  from: (name: Output) => OUTPUTS.indexOf(name),
  want: '0 (public) or 1 (user)',
});

const itemCodec = struct({
  output,
  request: fixedBytes(32),
  content: fixedBytes(32),
  key: fixedBytes(32),
  value: u32,
  firstBlock: u32,
  blocks: u32,
});
const proposalCodec = struct({
  batch: fixedBytes(32),
  owner: u8,
  number: u32,
  low: u32,
  items: vector(itemCodec, PROPOSAL_BUNDLES_MAX),
});
/** Longest encoding of a proposal. */
export const PROPOSAL_BYTES_MAX = 32 + 1 + 4 + 4 + 8 + PROPOSAL_BUNDLES_MAX * 109;

export function encodeProposal(proposal: Proposal): Uint8Array {
  return encode(proposalCodec, {
    ...proposal,
    batch: fromHex(proposal.batch),
    items: proposal.items.map((item) => ({
      output: item.output,
      request: fromHex(item.requestId),
      content: item.contentHash,
      key: fromHex(item.keyId),
      value: item.value,
      firstBlock: item.firstBlock,
      blocks: item.blocks,
    })),
  });
}

/** @throws CodecError when the bytes are not one canonical proposal */
export function decodeProposal(bytes: Uint8Array): Proposal {
  const { batch, owner, number, low, items } = decode(proposalCodec, bytes);
  return {
    batch: toHex(batch),
    owner,
    number,
    low,
    items: items.map(({ output, request, content, key, value, firstBlock, blocks }) => ({
      output,
      requestId: toHex(request),
      contentHash: Uint8Array.from(content),
      keyId: toHex(key),
      value,
      firstBlock,
      blocks,
    })),
  };
}

/** Bundles whose masks hide phases, one per block: the first of a proposal. */
export function maskBundlesOf(items: readonly ProposalItem[]): number {
  return items.reduce((sum, { blocks }) => sum + blocks, 0);
}

/** Bundles whose bits are lent, behind those: item after item, none for public ones. */
export function liftBundlesOf(items: readonly ProposalItem[]): number {
  const lent = ({ output, blocks }: ProposalItem) => (output === 'user' ? Math.ceil(blocks / BLOCKS_PER_LIFT) : 0);
  return items.reduce((sum, item) => sum + lent(item), 0);
}

/** Number of bundles a proposal takes. */
export function bundlesOf(items: readonly ProposalItem[]): number {
  return maskBundlesOf(items) + liftBundlesOf(items);
}

/** The first blocks of the items, as many as `count` bundles serve, and the rest. */
export function splitItems(items: readonly ProposalItem[], count: number): [ProposalItem[], ProposalItem[]] {
  const taken: ProposalItem[] = [];
  const left: ProposalItem[] = [];
  let room = count;
  for (const item of items) {
    const fit = Math.min(item.blocks, blocksIn(item.output, room));
    const first = { ...item, blocks: fit };
    if (fit > 0) taken.push(first);
    if (fit < item.blocks) left.push({ ...item, firstBlock: item.firstBlock + fit, blocks: item.blocks - fit });
    room = fit < item.blocks ? 0 : room - bundlesOf([first]);
  }
  return [taken, left];
}

/** Blocks that so many bundles serve. */
function blocksIn(output: Output, bundles: number): number {
  if (output === 'public') return bundles;
  const group = BLOCKS_PER_LIFT + 1;
  return Math.floor(bundles / group) * BLOCKS_PER_LIFT + Math.max(0, (bundles % group) - 1);
}

/** What parties sign to bind a proposal, and the root of its online session's id. */
export function proposalDigest(encoded: Uint8Array): Uint8Array {
  return digestOf(labels.proposal, encoded);
}

/** The session in which the bound blocks are opened. */
export function onlineSessionId(digest: Uint8Array): SessionId {
  return sessionIdOf(labels.onlineSession, digest);
}

/** The session in which proposals and echoes of one stripe travel. */
export function stripeSessionId(batch: SessionId, owner: PartyId): SessionId {
  return sessionIdOf(labels.stripeSession, fromHex(batch), Uint8Array.of(owner));
}
