/**
 * Virtual time: a binary heap of events ordered by time, then by the order in which they were scheduled. Two runs that
 * schedule the same events run them in the same order. O(log events) per event.
 */
export interface Scheduler {
  now(): number;
  /** Runs `action` at `timeMs`, or next when that has passed. Returns the way to cancel it. */
  at(timeMs: number, action: () => void): () => void;
  /** Advances the clock to the next event and runs it. False when none is left. */
  step(): boolean;
}

interface Event {
  readonly timeMs: number;
  readonly order: number;
  action: (() => void) | undefined; // undefined: cancelled, skipped without moving the clock
}

export function createScheduler(startMs: number): Scheduler {
  const heap: Event[] = [];
  let nowMs = startMs;
  let scheduled = 0;

  return {
    now: () => nowMs,
    at(timeMs, action) {
      const event: Event = { timeMs: Math.max(timeMs, nowMs), order: scheduled++, action };
      push(heap, event);
      return () => {
        event.action = undefined;
      };
    },
    step() {
      for (let event = pop(heap); event; event = pop(heap)) {
        if (!event.action) continue;
        nowMs = event.timeMs;
        event.action();
        return true;
      }
      return false;
    },
  };
}

function before(left: Event, right: Event): boolean {
  return left.timeMs < right.timeMs || (left.timeMs === right.timeMs && left.order < right.order);
}

function push(heap: Event[], event: Event): void {
  let at = heap.length;
  heap.push(event);
  while (at > 0) {
    const parent = (at - 1) >> 1;
    const above = heap[parent];
    if (!above || before(above, event)) break;
    heap[at] = above;
    at = parent;
  }
  heap[at] = event;
}

function pop(heap: Event[]): Event | undefined {
  const first = heap[0];
  const last = heap.pop();
  if (!first || !last || heap.length === 0) return first;
  let at = 0;
  for (;;) {
    const left = heap[2 * at + 1];
    const right = heap[2 * at + 2];
    const child = left && right && before(right, left) ? 2 * at + 2 : 2 * at + 1;
    const below = heap[child];
    if (!below || before(last, below)) break;
    heap[at] = below;
    at = child;
  }
  heap[at] = last;
  return first;
}
