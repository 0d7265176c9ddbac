/**
 * The Noise encrypter of the mesh: that of the Noise package, with cached cipher keys and one socket write per small
 * record.
 *
 * A record leaves the Noise package as a list (length, ciphertext parts, tag), and the TCP transport writes every part
 * on its own: a round message of 100 bytes costs two or more system calls and as many wake-ups at the receiver. Joining
 * small records before they are written costs a short copy. Large records stay lists: there the copy would be dear.
 */
import { type NoiseComponents, noise } from '@chainsafe/libp2p-noise';
import type { ConnectionEncrypter, MessageStream } from '@libp2p/interface';
import { cachedKeyCrypto } from './noise-crypto.ts';

/** Records up to this size are joined; at 16 KiB the copy (about 2 us) equals the write it saves. */
const JOINED_BYTES_MAX = 16 * 1024;

export function noiseEncrypter(): (components: NoiseComponents) => ConnectionEncrypter {
  const create = noise({ crypto: cachedKeyCrypto() });
  return (components) => {
    const encrypter = create(components);
    const outbound = encrypter.secureOutbound.bind(encrypter);
    const inbound = encrypter.secureInbound.bind(encrypter);
    encrypter.secureOutbound = (connection, options) => outbound(joinSmallWrites(connection), options);
    encrypter.secureInbound = (connection, options) => inbound(joinSmallWrites(connection), options);
    return encrypter;
  };
}

/** Replaces `send` of this one connection; everything else, back-pressure too, stays as it is. */
function joinSmallWrites<Connection extends MessageStream>(connection: Connection): Connection {
  const send = connection.send.bind(connection);
  connection.send = (data) =>
    send(data instanceof Uint8Array || data.byteLength > JOINED_BYTES_MAX ? data : data.subarray());
  return connection;
}
