/**
 * The whole way of a value in a browser: encrypted here, decrypted by the nodes for this page alone, and counted only
 * when the shares of 2t+1 nodes agree. TFHE is loaded when something is encrypted; reading needs none of it.
 */
import { type Client, createClient, type NamedInput } from '@keyquorum/client/client';
import { type Network, networkOf } from './network.ts';
import { connectWallet } from './wallet.ts';

/** Whose values they are; a development key asks no contract. */
const CONTRACT = `0x${'c0'.repeat(20)}` as const;
/** How long nodes may take; those that are down are absent then. */
const DEADLINE_MS = 20_000;
const KEPT = 'ciphertexts';

networkOf(location.hash).then(start).catch(show);

function start({ options, keyId }: Network): void {
  const client = (): Client => {
    return createClient({ ...options, apiKey: field('api-key').value, deadlineMs: DEADLINE_MS });
  };
  const kept = sessionStorage.getItem(KEPT); // a page that only reads: reload, and TFHE is not loaded
  let ciphertexts: readonly NamedInput[] = kept ? JSON.parse(kept) : [];

  showNodes(options.nodes.map(({ party, url }) => ({ party, verdict: 'ready', detail: new URL(url).host })));
  on('encrypt', async () => {
    ciphertexts = await encrypt(client(), keyId);
    sessionStorage.setItem(KEPT, JSON.stringify(ciphertexts));
    button('read').disabled = false;
  });
  on('read', async () => read(client(), keyId, ciphertexts));
  button('encrypt').disabled = false;
  button('read').disabled = ciphertexts.length === 0;
}

async function encrypt(client: Client, keyId: string): Promise<NamedInput[]> {
  element('ciphertext').textContent = 'Loading TFHE …';
  const { default: init, CompactCiphertextList, TfheCompactPublicKey } = await import('tfhe');
  await init();
  const started = performance.now();
  const ciphertexts = await client.encrypt({ CompactCiphertextList, TfheCompactPublicKey }, keyId, [
    { fheType: 'uint64', value: BigInt(field('number').value) },
    { fheType: 'bool', value: field('flag').checked ? 1n : 0n },
  ]);
  const kilobytes = ((ciphertexts[0]?.bytes.length ?? 0) * 0.75) / 1_000;
  const ms = Math.round(performance.now() - started);
  element('ciphertext').textContent = `Both in one list of ${kilobytes.toFixed(1)} kB, in ${ms} ms.`;
  return ciphertexts;
}

async function read(client: Client, keyId: string, inputs: readonly NamedInput[]): Promise<void> {
  element('values').textContent = 'Asking the nodes …';
  const wallet = await connectWallet();
  const permit = await client.createPermit({ ...wallet, contractAddresses: [CONTRACT], durationDays: 1 });
  const ciphertexts = inputs.map((input) => ({ ...input, contractAddress: CONTRACT }));
  const decryption = client.decryptForUser(permit, { keyId, ciphertexts });
  const showVerdicts = () => {
    const { nodes } = decryption.report();
    showNodes(nodes.map(({ party, verdict, ms }) => ({ party, verdict, detail: ms === undefined ? '' : `${ms} ms` })));
  };
  try {
    const [number, flag] = await decryption.agreed;
    element('values').replaceChildren(
      bold(`${number?.value}`),
      ' and ',
      bold(`${flag?.value === 1n}`),
      ', for you alone.',
    );
    showVerdicts();
    await decryption.finished;
  } finally {
    showVerdicts();
    permit.dispose(); // erases the private key
  }
}

function showNodes(
  nodes: readonly { readonly party: number; readonly verdict: string; readonly detail: string }[],
): void {
  element('nodes').replaceChildren(
    ...nodes.map(({ party, verdict, detail }) => {
      const item = document.createElement('li');
      item.dataset.verdict = verdict;
      item.append(`node ${party}: ${verdict}`);
      item.append(Object.assign(document.createElement('small'), { textContent: detail }));
      return item;
    }),
  );
}

function bold(text: string): HTMLElement {
  return Object.assign(document.createElement('b'), { textContent: text });
}

/** Runs the work of a form, once at a time, and shows what went wrong. */
function on(form: string, work: () => Promise<void>): void {
  element(form).addEventListener('submit', async (event) => {
    event.preventDefault();
    element('problem').textContent = '';
    button(form).disabled = true;
    await work().catch(show);
    button(form).disabled = false;
  });
}

function show(error: Error & { readonly code?: string }): void {
  element('problem').textContent = [error.code, error.message].filter(Boolean).join(': ');
}

function element(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`the page has no #${id}`);
  return found;
}

function field(id: string): HTMLInputElement {
  return element(id) as HTMLInputElement;
}

function button(form: string): HTMLButtonElement {
  return element(form).querySelector('button') as HTMLButtonElement;
}
