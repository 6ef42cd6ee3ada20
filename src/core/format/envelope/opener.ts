import { createDecipheriv } from 'node:crypto';
import { BifractError } from '../../contract/errors.ts';
import type { Key } from '../../ports/key.ts';
import { cutOff, damaged, notBifract, wrongKey } from '../errors.ts';
import { ByteCursor } from './byte-cursor.ts';
import {
  BASE_BYTES,
  CHUNK_HEAD_BYTES,
  chunkNonce,
  hasKeyMark,
  LENGTH_BYTES,
  MAX_CHUNK_LENGTH,
  TAG_BYTES,
} from './layout.ts';

const MAX_STARTS = 32;
const NOT_A_BIFRACT_FILE = 'Not a Bifract file, or its start is damaged';

export interface ReadOptions {
  /** The keys to try. The one matching the file's key mark is used, or else the one that opens the first chunk. */
  keys: readonly Key[];
  signal?: AbortSignal;
}

/**
 * The plaintext of a sealed stream. Verifies the encryption only: a stream cut between two chunks is not detected.
 * Same errors as `readContent`.
 */
export async function* readStream(
  bytes: AsyncIterable<Uint8Array>,
  { keys, signal }: ReadOptions,
): AsyncGenerator<Buffer> {
  const stored = new ByteCursor(bytes);
  try {
    for await (const chunk of (await Opener.open(stored, keys)).chunks()) {
      signal?.throwIfAborted();
      yield chunk;
    }
  } finally {
    await stored.close();
  }
}

interface StoredChunk {
  at: number;
  nonce: Buffer;
  sealed: Buffer;
}

/** Decrypts and verifies a sealed stream. */
export class Opener {
  readonly base: Buffer;
  /** Whether the base has the key mark of a given key: then the file has a head and trailer, or is cut off. */
  readonly hasKeyMark: boolean;
  readonly #stored: ByteCursor;
  readonly #keys: readonly Key[];
  #key: Key | undefined;
  #index = 0;
  #plain = 0;
  // Starts of the latest chunks; enough for `locate`, as readers look back by a frame header at most.
  readonly #starts: { plain: number; stored: number }[] = [];

  private constructor(stored: ByteCursor, base: Buffer, keys: readonly Key[]) {
    this.#stored = stored;
    this.base = base;
    this.#keys = keys;
    this.#key = keys.find((key) => hasKeyMark(base, key));
    this.hasKeyMark = this.#key !== undefined;
  }

  /** Reads the base. Errors: `KEY_MISSING`, `CUT_OFF`. */
  static async open(stored: ByteCursor, keys: readonly Key[]): Promise<Opener> {
    if (keys.length === 0)
      throw new BifractError('KEY_MISSING', 'No encryption key is set', {
        hint: 'Set BIFRACT_BACKUP_ENCRYPTION_KEY in .env.',
      });
    if (!(await stored.fill(BASE_BYTES))) {
      throw cutOff(stored.available === 0 ? 'it is empty' : `it has only ${stored.available} bytes`);
    }
    return new Opener(stored, stored.take(BASE_BYTES), keys);
  }

  /** The key that opens the file; known once the first chunk has been read. */
  get key(): Key {
    if (this.#key === undefined) throw new BifractError('INTERNAL', 'No chunk has been read');
    return this.#key;
  }

  /** The plaintext, chunk by chunk, up to the end marker. */
  async *chunks(): AsyncGenerator<Buffer> {
    for (;;) {
      const chunk = await this.#next();
      if (chunk === undefined) return;
      const plain = this.#index === 0 ? await this.#openFirst(chunk) : this.#open(chunk);
      if (plain.length > 0) this.#remember(chunk.at + CHUNK_HEAD_BYTES, plain.length);
      this.#index++;
      yield plain;
    }
  }

  /** The error for an empty stream: valid, but no writer produces it. */
  emptyError(): BifractError {
    return this.hasKeyMark
      ? cutOff('it has no chunks')
      : notBifract(`${NOT_A_BIFRACT_FILE}: it contains no encrypted data`);
  }

  /** Offset in the stored file of the plaintext byte at `position`; for recently read bytes only. */
  locate(position: number): number {
    const start = this.#starts.findLast(({ plain }) => plain <= position);
    return start === undefined ? BASE_BYTES : start.stored + position - start.plain;
  }

  #remember(stored: number, length: number): void {
    this.#starts.push({ plain: this.#plain, stored });
    if (this.#starts.length > MAX_STARTS) this.#starts.shift();
    this.#plain += length;
  }

  /** The next chunk as stored; undefined at the end marker. */
  async #next(): Promise<StoredChunk | undefined> {
    const at = this.#stored.position;
    if (!(await this.#stored.fill(LENGTH_BYTES))) throw cutOff('the end marker is missing');
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
    if (this.#index === 0 && !this.hasKeyMark) return notBifract(NOT_A_BIFRACT_FILE);
    return damaged(at, `invalid chunk length ${length}`);
  }

  #open(chunk: StoredChunk): Buffer {
    if (!chunk.nonce.equals(chunkNonce(this.base, this.#index))) {
      throw damaged(chunk.at, 'a chunk is out of order or from another file');
    }
    const plain = openChunk(this.key, chunk.nonce, chunk.sealed);
    if (plain === undefined) throw damaged(chunk.at, 'a chunk fails authentication');
    return plain;
  }

  async #openFirst(chunk: StoredChunk): Promise<Buffer> {
    if (this.hasKeyMark) return this.#open(chunk);
    const expected = chunkNonce(this.base, 0);
    if (!chunk.nonce.equals(expected)) throw this.#nonceError(chunk, expected);
    for (const key of this.#keys) {
      const plain = openChunk(key, chunk.nonce, chunk.sealed);
      if (plain === undefined) continue;
      this.#key = key;
      return plain;
    }
    throw await this.#keyError(chunk);
  }

  /** If the chunk opens under either nonce, the file is damaged; else it may be any file. */
  #nonceError(chunk: StoredChunk, expected: Buffer): BifractError {
    const opens = this.#keys.some((key) =>
      [expected, chunk.nonce].some((nonce) => openChunk(key, nonce, chunk.sealed) !== undefined),
    );
    return opens
      ? damaged(chunk.at, 'the first chunk is out of order or from another file')
      : notBifract(NOT_A_BIFRACT_FILE);
  }

  /** If the second chunk opens, the first is damaged; else the key is wrong. */
  async #keyError(first: StoredChunk): Promise<BifractError> {
    const second = await this.#next().catch(() => undefined);
    const opens =
      second && this.#keys.some((key) => openChunk(key, second.nonce, second.sealed) !== undefined);
    if (opens) return damaged(first.at, 'a chunk fails authentication');
    const keys = this.#keys.length === 1 ? 'The key does not open' : 'None of the keys opens';
    return wrongKey(`${keys} this file: it was encrypted with another key, or its first chunk is damaged`);
  }
}

/** The plaintext of a chunk (`sealed` is ciphertext and tag), or undefined if it fails authentication. */
export function openChunk(key: Key, nonce: Buffer, sealed: Buffer): Buffer | undefined {
  const decipher = createDecipheriv('aes-256-gcm', key, nonce);
  decipher.setAuthTag(sealed.subarray(sealed.length - TAG_BYTES));
  const plain = decipher.update(sealed.subarray(0, sealed.length - TAG_BYTES));
  try {
    decipher.final();
    return plain;
  } catch {
    return undefined;
  }
}
