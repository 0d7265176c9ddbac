/**
 * Recomputes the numbers of docs/protocols from the tables the protocols themselves read: counting arguments for every
 * n and t, noise of generated keys exactly, failure of decryption, hardness by slopes, bytes by formula. Ends with
 * status 1 if a bound is violated. `node_modules/.bin/node scripts/soundness.ts`, a few seconds.
 */
import { familyA2, familyC } from '@keyquorum/mpc/prss/family';
import { jointNoise } from '@keyquorum/protocols/keygen/noise';
import { DEFAULT_PARAMETERS, DELTA_LOG2 } from '@keyquorum/tfhe/parameters';
import { table } from './demo/table.ts';
import {
  bootstrappedFailureLog2,
  freshListNoise,
  jointNoiseBits,
  momentsOf,
  sameDistribution,
  sampleDistribution,
  sampleMoments,
  tuniform,
  varianceRatio,
} from './soundness/noise.ts';
import { HARDNESS, securityBits } from './soundness/security.ts';
import { allSizes, brokenArguments, type Size } from './soundness/thresholds.ts';
import { bindingBytes, initBytes, keygenBytes, offlineBytesPerLink, onlineBytesPerLink } from './soundness/traffic.ts';

const SHOWN: readonly Size[] = [
  { n: 4, t: 1 },
  { n: 7, t: 2 },
  { n: 13, t: 4 },
];
/** Smallest bound that takes the hybrid noise, and small enough to list every value. */
const LISTED_BOUND_LOG2 = 8;
const SECURITY_BITS_MIN = 128;
const FAILURE_LOG2_MAX = -128;
const violations: string[] = [];
const say = (text: string): void => console.log(text);

function require(what: string, holds: boolean): void {
  if (!holds) violations.push(what);
}

const nameOf = ({ n, t }: Size): string => `${n}/${t}`;
const kilobytes = (bytes: number): string => (bytes / 1000).toFixed(2);

function checkThresholds(): void {
  const sizes = allSizes();
  for (const size of sizes) for (const claim of brokenArguments(size)) require(`${nameOf(size)}: ${claim}`, false);
  say(`\nCounting arguments: checked for ${sizes.length} sizes, ${sizes.map(nameOf).join(' ')}`);
}

/** Exact distributions at a small bound for every size. */
function checkDistributions(): void {
  for (const size of allSizes()) {
    const sets = familyA2(size).subsets.length;
    const noise = jointNoise(LISTED_BOUND_LOG2, sets);
    const view = sampleDistribution(noise, 1);
    require(`${nameOf(size)}: the honest view is TUniform`, sameDistribution(view, tuniform(LISTED_BOUND_LOG2)));
    const [listed, formula] = [momentsOf(sampleDistribution(noise, sets)), sampleMoments(noise, sets)];
    const equal = listed.mean2 === formula.mean2 && listed.variance12 === formula.variance12;
    require(`${nameOf(size)}: moments by formula and by list`, equal && listed.bound === formula.bound);
  }
  const plain = jointNoise(0, 1);
  require('Test set: plain TUniform', sameDistribution(sampleDistribution(plain, 1), tuniform(0)));
  say(`Exact distributions at bound 2^${LISTED_BOUND_LOG2}: t corrupt parties face TUniform plus an offset they know`);
}

function noiseRow(size: Size): string[] {
  const { pke } = DEFAULT_PARAMETERS;
  const sets = familyA2(size).subsets.length;
  const noise = jointNoise(pke.noiseBoundLog2, sets);
  const { mean2, bound } = sampleMoments(noise, sets);
  const fresh = freshListNoise(DEFAULT_PARAMETERS, noise, sets);
  require(`${nameOf(size)}: mean of the key noise is 0`, mean2 === 0n);
  require(`${nameOf(size)}: no fresh list decrypts wrongly`, fresh.bound < 2n ** BigInt(DELTA_LOG2 - 1));
  return [
    ...[nameOf(size), String(familyC(size).subsets.length), String(sets), String(noise.jointBits)],
    ...[String(jointNoiseBits(DEFAULT_PARAMETERS, noise)), varianceRatio(noise, sets).toFixed(4)],
    ...[Math.log2(Number(bound)).toFixed(2), fresh.standardDeviationLog2.toFixed(2)],
    Math.log2(Number(fresh.bound)).toFixed(2),
  ];
}

function checkNoise(): void {
  const head = ['n/t', 'sets C', 'sets A2', 'h', 'joint bits', 'variance', 'key max', 'fresh sigma', 'fresh max'];
  const rows = allSizes().map(noiseRow);
  say(
    `\nCompact public key, ${DEFAULT_PARAMETERS.kmsName}: variance relative to TUniform(17); others are log2; limit 58`,
  );
  say(table(head, rows));
  const failure = bootstrappedFailureLog2(DEFAULT_PARAMETERS);
  require('bootstrapped values decrypt', failure < FAILURE_LOG2_MAX);
  say(`A block fresh out of a bootstrap (model): wrong with probability 2^${failure.toFixed(0)}`);
}

function checkSecurity(): void {
  const rows = HARDNESS.map((row) => [
    ...[row.part, `${row.dimension}, 2^${row.noiseBoundLog2}, 2^${row.modulusLog2}`, row.generated ? 'yes' : 'no'],
    ...SHOWN.map((size) => {
      const bits = securityBits(row, size.t);
      require(`${nameOf(size)}: security of ${row.part}`, bits >= SECURITY_BITS_MIN);
      return bits.toFixed(1);
    }),
  ]);
  say('\nBits of security, an ESTIMATE BY SLOPES and not a run of a lattice estimator (+-2 bits)');
  say(table(['part', 'dimension, noise, modulus', 'generated', ...SHOWN.map(nameOf)], rows));
}

function printTraffic(): void {
  const [offline, online] = [offlineBytesPerLink(), onlineBytesPerLink()];
  say(`\nPer LWE ciphertext and link: ${offline.toFixed(1)} bytes offline, ${online.toFixed(1)} bytes online`);
  const rows = SHOWN.map((size) => {
    const { propose, echo } = bindingBytes(size);
    const { bits, body } = keygenBytes(DEFAULT_PARAMETERS, size);
    const links = size.n - 1;
    return [
      ...[nameOf(size), kilobytes(links * offline), kilobytes(links * online), kilobytes(propose), kilobytes(echo)],
      ...[kilobytes(bits), kilobytes(body), kilobytes(initBytes(size, 'epoch')), kilobytes(initBytes(size, 'key'))],
    ];
  });
  say('Sent per party, kB: per ciphertext, per proposal of one run, per key (K3, K4), per PRSS-Init');
  say(table(['n/t', 'offline', 'online', 'PROPOSE', 'ECHO', 'key bits', 'key body', 'init', 'key init'], rows));
}

checkThresholds();
checkDistributions();
checkNoise();
checkSecurity();
printTraffic();
for (const violation of violations) console.error(`VIOLATED: ${violation}`);
say(violations.length === 0 ? '\nAll bounds hold.' : `\n${violations.length} bounds violated.`);
process.exitCode = violations.length === 0 ? 0 : 1;
