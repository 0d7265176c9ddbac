/** What the parties of a key generation agree on before they begin, as bytes: hashed into the id of its session. */
import { decode, encode, u8 } from '@keyquorum/codec/codec';
import { struct } from '@keyquorum/codec/composites';
import type { KeySetName } from '@keyquorum/tfhe/key-sets';
import type { KeygenRequest, KeyPurpose } from '../services.ts';

export type KeygenContent = Pick<KeygenRequest, 'parameters' | 'purpose'>;

const PARAMETERS: readonly KeySetName[] = ['default', 'test', 'base'];
const PURPOSES: readonly KeyPurpose[] = ['development', 'production'];

const contentCodec = struct({ parameters: u8, purpose: u8 });

export function encodeContent({ parameters, purpose }: KeygenContent): Uint8Array {
  return encode(contentCodec, { parameters: PARAMETERS.indexOf(parameters), purpose: PURPOSES.indexOf(purpose) });
}

/** @throws CodecError or RangeError when the bytes are no known choice */
export function decodeContent(content: Uint8Array): KeygenContent {
  const fields = decode(contentCodec, content);
  const parameters = PARAMETERS[fields.parameters];
  const purpose = PURPOSES[fields.purpose];
  if (parameters === undefined || purpose === undefined) throw new RangeError('unknown parameters or purpose');
  return { parameters, purpose };
}
