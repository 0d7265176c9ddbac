/** Who reads: the browser's wallet when there is one, else an account that lives as long as this page. */
import type { PermitOptions } from '@keyquorum/client/permit';
import { createWalletClient, custom, type EIP1193Provider } from 'viem';
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts';

declare global {
  interface Window {
    readonly ethereum?: EIP1193Provider;
  }
}

/** Chain of a page without a wallet; development keys ask no contract who may read. */
const LOCAL_CHAIN = 31_337;

export type Wallet = Pick<PermitOptions, 'userAddress' | 'hostChainId' | 'sign'>;

export async function connectWallet(): Promise<Wallet> {
  if (window.ethereum === undefined) {
    const account = privateKeyToAccount(generatePrivateKey());
    return { userAddress: account.address, hostChainId: LOCAL_CHAIN, sign: (typed) => account.signTypedData(typed) };
  }
  const wallet = createWalletClient({ transport: custom(window.ethereum) });
  const [account] = await wallet.requestAddresses();
  if (account === undefined) throw new Error('the wallet shows no account');
  const hostChainId = await wallet.getChainId();
  return { userAddress: account, hostChainId, sign: (typed) => wallet.signTypedData({ ...typed, account }) };
}
