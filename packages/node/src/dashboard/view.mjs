// @ts-check
/**
 * What the dashboard says, from what the node's API says: words and numbers, without a browser.
 *
 * @import { CeremonyBody, CrsBody, EvidenceBody, Status } from '../rest/schemas.ts'
 */

/**
 * @typedef {object} Snapshot
 * @property {Status} status
 * @property {readonly CeremonyBody[]} ceremonies
 * @property {readonly CrsBody[]} referenceStrings
 * @property {readonly EvidenceBody[]} evidence
 *
 * @typedef {'good' | 'bad' | 'busy' | 'quiet'} Tone
 *
 * @typedef {object} Cell
 * @property {string} text
 * @property {Tone} [tone]
 * @property {number} [progress] from 0 to 1
 *
 * @typedef {object} Concern
 * @property {string} what
 * @property {string} advice
 */

const DAY_MS = 86_400_000;
/** @type {readonly CeremonyBody['kind'][]} */
const REPEATED = ['preprocessing', 'epoch'];
/** Ceremonies of a table. */
const ROWS_MAX = 12;
const DIGITS = 8;

/** @type {Readonly<Record<CeremonyBody['kind'], string>>} */
const KINDS = { epoch: 'epoch', keygen: 'key', crs: 'reference string', preprocessing: 'material' };
/** @type {Readonly<Record<CeremonyBody['state'], Tone>>} */
const TONES = { pending: 'busy', running: 'busy', succeeded: 'good', failed: 'bad', aborted: 'quiet' };

/** @param {Status} status */
export function titleOf({ party, parties, threshold, network }) {
  return `Keyquorum, party ${party} of ${parties}, t = ${threshold}${network && `, ${network}`}`;
}

/** @param {Status} status @returns {Cell} */
export function stateOf({ ready, reason }) {
  return ready ? { text: 'ready', tone: 'good' } : { text: `not ready: ${reason}`, tone: 'bad' };
}

/** @param {Status} status @returns {[string, string][]} */
export function factsOf({ networkDigest, epoch, signer, version, uptimeSeconds }) {
  return [
    ['network digest', networkDigest.slice(0, DIGITS)],
    ['epoch', epoch === 0 ? 'none yet' : String(epoch)],
    ['signer', signer],
    ['version', version],
    ['up for', duration(uptimeSeconds)],
  ];
}

/**
 * What an operator should know of, most urgent first.
 *
 * @param {Snapshot} snapshot
 * @param {number} nowMs
 * @returns {Concern[]}
 */
export function concernsOf({ status, ceremonies, evidence }, nowMs) {
  const { faults, ready, reason, peers, pool, material } = status;
  const { damaged, s3 } = material;
  return [
    ...when(faults, 'this node was told to misbehave', 'restart it without --fault'),
    ...when(!ready, `not ready: ${reason}`, 'it answers no decryption until it is'),
    ...evidence.map(({ party, kind, step }) => ({
      what: `party ${party} is proven corrupt: ${kind} in ${step}`,
      advice: 'keep the file of /v1/evidence and let others check it: keyquorum verify-evidence',
    })),
    ...peers
      .filter(({ up }) => !up)
      .map(({ party, problem }) => ({
        what: `no link to party ${party}${problem && `: ${problem}`}`,
        advice: 'decryption goes on with n-t nodes; new material and keys wait for it',
      })),
    ...when(pool.available === 0 && pool.target > 0, `no material: ${pool.reason}`, 'nothing can be decrypted'),
    ...when(damaged.length > 0, `${damaged.length} public objects are damaged`, 'peers are asked for what is missing'),
    ...when(!!s3?.problem, `publishing fails: ${s3?.problem}`, 'check [material.s3] of node.toml and the storage'),
    ...failuresOf(ceremonies, nowMs),
  ];
}

/**
 * What failed within a day, alike failures together. What nodes try again by themselves, and has worked since, is no
 * failure any more.
 *
 * @param {readonly CeremonyBody[]} ceremonies
 * @param {number} nowMs
 * @returns {Concern[]}
 */
