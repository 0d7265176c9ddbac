/** Spelling of session ids and tags (transport.ts says what they mean). */
import { TAG_LENGTH_MAX } from '../transport.ts';

const SESSION_ID = /^[0-9a-f]{64}$/;
const TAG = new RegExp(`^[\\x20-\\x7e]{1,${TAG_LENGTH_MAX}}$`);

export function isSessionId(text: string): boolean {
  return SESSION_ID.test(text);
}

export function isTag(text: string): boolean {
  return TAG.test(text);
}
