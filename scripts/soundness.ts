/**
 * Recomputes the numbers of docs/protocols from the tables the protocols themselves read: counting arguments for every
 * n and t, noise of generated keys exactly, failure by the usual variance formulas, hardness by interpolation, bytes by
 * formula. Ends with status 1 if a limit is broken. `node_modules/.bin/node scripts/soundness.ts`, a few seconds.
 */
import { familyA2, familyC } from '@keyquorum/mpc/prss/family';
import {
  componentNoise,
  type JointNoise,
  jointNoise,
  requireSoundNoise,
  UnsoundSizeError,
} from '@keyquorum/protocols/keygen/noise';
import {
  ALL_PARTS,
  BASE_PARTS,
  componentPlan,
  type KeySetComponent,
  keySetComponents,
  type OptionalPart,
} from '@keyquorum/tfhe/key-set-components';
import { DEFAULT_PARAMETERS, DELTA_LOG2, type ParameterSet, TEST_PARAMETERS } from '@keyquorum/tfhe/parameters';
import { table } from './demo/table.ts';
import { bootstrapPhase, failureLog2, jointVariances, phaseVariance, tuniformVariances } from './soundness/failure.ts';
import { alternatives, brokenLimits, type KeyChoice, qualityOf } from './soundness/limits.ts';
import {
  convolve,
  freshListNoise,
  jointNoiseBits,
  momentsOf,
  sameDistribution,
  sampleDistribution,
  sampleMoments,
  tuniform,
  varianceRatio,
} from './soundness/noise.ts';
import { byLines, bySlope, unknownBoundLog2 } from './soundness/security.ts';
import { allSizes, brokenArguments, type Size } from './soundness/thresholds.ts';
import {
  bindingBytes,
  initBytes,
  type KeygenTraffic,
  keygenTraffic,
  offlineBytesPerLink,
  onlineBytesPerLink,
} from './soundness/traffic.ts';

const SHOWN: readonly Size[] = [
  { n: 4, t: 1 },
  { n: 7, t: 2 },
  { n: 13, t: 4 },
];
/** Small enough to list every value: the smallest bound that takes a hybrid, and one for sums over many sets. */
const LISTED_HYBRID_LOG2 = 8;
const LISTED_PRSS_LOG2 = 1;
/** The model must reproduce what tfhe-rs states for TUniform noise, up to this. */
const MODEL_ERROR_LOG2_MAX = 0.2;
const WITHOUT_COMPRESSION = ALL_PARTS.filter((part) => part !== 'compression');
const EVERY_COMPONENT = keySetComponents(DEFAULT_PARAMETERS, ALL_PARTS);
const violations: string[] = [];
const say = (text: string): void => console.log(text);

function require(what: string, holds: boolean): void {
  if (!holds) violations.push(what);
}

const nameOf = ({ n, t }: Size): string => `${n}/${t}`;
const kilobytes = (bytes: number): string => (bytes / 1000).toFixed(2);
const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(2);
const setsOf = (size: Size): number => familyA2(size).subsets.length;

function checkThresholds(): void {
  const sizes = allSizes();
  for (const size of sizes) for (const claim of brokenArguments(size)) require(`${nameOf(size)}: ${claim}`, false);
  say(`\nCounting arguments: checked for ${sizes.length} sizes, ${sizes.map(nameOf).join(' ')}`);
}

/** Exact distributions at small bounds for every size of a family. */
function checkDistributions(): void {
  for (const sets of new Set(allSizes().map(setsOf))) {
    checkDistribution(`${sets} sets, hybrid`, jointNoise(LISTED_HYBRID_LOG2, sets), sets);
    for (const termsPerSet of [1, 2, 3]) {
      const prss = { boundLog2: LISTED_PRSS_LOG2, jointBits: 0, prssBits: LISTED_PRSS_LOG2 + 1, termsPerSet };
      checkDistribution(`${sets} sets, PRSS alone, ${termsPerSet} terms`, prss, sets);
    }
  }
  const plain = jointNoise(0, 1);
  require('Test set: plain TUniform', sameDistribution(sampleDistribution(plain, 1), tuniform(0)));
  say(
    'Exact distributions: t corrupt parties face TUniform, or a sum of up to three, plus an offset they know; mean 0',
  );
}

function checkDistribution(name: string, noise: JointNoise, sets: number): void {
  const terms = Array.from({ length: noise.termsPerSet }, () => tuniform(noise.boundLog2));
  const unknown = terms.reduce(convolve);
  require(`${name}: the honest view is TUniform`, sameDistribution(sampleDistribution(noise, 1), unknown));
  const [listed, formula] = [momentsOf(sampleDistribution(noise, sets)), sampleMoments(noise, sets)];
  const equal = listed.mean2 === formula.mean2 && listed.variance12 === formula.variance12;
  require(`${name}: moments by formula and by list`, equal && listed.bound === formula.bound);
  require(`${name}: mean 0`, listed.mean2 === 0n);
}