function failuresOf(ceremonies, nowMs) {
  const newest = ceremonies.toSorted((one, other) => other.changedMs - one.changedMs);
  /** @param {CeremonyBody} ceremony */
  const hasWorkedSince = ({ kind, changedMs }) => {
    const last = newest.find((each) => each.kind === kind && each.state === 'succeeded');
    return REPEATED.includes(kind) && last !== undefined && last.changedMs > changedMs;
  };
  const failed = newest.filter((each) => {
    return each.state === 'failed' && nowMs - each.changedMs < DAY_MS && !hasWorkedSince(each);
  });
  const alike = Map.groupBy(failed, ({ kind, error }) => `${kind} ${error?.code}`);
  return [...alike.values()].flatMap(([last, ...earlier]) => {
    if (last?.error === undefined) return [];
    const { id, kind, error } = last;
    const more = earlier.length > 0 ? `; ${earlier.length} more like it` : '';
    return [{ what: `${KINDS[kind]} ${short(id)} failed: ${error.code}`, advice: `${error.message}${more}` }];
  });
}

/** @param {boolean} holds @param {string} what @param {string} advice @returns {Concern[]} */
function when(holds, what, advice) {
  return holds ? [{ what, advice }] : [];
}

/** @param {Status} status @returns {Cell} */
export function poolOf({ pool: { available, target, refillPerSecond, reason } }) {
  const isFilling = available < target && refillPerSecond > 0;
  const speed = isFilling ? `, ${Math.round(refillPerSecond)} a second are made` : '';
  const text = `${available} of ${target} blocks${speed}${reason && `; ${reason}`}`;
  return { text, progress: target === 0 ? 1 : Math.min(1, available / target) };
}

/** @param {Status} status @returns {Cell[][]} */
export function peerRows({ peers }) {
  return peers.map(({ party, up, address, latencyMs, problem }) => [
    { text: `party ${party}` },
    up ? { text: 'up', tone: 'good' } : { text: 'down', tone: 'bad' },
    { text: up && latencyMs !== null ? `${latencyMs.toFixed(1)}\u00a0ms` : '' },
    { text: address, tone: 'quiet' },
    { text: problem },
  ]);
}

/**
 * The newest first. Material is made all the time: of that only what runs, fails, or was last.
 *
 * @param {Snapshot} snapshot
 * @param {number} nowMs
 * @returns {Cell[][]}
 */
export function ceremonyRows({ ceremonies }, nowMs) {
  const newest = ceremonies.toSorted((one, other) => other.startedMs - one.startedMs);
  const lastMade = newest.find(({ kind, state }) => kind === 'preprocessing' && state === 'succeeded');
  const shown = newest.filter((each) => {
    return each.kind !== 'preprocessing' || each.state !== 'succeeded' || each === lastMade;
  });
  return shown
    .slice(0, ROWS_MAX)
    .map((ceremony) => [
      { text: `${KINDS[ceremony.kind]} ${short(ceremony.id)}` },
      { text: ceremony.state, tone: TONES[ceremony.state] },
      progressOf(ceremony),
      { text: `${duration((nowMs - ceremony.startedMs) / 1_000)} ago`, tone: 'quiet' },
    ]);
}

/** @param {CeremonyBody} ceremony @returns {Cell} */
function progressOf({ state, phase, done, total, etaSeconds, waitingFor, error }) {
  if (error !== undefined) return { text: `${error.code}: ${error.message}` };
  if (state !== 'running') return { text: '' };
  const left = etaSeconds === null ? '' : `, ${duration(etaSeconds)} left`;
  const waits = waitingFor.length === 0 ? '' : `, waits for party ${waitingFor.join(', ')}`;
  return { text: `${phase}${left}${waits}`, ...(total > 0 && { progress: Math.min(1, done / total) }) };
}

/** @param {Snapshot} snapshot @returns {Cell[][]} */
export function keyRows({ status: { keys }, referenceStrings }) {
  const made = referenceStrings.filter(({ state }) => state === 'succeeded');
  return [
    ...keys.map(({ id, purpose, parameters }) => [
      { text: id },
      { text: `key, ${parameters}, ${purpose}` },
      { text: '' },
    ]),
    ...made.map(({ requestId, maxBits, contributors }) => [
      { text: requestId },
      { text: `reference string, ${maxBits} bits` },
      { text: `contributed: party ${contributors.join(', ')}` },
    ]),
  ];
}

/** @param {string} id */
function short(id) {
  return id.slice(0, DIGITS);
}

/** @param {number} seconds */
function duration(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3_600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  if (whole < 86_400) return `${Math.floor(whole / 3_600)} h ${Math.floor((whole % 3_600) / 60)} min`;
  return `${Math.floor(whole / 86_400)} d ${Math.floor((whole % 86_400) / 3_600)} h`;
}
