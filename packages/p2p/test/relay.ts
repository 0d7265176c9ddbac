/** A TCP relay between a dialer and a party: the network that fails. It can cut connections, or hold all bytes back. */
import { once } from 'node:events';
import { type AddressInfo, createConnection, createServer, type Server, type Socket } from 'node:net';

export class Relay {
  readonly #server: Server;
  readonly #pairs = new Set<readonly [Socket, Socket]>();
  #frozen = false;
  #opened = 0;

  private constructor(port: number) {
    this.#server = createServer((near) => this.#relay(near, port));
  }

  /** Relays to a /ip4/127.0.0.1/tcp/PORT address. */
  static async to(address: string): Promise<Relay> {
    const relay = new Relay(Number(address.split('/')[4]));
    relay.#server.listen(0, '127.0.0.1');
    await once(relay.#server, 'listening');
    return relay;
  }

  get address(): string {
    return `/ip4/127.0.0.1/tcp/${(this.#server.address() as AddressInfo).port}`;
  }

  /** Resolves once `count` connections have been opened since the relay exists. */
  async opened(count: number): Promise<void> {
    while (this.#opened < count) await once(this.#server, 'connection');
  }

  /** Resets the connection at position `choice` modulo the number of open ones. */
  cut(choice: number): boolean {
    const pair = [...this.#pairs][choice % Math.max(1, this.#pairs.size)];
    if (!pair) return false;
    for (const socket of pair) socket.resetAndDestroy();
    return true;
  }

  cutAll(): void {
    for (const pair of this.#pairs) for (const socket of pair) socket.resetAndDestroy();
  }

  /** No byte passes any more, and nobody is told. */
  freeze(): void {
    this.#frozen = true;
    for (const pair of this.#pairs) for (const socket of pair) socket.pause();
  }

  thaw(): void {
    this.#frozen = false;
    for (const pair of this.#pairs) for (const socket of pair) socket.resume();
  }

  async close(): Promise<void> {
    this.cutAll();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #relay(near: Socket, port: number): void {
    this.#opened += 1;
    const far = createConnection(port, '127.0.0.1');
    const pair = [near, far] as const;
    this.#pairs.add(pair);
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      from.setNoDelay(true);
      from.on('data', (bytes) => to.write(bytes));
      from.on('error', () => to.destroy());
      from.on('close', () => {
        to.destroy();
        this.#pairs.delete(pair);
      });
      if (this.#frozen) from.pause();
    }
  }
}
