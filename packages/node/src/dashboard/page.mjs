// @ts-check
/**
 * The dashboard in the browser: asks the node it came from what everybody may know, and shows it. Nothing that the node
 * says becomes markup.
 *
 * @import { CeremonyBody, CrsBody, EvidenceBody, Status } from '../rest/schemas.ts'
 * @import { Cell, Snapshot } from './view.mjs'
 */
import { ceremonyRows, concernsOf, factsOf, keyRows, peerRows, poolOf, stateOf, titleOf } from './view.mjs';

const EVERY_MS = 2_000;
/** A node that is this late does not answer. */
const TIMEOUT_MS = 10_000;

let answeredMs = Date.now();

/** @param {string} path @returns {Promise<unknown>} */
async function get(path) {
  const response = await fetch(path, { signal: AbortSignal.timeout(TIMEOUT_MS) });
  if (!response.ok) throw new Error(`${path} answers ${response.status}`);
  return response.json();
}

/** @returns {Promise<Snapshot>} */
async function snapshot() {
  const [status, { ceremonies }, { referenceStrings }, { evidence }] = await Promise.all([
    /** @type {Promise<Status>} */ (get('v1/status')),
    /** @type {Promise<{ ceremonies: CeremonyBody[] }>} */ (get('v1/ceremonies')),
    /** @type {Promise<{ referenceStrings: CrsBody[] }>} */ (get('v1/crs')),
    /** @type {Promise<{ evidence: EvidenceBody[] }>} */ (get('v1/evidence')),
  ]);
  return { status, ceremonies, referenceStrings, evidence };
}

/** @param {string} id @param {readonly (Node | string)[]} content */
function fill(id, ...content) {
  document.getElementById(id)?.replaceChildren(...content);
}

/** @param {string} tag @param {Cell} cell @param {readonly (Node | string)[]} more */
function element(tag, { text, tone, progress }, ...more) {
  const made = document.createElement(tag);
  if (tone !== undefined) made.dataset.tone = tone;
  if (progress !== undefined) {
    const bar = document.createElement('progress');
    bar.value = progress;
    bar.ariaLabel = text;
    made.append(bar);
  }
  made.append(text, ...more);
  return made;
}

/** @param {readonly Cell[][]} rows @param {string} none */
function table(rows, none) {
  if (rows.length === 0) return element('p', { text: none, tone: 'quiet' });
  return element('table', { text: '' }, ...rows.map((row) => element('tr', { text: '' }, ...row.map(cellOf))));
}

/** @param {Cell} cell */
const cellOf = (cell) => element('td', cell);

/** @param {Snapshot} shown */
function show(shown) {
  const { status } = shown;
  const nowMs = Date.now();
  document.title = `${status.ready ? '' : '(!) '}party ${status.party}`;
  fill('title', titleOf(status));
  fill('state', element('span', stateOf(status)));
  const facts = factsOf(status).map(([name, text]) => {
    return element('div', { text: '' }, element('dt', { text: name }), element('dd', { text }));
  });
  fill('facts', ...facts);
  const concerns = concernsOf(shown, nowMs).map(({ what, advice }) => {
    return element('li', { text: what, tone: 'bad' }, element('div', { text: advice, tone: 'quiet' }));
  });
  fill('concerns', ...(concerns.length > 0 ? concerns : [element('li', { text: 'nothing', tone: 'good' })]));
  fill('pool', element('div', poolOf(status)));
  fill('peers', table(peerRows(status), 'none'));
  fill('ceremonies', table(ceremonyRows(shown, nowMs), 'none since this node was set up'));
  fill('keys', table(keyRows(shown), 'none yet: keyquorum keygen'));
}

/** @param {unknown} error */
function showSilence(error) {
  const seconds = Math.round((Date.now() - answeredMs) / 1_000);
  document.title = '(!) no answer';
  fill('state', element('span', { text: `no answer for ${seconds} s: ${error}`, tone: 'bad' }));
}

async function refresh() {
  try {
    show(await snapshot());
    answeredMs = Date.now();
  } catch (error) {
    showSilence(error);
  }
  setTimeout(refresh, EVERY_MS);
}

refresh();
