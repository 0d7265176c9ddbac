/**
 * A bounded cursor over bytes: every read checks the remaining length first and nothing is allocated from a declared
 * length. Little endian, fixed width (bincode 1 "fixint"). Costs O(1) per scalar; byte fields are views, not copies.
 */
import { CodecError, type CodecErrorCode } from './error.ts';

/** One step of the path: a field name or the index of an element. */
type Step = string | number;

export class Reader {
  readonly bytes: Uint8Array;
  readonly #view: DataView;
  readonly #path: Step[] = [];
  #offset = 0;

  /** Reads `bytes` in place: views handed out by `take` alias it, so the caller must not change it meanwhile. */
  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get offset(): number {
    return this.#offset;
  }

  get remaining(): number {
    return this.bytes.length - this.#offset;
  }

  u8(): number {
    return this.#view.getUint8(this.#advance(1));
  }

  i8(): number {
    return this.#view.getInt8(this.#advance(1));
  }

  u32(): number {
    return this.#view.getUint32(this.#advance(4), true);
  }

  u64(): bigint {
    return this.#view.getBigUint64(this.#advance(8), true);
  }

  f64(): number {
    return this.#view.getFloat64(this.#advance(8), true);
  }

  /** A u64 that must fit a JavaScript integer and `max`; used for sizes, so refused with CODEC_LENGTH. */
  size(max: number): number {
    const at = this.#advance(8);
    const value = this.#view.getUint32(at, true) + this.#view.getUint32(at + 4, true) * 2 ** 32;
    // Above 2^53 the sum is rounded, but then it is above every permitted max as well.
    if (value > max) throw this.error('CODEC_LENGTH', `got ${value}, want at most ${max}`, at);
    return value;
  }

  /** The next `count` bytes as a view into the input. */
  take(count: number): Uint8Array {
    const at = this.#advance(count);
    return this.bytes.subarray(at, at + count);
  }

  /** Runs `read` with `step` appended to the path that errors report. */
  within<T>(step: Step, read: () => T): T {
    this.#path.push(step);
    const value = read();
    this.#path.pop(); // not in a finally: an error ends this reader and has already used the path
    return value;
  }

  error(code: CodecErrorCode, problem: string, offset = this.#offset): CodecError {
    const path = this.#path.reduce<string>((text, step) => {
      if (typeof step === 'number') return `${text}[${step}]`;
      return text === '' ? step : `${text}.${step}`;
    }, '');
    return new CodecError(code, { offset, path }, problem);
  }

  /** Refuses bytes that follow the value. */
  end(): void {
    if (this.remaining > 0) throw this.error('CODEC_TRAILING', `got ${this.remaining} more bytes, want the end`);
  }

  #advance(count: number): number {
    const at = this.#offset;
    if (count > this.bytes.length - at) {
      throw this.error('CODEC_END', `got the end after ${this.bytes.length - at} bytes, want ${count} bytes`);
    }
    this.#offset = at + count;
    return at;
  }
}
