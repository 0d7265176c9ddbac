/**
 * Gives the memory of large byte arrays back as soon as nobody reads them, instead of leaving it to the garbage
 * collector.
 *
 * V8 answers each few ten MB of dead buffers with a collection of its whole heap, and bulk work leaves several GB of
 * them behind: of links ciphertext, what the socket read, plaintext; of a key generation the shares of every row. The
 * collections took half the processor time of a bulk transfer and a quarter of a key generation's. Detaching a buffer
 * frees it at once, in 0.4 us, and the next one finds its memory still warm.
 *
 * Only the last reader may do this: afterwards every view of the buffer is empty. How a caller knows is said there.
 */

/** Smaller buffers are left alone: collecting them is cheap. */
const RELEASED_BYTES_MIN = 16 * 1024;

/** Releases the buffer behind `bytes` if they begin at most `startMax` bytes after its start and reach to its end. */
export function releaseBuffer(bytes: Uint8Array, startMax = 0): void {
  const { buffer, byteOffset, byteLength } = bytes;
  if (!(buffer instanceof ArrayBuffer) || buffer.byteLength < RELEASED_BYTES_MIN) return;
  if (byteOffset <= startMax && byteOffset + byteLength === buffer.byteLength) buffer.transfer(0);
}

/** Zeroes secret bytes of any length, then releases their buffer. */
export function eraseBuffer(secret: Uint8Array): void {
  secret.fill(0);
  releaseBuffer(secret);
}
