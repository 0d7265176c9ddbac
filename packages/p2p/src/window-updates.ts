/**
 * Fewer yamux window updates. libp2p's yamux answers every data frame with a window update: a record, a system call and
 * a wake-up at the sender for each message, however short. As in the Go implementation, an update now waits until half
 * the window is used; the sender still has the other half meanwhile.
 */
import type { Stream } from '@libp2p/interface';

/** What is used of @libp2p/yamux 8.0.3 beyond the Stream interface. */
interface YamuxWindow {
  /** Of StreamState: 3 is established; before, an update carries flags of the handshake. */
  readonly state: number;
  readonly recvWindow: number;
  readonly recvWindowCapacity: number;
  sendWindowUpdate(): void;
}

const ESTABLISHED = 3;

/** Changes this one stream. A stream that is not what we know stays as it is. */
export function sendFewerWindowUpdates(stream: Stream): void {
  const target: unknown = stream;
  if (!isYamux(target)) return;
  const update = target.sendWindowUpdate.bind(target);
  target.sendWindowUpdate = () => {
    const used = target.recvWindow - target.recvWindowCapacity;
    if (target.state !== ESTABLISHED || 2 * used >= target.recvWindow) update();
  };
}

function isYamux(target: unknown): target is YamuxWindow {
  const { state, recvWindow, recvWindowCapacity, sendWindowUpdate } = target as Partial<YamuxWindow>;
  const numbers = [state, recvWindow, recvWindowCapacity].every((value) => typeof value === 'number');
  return numbers && typeof sendWindowUpdate === 'function';
}
