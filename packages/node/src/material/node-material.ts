/**
 * The node as a place of public objects, and the one that is always there. An object is not stored as such but read out
 * of the bodies that the ceremony left on disk, so half a gigabyte is there once, and nothing is to be put.
 */
import type { Services } from '@keyquorum/protocols/services';
import { ApiError } from '../errors/api-error.ts';
import type { MaterialStore } from './material-store.ts';

/** `url`: of this node's REST API, without a slash at the end. */
export function createNodeMaterial({ material }: Pick<Services, 'material'>, url: () => string): MaterialStore {
  const present = (digest: string) => {
    const object = material(digest);
    if (object === undefined) throw new ApiError('MATERIAL_UNKNOWN', `no public object ${digest} here`);
    return object;
  };
  return {
    uri: (digest) => `${url()}/v1/material/${digest}`,
    async find(digest) {
      const object = material(digest);
      return object && { size: object.size, version: digest };
    },
    async put({ digest }) {
      present(digest);
    },
    read: (digest, { start, end } = {}) => present(digest).read(start, end),
  };
}
