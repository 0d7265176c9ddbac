/**
 * What ceremonies make for everybody: keys and their like, named by their digest and read where they are stored. A file
 * of half a gigabyte is never held.
 */

/** An object whose digest is not known yet. */
export interface ReadableObject<Type extends string = string> {
  readonly type: Type;
  /** Of its digest, 8 characters: keeps the digests of different kinds of objects apart. */
  readonly label: string;
  /**
   * Bytes start..end-1, all by default, in pieces of about a MiB.
   * @throws MaterialDamagedError when the disk gives other bytes than were certified, before any of them are yielded
   */
  read(start?: number, end?: number): AsyncGenerator<Uint8Array>;
}

export interface PublicObject<Type extends string = string> extends ReadableObject<Type> {
  /** SHAKE-256 over the label and the bytes, 32 bytes, hex. */
  readonly digest: string;
  readonly size: number;
}

/** The disk has not what was certified: a public object, or what it is made of, is missing or has changed. */
export class MaterialDamagedError extends Error {
  override readonly name = 'MaterialDamagedError';
  readonly code = 'MATERIAL_DAMAGED';
}
