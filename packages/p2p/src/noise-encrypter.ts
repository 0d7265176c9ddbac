/** The Noise encrypter of the mesh: that of the Noise package, with cached cipher keys and less work per record. */
import { type NoiseComponents, noise } from '@chainsafe/libp2p-noise';
import type { ConnectionEncrypter, MessageStream, SecuredConnection } from '@libp2p/interface';
import { cachedKeyCrypto } from './noise-crypto.ts';
import { readRecordsLean } from './noise-records.ts';
import { writeAtOnce } from './tcp-writes.ts';

export function noiseEncrypter(): (components: NoiseComponents) => ConnectionEncrypter {
  const create = noise({ crypto: cachedKeyCrypto() });
  return (components) => {
    const encrypter = create(components);
    const outbound = encrypter.secureOutbound.bind(encrypter);
    const inbound = encrypter.secureInbound.bind(encrypter);
    encrypter.secureOutbound = (connection, options) => lean(connection, (same) => outbound(same, options));
    encrypter.secureInbound = (connection, options) => lean(connection, (same) => inbound(same, options));
    return encrypter;
  };
}

async function lean<Connection extends MessageStream, Secured extends SecuredConnection>(
  connection: Connection,
  secure: (connection: Connection) => Promise<Secured>,
): Promise<Secured> {
  const overTcp = writeAtOnce(connection);
  const secured = await secure(connection);
  if (overTcp) readRecordsLean(secured.connection);
  return secured;
}
