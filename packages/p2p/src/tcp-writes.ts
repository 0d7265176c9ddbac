/**
 * One system call per write. A record leaves the Noise package as a list (length, ciphertext parts, tag), and libp2p
 * hands every part to the socket on its own: each is a system call, a packet and a wake-up at the receiver. Short lists
 * are joined here, which costs a short copy; long ones go out as they are, all parts with one writev.
 */
import { Socket } from 'node:net';
import { releaseBuffer } from '@keyquorum/kernel/release';
import type { MessageStream } from '@libp2p/interface';
import type { Uint8ArrayList } from 'uint8arraylist';

/** Lists up to this size are joined; at 16 KiB the copy takes about 2 us. */
const JOINED_BYTES_MAX = 16 * 1024;

/** What is used of @libp2p/tcp 11.0.28 beyond the MessageStream interface. */
interface TcpConnection {
  readonly socket: Socket;
  sendData(data: Uint8ArrayList): { readonly sentBytes: number; readonly canSendMore: boolean };
}

/**
 * Changes this one connection, which from now on owns what is sent over it; back-pressure stays as it is, by list
 * instead of by part. False for a connection that is not what we know: it stays unchanged.
 */
export function writeAtOnce(connection: MessageStream): boolean {
  const target: unknown = connection;
  if (!isTcp(target)) return false;
  const { socket } = target;
  target.sendData = (data) => {
    const sentBytes = data.byteLength;
    const canSendMore = sentBytes > JOINED_BYTES_MAX ? writeParts(socket, [...data]) : socket.write(data.subarray());
    return { sentBytes, canSendMore };
  };
  return true;
}

/** The parts are the Noise package's own: once the kernel has them, nobody else looks at them. */
function writeParts(socket: Socket, parts: readonly Uint8Array[]): boolean {
  const release = () => {
    for (const part of parts) releaseBuffer(part);
  };
  let canSendMore = true;
  socket.cork();
  for (const [index, part] of parts.entries()) {
    canSendMore = index === parts.length - 1 ? socket.write(part, release) : socket.write(part);
  }
  socket.uncork();
  return canSendMore;
}

function isTcp(target: unknown): target is TcpConnection {
  const { socket, sendData } = target as Partial<TcpConnection>;
  return socket instanceof Socket && typeof sendData === 'function';
}
