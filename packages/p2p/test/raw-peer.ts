/** A peer that speaks libp2p and knows the frames, but keeps to no rule: for tests of what a bad peer can do. */
import type { Connection, Stream } from '@libp2p/interface';
import { multiaddr } from '@multiformats/multiaddr';
import type { Libp2p } from 'libp2p';
import { decodeHello, encodeHello, FrameReader, type Hello } from '../src/frames.ts';
import { createNode, peerIdOf } from '../src/libp2p-node.ts';
import { Log, publicKeyOf, seedOf } from './meshes.ts';

export class RawStream {
  readonly frames = new Log<Buffer>();
  readonly closed = new Log<true>();
  readonly #stream: Stream;

  constructor(stream: Stream) {
    this.#stream = stream;
    const reader = new FrameReader((frame) => this.frames.add(Buffer.from(frame)));
    stream.addEventListener('message', ({ data }) => {
      for (const chunk of data instanceof Uint8Array ? [data] : data) reader.push(chunk);
    });
    stream.addEventListener('close', () => this.closed.add(true));
  }

  send(bytes: Uint8Array): void {
    this.#stream.send(bytes);
  }

  async hello(): Promise<Hello> {
    return decodeHello((await this.frames.find(() => true)).subarray(1));
  }

  /** Answers the peer's HELLO with a matching one, changed as asked. */
  async greet(changes: Partial<Hello> = {}): Promise<void> {
    const { from, to, ...same } = await this.hello();
    const own = { ...same, from: to, to: from, epoch: '77'.repeat(8), heardEpoch: '00'.repeat(8), heardSeq: 0 };
    this.send(encodeHello({ ...own, ...changes }));
  }
}

export class RawPeer {
  readonly node: Libp2p;

  private constructor(node: Libp2p) {
    this.node = node;
  }

  /** A node with the test identity of `party`; its gater admits everybody. */
  static async create(party: number): Promise<RawPeer> {
    const node = await createNode({
      secretKey: seedOf(party),
      listen: '/ip4/127.0.0.1/tcp/0',
      peerCount: 4,
      dialMsMax: 3000,
      exchangesMax: 16,
      admit: () => ({ admitted: true }),
      onRefused: () => undefined,
    });
    return new RawPeer(node);
  }

  get address(): string {
    return this.node
      .getMultiaddrs()[0]!
      .toString()
      .replace(/\/p2p\/.*/, '');
  }

  connect(address: string, party: number): Promise<Connection> {
    const target = multiaddr(`${address}/p2p/${peerIdOf(publicKeyOf(seedOf(party)))}`);
    return this.node.dial(target, { force: true, signal: AbortSignal.timeout(3000) });
  }

  async open(address: string, party: number, protocol: string): Promise<RawStream> {
    const connection = await this.connect(address, party);
    return new RawStream(await connection.newStream(protocol, { signal: AbortSignal.timeout(3000) }));
  }

  openLane(address: string, party: number, lane: 'control' | 'bulk'): Promise<RawStream> {
    return this.open(address, party, `/keyquorum/link/${lane}/1`);
  }

  async stop(): Promise<void> {
    await this.node.stop();
  }
}
