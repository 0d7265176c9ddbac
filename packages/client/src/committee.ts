/** The nodes that are asked, and how much of them may be corrupt. Public configuration; nothing secret. */
import { ClientError } from './errors.ts';

export interface CommitteeNode {
  /** 1-based. */
  readonly party: number;
  /** Base URL of its REST interface, without a path. */
  readonly url: string;
  /** EIP-55 or lower-case address of its secp256k1 key; an answer counts only under this signature. */
  readonly signer: `0x${string}`;
}

export interface Committee {
  readonly nodes: readonly CommitteeNode[];
  readonly threshold: number;
  /** EIP-712 domain of the answers. */
  readonly gatewayChainId: bigint;
  readonly decryptionContract: `0x${string}`;
}

const PARTIES_MAX = 15;

/** The same committee with its nodes in party order. Throws COMMITTEE_INVALID and says which field and why. */
export function requireCommittee(committee: Committee): Committee {
  const { threshold } = committee;
  const nodes = [...committee.nodes].sort((left, right) => left.party - right.party);
  const invalid = (what: string) => new ClientError('COMMITTEE_INVALID', `committee: ${what}`);
  if (!Number.isInteger(threshold) || threshold < 1) throw invalid(`threshold ${threshold}, want an integer >= 1`);
  if (nodes.length < 3 * threshold + 1 || nodes.length > PARTIES_MAX) {
    throw invalid(`${nodes.length} nodes, want ${3 * threshold + 1}..${PARTIES_MAX} for threshold ${threshold}`);
  }
  nodes.forEach(({ party, url, signer }, index) => {
    if (party !== index + 1) throw invalid(`parties must be 1..${nodes.length}, each once; found ${party}`);
    if (!/^0x[0-9a-fA-F]{40}$/.test(signer)) throw invalid(`signer of party ${party} is no address`);
    if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) throw invalid(`url of party ${party}: ${url}`);
  });
  // One key behind two nodes would give one corrupt party two of the t+1 signatures.
  const signers = new Set(nodes.map(({ signer }) => signer.toLowerCase()));
  if (signers.size !== nodes.length) throw invalid('two nodes have the same signer');
  return { ...committee, nodes };
}
