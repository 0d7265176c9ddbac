/** What there is to tell about the nodes of one request, in the order in which it became known. */
import type { NodeVerdict, Report } from './contract.ts';

export interface EventLog {
  /** Names this asking: positions in another one mean other verdicts. */
  readonly run: string;
  readonly verdicts: readonly NodeVerdict[];
  /** Takes what is new in a report. A verdict that changes comes again; at most three times. */
  add(report: Report): void;
}

export function createEventLog(run: string): EventLog {
  const verdicts: NodeVerdict[] = [];
  const told = new Map<string, NodeVerdict>();
  return {
    run,
    verdicts,
    add(report) {
      for (const node of verdictsOf(report)) {
        const key = `${node.slot ?? ''} ${node.party}`;
        const before = told.get(key);
        if (node.verdict === 'pending' || (before?.verdict === node.verdict && before.reason === node.reason)) continue;
        told.set(key, node);
        verdicts.push(node);
      }
    },
  };
}

/** Of all nodes, for every ciphertext of a batch. */
export function verdictsOf({ nodes, slots }: Report): NodeVerdict[] {
  const own = (slots ?? []).flatMap((slot, index) => slot.nodes.map((node) => ({ ...node, slot: index })));
  return [...nodes, ...own];
}

/** Whether some node may still say something. */
export function isOpen(report: Report): boolean {
  return verdictsOf(report).some(({ verdict }) => verdict === 'pending');
}