function printComponents(): void {
  const rows = EVERY_COMPONENT.map((plan) => [
    ...[plan.component, String(plan.rowCount * plan.shape.polynomialSize), `2^${plan.noiseBoundLog2}`],
    ...SHOWN.map((size) => noiseCell(plan, setsOf(size))),
  ]);
  say('\nNoise of every component, Default set: bound per set (h: joint bits), total variance relative to TUniform');
  say(table(['component', 'samples', 'bound', ...SHOWN.map((size) => `${nameOf(size)}: ${setsOf(size)} sets`)], rows));
}

function noiseCell(plan: KeySetComponent, sets: number): string {
  const noise = componentNoise(plan, sets);
  const ratio = varianceRatio(plan.noiseBoundLog2, noise, sets);
  const term = `2^${noise.boundLog2}${noise.jointBits > 0 ? ` h=${noise.jointBits}` : ''}`;
  return `${noise.termsPerSet > 1 ? `${noise.termsPerSet} of ` : ''}${term} x${ratio.toFixed(ratio < 1.1 ? 3 : 2)}`;
}

function checkFreshLists(): void {
  const rows = allSizes().map((size) => {
    const plan = componentPlan(DEFAULT_PARAMETERS, 'compact-public-key');
    const sets = setsOf(size);
    const noise = componentNoise(plan, sets);
    const fresh = freshListNoise(DEFAULT_PARAMETERS, noise, sets);
    require(`${nameOf(size)}: no fresh list decrypts wrongly`, fresh.bound < 2n ** BigInt(DELTA_LOG2 - 1));
    return [
      ...[nameOf(size), String(familyC(size).subsets.length), String(sets), String(noise.jointBits)],
      ...[String(jointNoiseBits(plan, noise)), varianceRatio(plan.noiseBoundLog2, noise, sets).toFixed(4)],
      ...[Math.log2(Number(sampleMoments(noise, sets).bound)).toFixed(2), fresh.standardDeviationLog2.toFixed(2)],
      Math.log2(Number(fresh.bound)).toFixed(2),
    ];
  });
  const head = ['n/t', 'sets C', 'sets A2', 'h', 'joint bits', 'variance', 'key max', 'fresh sigma', 'fresh max'];
  say('\nCompact public key, Default set: variance relative to TUniform(17); others are log2; limit 58');
  say(table(head, rows));
}

const choiceFor = (set: ParameterSet, parts: readonly OptionalPart[], familySize: number): KeyChoice => ({
  ...{ set, parts, familySize },
  noiseOf: (plan) => componentNoise(plan, familySize),
});

function accepted(set: ParameterSet, parts: readonly OptionalPart[], familySize: number): boolean {
  try {
    requireSoundNoise(set, keySetComponents(set, parts), familySize);
    return true;
  } catch (error) {
    if (error instanceof UnsoundSizeError) return false;
    throw error;
  }
}

/** What the protocol accepts keeps every limit, and what it refuses could not. */
function checkLimits(): void {
  for (const set of [DEFAULT_PARAMETERS, TEST_PARAMETERS]) {
    for (const parts of [BASE_PARTS, WITHOUT_COMPRESSION, ALL_PARTS]) {
      for (const size of allSizes()) checkSize(choiceFor(set, parts, setsOf(size)), size);
    }
  }
  const model = failureLog2(
    bootstrapPhase(DEFAULT_PARAMETERS, 'bootstrapping-key', tuniformVariances(DEFAULT_PARAMETERS)),
  );
  const stated = DEFAULT_PARAMETERS.log2FailureProbability;
  require('the model gives what tfhe-rs states', Math.abs(model - stated) < MODEL_ERROR_LOG2_MAX);
  say(`\nBootstrap with TUniform noise: the model says 2^${model.toFixed(2)}, tfhe-rs states 2^${stated}`);
}

function checkSize(choice: KeyChoice, size: Size): void {
  const { set, parts, familySize } = choice;
  if (accepted(set, parts, familySize)) {
    for (const limit of brokenLimits(choice)) require(`${nameOf(size)}, ${set.name}: ${limit}`, false);
    return;
  }
  const sound = alternatives(choice, 'compression-packing-key').some((other) => brokenLimits(other).length === 0);
  require(`${nameOf(size)}, ${set.name}: refused for good reason`, !sound);
}

