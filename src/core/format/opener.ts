import { createDecipheriv } from 'node:crypto';
import { BifractError } from '../errors.ts';
import type { ByteCursor } from './byte-cursor.ts';
import { cutOff, damaged, notBifract, wrongKey } from './faults.ts';
import { type Key, secretOf } from './key.ts';
import {
  BASE_BYTES,
  CHUNK_HEAD_BYTES,
  chunkNonce,
  isMarkedBy,
  LENGTH_BYTES,
  MAX_CHUNK_LENGTH,
  TAG_BYTES,
} from './layout.ts';

const STARTS_KEPT = 32;
const NO_FILE = 'This is no Bifract file, or its beginning is destroyed';

/** The plaintext of a chunk (its ciphertext with tag is `sealed`), or undefined where it does not verify. */
export function openChunk(key: Key, nonce: Buffer, sealed: Buffer): Buffer | undefined {
  const decipher = createDecipheriv('aes-256-gcm', secretOf(key), nonce);
  decipher.setAuthTag(sealed.subarray(sealed.length - TAG_BYTES));
  const plain = decipher.update(sealed.subarray(0, sealed.length - TAG_BYTES));
  try {
    decipher.final();
    return plain;
  } catch {
    return undefined;
  }
}

interface StoredChunk {
  at: number;
  nonce: Buffer;
  sealed: Buffer;
}

/** Decrypts a sealed stream, checking everything it says about itself. */
export class Opener {
  readonly base: Buffer;
  /** Whether the base carries the mark of a key of ours: then the file has sealed ends, or is cut off. */
  readonly marked: boolean;
  readonly #stored: ByteCursor;
  readonly #keys: readonly Key[];
  #key: Key | undefined;
  #index = 0;
  #plain = 0;
  // Where the latest chunks begin: of what a reader holds back, no more than a frame's header is older.
  readonly #starts: { plain: number; stored: number }[] = [];

  private constructor(stored: ByteCursor, base: Buffer, keys: readonly Key[]) {
    this.#stored = stored;
    this.base = base;
    this.#keys = keys;
    this.#key = keys.find((key) => isMarkedBy(base, key));
    this.marked = this.#key !== undefined;
  }

  /** Reads the base. Errors: `KEY_MISSING`, `CUT_OFF`. */
  static async open(stored: ByteCursor, keys: readonly Key[]): Promise<Opener> {
    if (keys.length === 0)
      throw new BifractError('KEY_MISSING', 'There is no key to open the file with', {
        hint: 'Set BIFRACT_BACKUP_ENCRYPTION_KEY in .env.',
      });
    if (!(await stored.fill(BASE_BYTES))) {
      throw cutOff(stored.available === 0 ? 'it is empty' : `it has no more than ${stored.available} bytes`);
    }
    return new Opener(stored, stored.take(BASE_BYTES), keys);
  }

  /** The key that opens the file: known once the first chunk was read. */
  get key(): Key {
    if (this.#key === undefined) throw new BifractError('INTERNAL', 'No chunk was read yet');
    return this.#key;
  }

  /** The plaintext, chunk by chunk, up to the end mark. */
  async *chunks(): AsyncGenerator<Buffer> {
    for (;;) {
      const chunk = await this.#next();
      if (chunk === undefined) return;
      const plain = this.#index === 0 ? await this.#openFirst(chunk) : this.#open(chunk);
      if (plain.length > 0) this.#note(chunk.at + CHUNK_HEAD_BYTES, plain.length);
      this.#index++;
      yield plain;
    }
  }

  /** The error for a stream that turned out empty: legal as such, but no file that anybody writes. */
  emptyFault(): BifractError {
    return this.marked ? cutOff('it holds no chunk') : notBifract(`${NO_FILE}: it holds no encrypted data`);
  }

  /** Where in the stored file the byte at `position` of the plaintext is; only for what was read just now. */
  locate(position: number): number {
    const start = this.#starts.findLast(({ plain }) => plain <= position);
    return start === undefined ? BASE_BYTES : start.stored + position - start.plain;
  }

  #note(stored: number, length: number): void {
    this.#starts.push({ plain: this.#plain, stored });
    if (this.#starts.length > STARTS_KEPT) this.#starts.shift();
    this.#plain += length;
  }

  /** The next chunk as stored; undefined for the end mark. */
  async #next(): Promise<StoredChunk | undefined> {
    const at = this.#stored.position;
    if (!(await this.#stored.fill(LENGTH_BYTES))) throw cutOff('it ends before its end mark');
    const length = this.#stored.peek(LENGTH_BYTES).readUInt32BE();
    if (length === 0) {
      this.#stored.take(LENGTH_BYTES);
      return undefined;
    }
    if (length < TAG_BYTES || length > MAX_CHUNK_LENGTH) throw this.#badLength(at, length);
    if (!(await this.#stored.fill(CHUNK_HEAD_BYTES + length))) throw cutOff('it ends inside a chunk');
    const nonce = this.#stored.take(CHUNK_HEAD_BYTES).subarray(LENGTH_BYTES);
    return { at, nonce, sealed: this.#stored.take(length) };
  }

  #badLength(at: number, length: number): BifractError {
    if (this.#index === 0 && !this.marked) return notBifract(NO_FILE);
    return damaged(at, `a chunk cannot be ${length} bytes long`);
  }

  #open(chunk: StoredChunk): Buffer {
    if (!chunk.nonce.equals(chunkNonce(this.base, this.#index))) {
      throw damaged(chunk.at, 'a chunk is not the one that belongs there');
    }
    const plain = openChunk(this.key, chunk.nonce, chunk.sealed);
    if (plain === undefined) throw damaged(chunk.at, 'a chunk does not verify');
    return plain;
  }

  async #openFirst(chunk: StoredChunk): Promise<Buffer> {
    if (this.marked) return this.#open(chunk);
    const due = chunkNonce(this.base, 0);
    if (!chunk.nonce.equals(due)) throw this.#judgeNonce(chunk, due);
    for (const key of this.#keys) {
      const plain = openChunk(key, chunk.nonce, chunk.sealed);
      if (plain === undefined) continue;
      this.#key = key;
      return plain;
    }
    throw await this.#judgeKey(chunk);
  }

  /** A chunk that opens under a nonce that is not its own shows a damaged file; else it may be any file. */
  #judgeNonce(chunk: StoredChunk, due: Buffer): BifractError {
    const opens = this.#keys.some((key) =>
      [due, chunk.nonce].some((nonce) => openChunk(key, nonce, chunk.sealed) !== undefined),
    );
    return opens
      ? damaged(chunk.at, 'the first chunk is not the one that belongs there')
      : notBifract(NO_FILE);
  }

  /** Only a second chunk that opens can tell a damaged first chunk from a wrong key. */
  async #judgeKey(first: StoredChunk): Promise<BifractError> {
    const second = await this.#next().catch(() => undefined);
    const opens =
      second && this.#keys.some((key) => openChunk(key, second.nonce, second.sealed) !== undefined);
    if (opens) return damaged(first.at, 'a chunk does not verify');
    const keys = this.#keys.length === 1 ? 'The key does not open' : 'None of the keys opens';
    return wrongKey(`${keys} this file: it was written under another key, or its first chunk is damaged`);
  }
}
