/** A reference string in the making, as any client sees it. */
import type { CrsBody } from '@keyquorum/node/rest/schemas';
import { type Rest, waitFor } from './rest.ts';

/** The finished string of this node. Throws with the node's reason when its ceremony did not succeed. */
export function finishedReferenceString(rest: Rest, id: string, withinMs: number): Promise<CrsBody> {
  return waitFor({ what: `reference string ${id.slice(0, 8)} at ${rest.url}`, withinMs }, async () => {
    const crs = await rest.get<CrsBody>(`/v1/crs/${id}`);
    if (crs.error) throw new Error(`${crs.error.code}: ${crs.error.message}`);
    return crs.state === 'succeeded' ? crs : undefined;
  });
}