function printQuality(): void {
  const rows = allSizes().map((size) => {
    const sets = setsOf(size);
    const whole = accepted(DEFAULT_PARAMETERS, ALL_PARTS, sets);
    const { failures, squashedNoiseLog2, security } = qualityOf(
      choiceFor(DEFAULT_PARAMETERS, whole ? ALL_PARTS : WITHOUT_COMPRESSION, sets),
    );
    const failure = (operation: string) => failures.get(operation)?.toFixed(1) ?? '';
    return [
      ...[nameOf(size), String(sets), failure('bootstrap after bootstrapping-key')],
      ...[failure('bootstrap after decompression-key'), failure('casting'), failure('decompression')],
      ...[squashedNoiseLog2?.toFixed(2) ?? '', Math.min(...security.values()).toFixed(1)],
    ];
  });
  say('\nDefault set, every size, log2: failure of one operation, squashed noise; least security of all components.');
  say('Empty: the size is refused with compression, and checked without');
  const head = ['n/t', 'sets', 'bootstrap', 'decompressed', 'casting', 'decompression', 'squashed', 'security'];
  say(table(head, rows));
}

function printBootstrap(): void {
  const rows = SHOWN.map((size) => {
    const choice = choiceFor(DEFAULT_PARAMETERS, ALL_PARTS, setsOf(size));
    const variance = jointVariances(choice.set, choice.noiseOf, choice.familySize);
    const phase = bootstrapPhase(choice.set, 'bootstrapping-key', variance);
    const total = phaseVariance(phase);
    const shares = [phase.input, phase.keySwitch, phase.rounding].map((part) => ((100 * part) / total).toFixed(1));
    return [nameOf(size), ...shares, (Math.log2(total) / 2).toFixed(2), (phase.halfStep / Math.sqrt(total)).toFixed(2)];
  });
  say('\nA bootstrap: parts of the variance in %, log2 of the standard deviation, standard deviations to a failure');
  say(table(['n/t', 'blind rotations', 'key switch', 'modulus switch', 'sigma', 'z'], rows));
}

function printSecurity(): void {
  const rows = EVERY_COMPONENT.map((plan) => [
    ...[plan.component, `${plan.shape.dimension * plan.shape.polynomialSize}`, `2^${8 * plan.wordBytes}`],
    ...SHOWN.map((size) => {
      const noise = componentNoise(plan, setsOf(size));
      const [slope, lines] = [bySlope(plan, noise).toFixed(1), byLines(plan, noise).toFixed(1)];
      return `2^${unknownBoundLog2(noise).toFixed(1)}: ${lines} / ${slope}`;
    }),
  ]);
  say('\nBits of security, two ESTIMATES BY INTERPOLATION and not a run of a lattice estimator (+-2 bits):');
  say('bound of the noise nobody else knows, then by lines of least noise / by slopes at published estimates');
  say(table(['component', 'dimension', 'modulus', ...SHOWN.map(nameOf)], rows));
}

function printTraffic(): void {
  const [offline, online] = [offlineBytesPerLink(), onlineBytesPerLink()];
  say(`\nPer LWE ciphertext and link: ${offline.toFixed(1)} bytes offline, ${online.toFixed(1)} bytes online`);
  const rows = SHOWN.map((size) => {
    const { propose, echo } = bindingBytes(size);
    const links = size.n - 1;
    return [
      ...[nameOf(size), kilobytes(links * offline), kilobytes(links * online), kilobytes(propose), kilobytes(echo)],
      ...[kilobytes(initBytes(size, 'epoch')), kilobytes(initBytes(size, 'key'))],
    ];
  });
  say('Sent per party, kB: per ciphertext, per proposal of one run, per PRSS-Init');
  say(table(['n/t', 'offline', 'online', 'PROPOSE', 'ECHO', 'init', 'key init'], rows));
}

const KEYS: readonly [string, ParameterSet, readonly OptionalPart[]][] = [
  ['base', DEFAULT_PARAMETERS, BASE_PARTS],
  ['default', DEFAULT_PARAMETERS, ALL_PARTS],
  ['test', TEST_PARAMETERS, ALL_PARTS],
];

function printKeygenTraffic(): void {
  const rows = KEYS.flatMap(([name, set, parts]) =>
    SHOWN.map((size) => {
      const { keyBits, noiseBits, bitsBytes, bodyBytes }: KeygenTraffic = keygenTraffic(set, parts, size);
      return [name, nameOf(size), String(keyBits), String(noiseBits), megabytes(bitsBytes), megabytes(bodyBytes)];
    }),
  );
  say('\nSent per party in a key generation, MB: joint bits (K3), bodies of all rows through kings (K4)');
  say(table(['key', 'n/t', 'key bits', 'noise bits', 'K3', 'K4'], rows));
}

checkThresholds();
checkDistributions();
printComponents();
checkFreshLists();
checkLimits();
printBootstrap();
printQuality();
printSecurity();
printTraffic();
printKeygenTraffic();
for (const violation of violations) console.error(`VIOLATED: ${violation}`);
say(violations.length === 0 ? '\nAll bounds hold.' : `\n${violations.length} bounds violated.`);
process.exitCode = violations.length === 0 ? 0 : 1;
