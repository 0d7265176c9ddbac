/** Reads numbers out of a node's `/metrics` (Prometheus text format). */
import type { Rest } from '../network/rest.ts';

/** Sum over all series of that name whose labels contain the given text. */
export function metricSum(text: string, name: string, label = ''): number {
  const series = text.split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
  if (series.length === 0) throw new Error(`no metric ${name}`);
  return series
    .filter((line) => line.includes(label))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}

export async function metricsOf(rest: Rest): Promise<string> {
  return new TextDecoder().decode(await rest.bytes('/metrics'));
}
