import { createCipheriv, type KeyObject } from 'node:crypto';
import type { Key } from '../../ports/key.ts';
import { freeBuffer } from '../buffers.ts';
import { CHUNK_PLAIN_BYTES, chunkNonce, LENGTH_BYTES, newBase } from './layout.ts';

/** Encrypts a stream into chunks: `push` plaintext, `take` stored bytes. */
export class Sealer {
  readonly base: Buffer;
  /** Plaintext bytes pushed so far. */
  position = 0;
  readonly #secret: KeyObject;
  #chunk = 0;
  readonly #plain = Buffer.allocUnsafe(CHUNK_PLAIN_BYTES);
  #filled = 0;
  #ready: Buffer[];
  #readyBytes: number;
  /** The large parts of what is ready, freed once taken. */
  readonly #sealed: Buffer[] = [];

  /** Pass `base` only for a stream that must not have a key mark. */
  constructor(key: Key, base = newBase(key)) {
    this.#secret = key;
    this.base = base;
    this.#ready = [this.base];
    this.#readyBytes = this.base.length;
  }

  push(bytes: Uint8Array): void {
    this.position += bytes.length;
    for (let done = 0; done < bytes.length; ) {
      const part = bytes.subarray(done, done + CHUNK_PLAIN_BYTES - this.#filled);
      this.#plain.set(part, this.#filled);
      this.#filled += part.length;
      done += part.length;
      if (this.#filled === CHUNK_PLAIN_BYTES) this.#seal();
    }
  }

  /** Seals the remaining bytes and adds the end marker. */
  end(): void {
    if (this.#filled > 0) this.#seal();
    this.#emit(Buffer.alloc(LENGTH_BYTES));
  }

  /** The bytes that are ready, if at least `minimum`. */
  take(minimum: number): Buffer | undefined {
    if (this.#readyBytes === 0 || this.#readyBytes < minimum) return undefined;
    const bytes = Buffer.concat(this.#ready, this.#readyBytes);
    for (const sealed of this.#sealed.splice(0)) freeBuffer(sealed);
    this.#ready = [];
    this.#readyBytes = 0;
    return bytes;
  }

  #seal(): void {
    const nonce = chunkNonce(this.base, this.#chunk++);
    const cipher = createCipheriv('aes-256-gcm', this.#secret, nonce);
    const sealed = cipher.update(this.#plain.subarray(0, this.#filled));
    cipher.final();
    const tag = cipher.getAuthTag();
    const length = Buffer.alloc(LENGTH_BYTES);
    length.writeUInt32BE(sealed.length + tag.length);
    this.#emit(length, nonce, sealed, tag);
    this.#sealed.push(sealed);
    this.#filled = 0;
  }

  #emit(...parts: Buffer[]): void {
    for (const part of parts) {
      this.#ready.push(part);
      this.#readyBytes += part.length;
    }
  }
}
