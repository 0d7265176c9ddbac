/** The points of a proof of encryption, checked to lie in their groups. Names are those of tfhe-zk-pok. */
import type { Bls446 } from '@keyquorum/kernel/bls446';
import { G1_BYTES, type G1Points, G2_BYTES, type G2Points } from '@keyquorum/kernel/bls446-encoding';
import { KernelError } from '@keyquorum/kernel/errors';
import type { CompactPkeProof } from '@keyquorum/tfhe/schema/proof';
import { EncryptionProofError } from '../crs-error.ts';
import { g1FromFile, g2FromFile } from '../file-points.ts';
import { g1At, g2At } from '../state.ts';
import type { HashConfig } from './statement.ts';

const G1_NAMES = ['cE', 'cRTilde', 'cR', 'cY', 'cH1', 'cH2', 'pi', 'piKzg'] as const;
const G2_NAMES = ['cHatE', 'cHatBin', 'cHatT'] as const;

/** One point each. */
export type ProofPoints = Readonly<Record<(typeof G1_NAMES)[number], G1Points>> &
  Readonly<Record<(typeof G2_NAMES)[number], G2Points>>;

export interface EncryptionProof extends ProofPoints {
  /** Sums that the prover has computed for the verifier; without them the verifier does. */
  readonly sums: { readonly cHatH3: G2Points; readonly cHatW: G2Points } | undefined;
  readonly hashConfig: HashConfig;
}

type Hashing = CompactPkeProof['value']['value']['hashing']['kind'];

/** The older ways leave out of some challenges what the prover chose before them. */
const HASH_CONFIGS: Readonly<Record<Hashing, HashConfig | undefined>> = {
  ...{ BackwardCompat: undefined, Classical: undefined, V0_4_0: undefined },
  ...{ Compact: 'V0_7_0', V0_7_0: 'V0_7_0', V0_8_0: 'V0_8_0' },
};

/** @throws EncryptionProofError PROOF_MALFORMED, PROOF_UNSUPPORTED */
export function encryptionProof({ g1, g2 }: Bls446, { value: { value: proof } }: CompactPkeProof): EncryptionProof {
  const { hashing, computeLoad } = proof;
  const hashConfig = HASH_CONFIGS[hashing.kind];
  if (hashConfig === undefined) {
    const problem = `hashed the way of tfhe-zk-pok before 0.7 (${hashing.kind}): prove with tfhe-rs 1.3 or newer`;
    throw new EncryptionProofError('PROOF_UNSUPPORTED', problem);
  }
  const sums = computeLoad === null ? [] : [computeLoad.cHatH3, computeLoad.cHatW];
  const points = inKernelForm(() => ({
    g1: g1FromFile(G1_NAMES.map((name) => proof[name])),
    g2: g2FromFile([...G2_NAMES.map((name) => proof[name]), ...sums]),
  }));
  if (g1.firstOutsideSubgroup(points.g1) >= 0 || g2.firstOutsideSubgroup(points.g2) >= 0) {
    throw new EncryptionProofError('PROOF_MALFORMED', 'a point of the proof is not in its group');
  }
  const [cE, cRTilde, cR, cY, cH1, cH2, pi, piKzg] = cut(points.g1, G1_BYTES, g1At);
  const [cHatE, cHatBin, cHatT, cHatH3, cHatW] = cut(points.g2, G2_BYTES, g2At);
  return {
    ...{ cE: cE!, cRTilde: cRTilde!, cR: cR!, cY: cY!, cH1: cH1!, cH2: cH2!, pi: pi!, piKzg: piKzg! },
    ...{ cHatE: cHatE!, cHatBin: cHatBin!, cHatT: cHatT! },
    ...{ sums: cHatH3 && cHatW && { cHatH3, cHatW }, hashConfig },
  };
}

function cut<P extends Uint8Array>(points: P, pointBytes: number, at: (points: P, index: number) => P): P[] {
  return Array.from({ length: points.length / pointBytes }, (_, index) => at(points, index));
}

function inKernelForm<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof KernelError)) throw error;
    throw new EncryptionProofError('PROOF_MALFORMED', `proof: ${error.message}`, { cause: error });
  }
}
