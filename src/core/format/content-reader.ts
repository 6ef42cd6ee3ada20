import { createHash } from 'node:crypto';
import { BifractError } from '../errors.ts';
import { countLines } from './archive-frames.ts';
import { ByteCursor } from './byte-cursor.ts';
import { type DecodedPiece, decodeFrames } from './content-decoder.ts';
import type { End, Head } from './ends.ts';
import { EndsChecker } from './ends-checker.ts';
import { splitFrames } from './frame-splitter.ts';
import { type Key, keyId } from './key.ts';
import { Opener } from './opener.ts';
import { MAX_TRAILER_BYTES, TAIL_BYTES } from './trailer.ts';

/** What a file that was read to its end is. */
export interface ContentSummary {
  /** All stored bytes, and their SHA-256 in hex: what a record of the file holds. */
  size_bytes: number;
  checksum: string;
  content_bytes: number;
  content_sha256: string;
  /** Newlines in the content: of an archive, its rows and the header line. */
  lines: number;
  frames: number;
  /** Fingerprint of the key that opened it. */
  key_id: string;
  /** Whether the file has sealed ends. One without (the server's) proves nothing of its own completeness. */
  sealed: boolean;
  head: Head | null;
  end: End | null;
  /** Bytes after the end mark of a file without sealed ends: nobody's, and ignored. */
  ignored_bytes: number;
}

/** The content of a file, on its way. */
export interface ContentReader extends AsyncIterable<Buffer> {
  /** The head, once the first content was read; null in a file without sealed ends. */
  readonly head: Head | null;
  /** Stored bytes read, and content bytes handed out so far. */
  progress(): { bytes_in: number; bytes_out: number };
  /** Throws `INTERNAL` until the content has been read to its end without an error. */
  summary(): ContentSummary;
}

export interface ReadOptions {
  /** The keys to try; the one whose mark the file carries, or else that opens it, is used. */
  keys: readonly Key[];
  signal?: AbortSignal;
}

/**
 * Reads the content of a backup or an archive, and checks everything that can be checked.
 *
 * `bytes` are the stored bytes from the first to the last. The content comes in pieces while the file is being
 * read: it is proved whole only when the iteration ends without an error. It is to be iterated once.
 *
 * Errors: `NOT_BIFRACT`, `WRONG_KEY`, `CUT_OFF`, `DAMAGED` (the message tells the byte), `UNSUPPORTED`,
 * `KEY_MISSING`; what `bytes` throws; after an abort, the signal's reason.
 */
export function readContent(bytes: AsyncIterable<Uint8Array>, options: ReadOptions): ContentReader {
  return new FileReader(bytes, options);
}

class FileReader implements ContentReader {
  head: Head | null = null;
  readonly #options: ReadOptions;
  readonly #stored: ByteCursor;
  readonly #storedHash = createHash('sha256');
  readonly #contentHash = createHash('sha256');
  #storedBytes = 0;
  #contentBytes = 0;
  #lines = 0;
  #frames = 0;
  #summary: ContentSummary | undefined;

  constructor(bytes: AsyncIterable<Uint8Array>, options: ReadOptions) {
    this.#options = options;
    this.#stored = new ByteCursor(this.#metered(bytes));
  }

  progress(): { bytes_in: number; bytes_out: number } {
    return { bytes_in: this.#storedBytes, bytes_out: this.#contentBytes };
  }

  summary(): ContentSummary {
    if (this.#summary === undefined)
      throw new BifractError('INTERNAL', 'The file is not read to its end yet');
    return this.#summary;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer> {
    try {
      yield* this.#read();
    } finally {
      await this.#stored.close();
    }
  }

  async *#metered(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const piece of bytes) {
      this.#options.signal?.throwIfAborted();
      this.#storedHash.update(piece);
      this.#storedBytes += piece.length;
      yield piece;
    }
  }

  async *#read(): AsyncGenerator<Buffer> {
    const opener = await Opener.open(this.#stored, this.#options.keys);
    const checker = opener.marked ? new EndsChecker() : undefined;
    const stream = new ByteCursor(opener.chunks());
    for await (const piece of decodeFrames(splitFrames(stream, (position) => opener.locate(position)))) {
      this.#options.signal?.throwIfAborted();
      const bytes = this.#account(piece, checker);
      if (bytes.length > 0) yield bytes;
    }
    if (stream.position === 0) throw opener.emptyFault();
    const sha256 = this.#contentHash.digest('hex');
    const offset = this.#stored.position;
    const after = await this.#readTail(opener.marked);
    const totals = { lines: this.#lines, bytes: this.#contentBytes, sha256 };
    await checker?.finish(totals, { key: opener.key, base: opener.base, offset, after });
    this.#summary = this.#summarize(opener, checker, sha256, this.#storedBytes - offset);
  }

  #account(piece: DecodedPiece, checker: EndsChecker | undefined): Buffer {
    if (piece.kind === 'skippable') {
      checker?.skippable(piece.frame);
      this.head = checker?.head ?? null;
      return Buffer.alloc(0);
    }
    const lines = countLines(piece.bytes).count;
    checker?.content(piece, lines);
    this.#contentHash.update(piece.bytes);
    this.#contentBytes += piece.bytes.length;
    this.#lines += lines;
    if (piece.last) this.#frames++;
    return piece.bytes;
  }

  /** All that follows the end mark, which only of a marked file is worth keeping. */
  async #readTail(keep: boolean): Promise<Buffer> {
    const parts: Buffer[] = [];
    let kept = 0;
    for (let part = await this.#stored.some(2 ** 20); part; part = await this.#stored.some(2 ** 20)) {
      if (!keep || kept > MAX_TRAILER_BYTES + TAIL_BYTES) continue;
      parts.push(part);
      kept += part.length;
    }
    return Buffer.concat(parts);
  }

  #summarize(
    opener: Opener,
    checker: EndsChecker | undefined,
    content_sha256: string,
    after: number,
  ): ContentSummary {
    return {
      size_bytes: this.#storedBytes,
      checksum: this.#storedHash.digest('hex'),
      content_bytes: this.#contentBytes,
      content_sha256,
      lines: this.#lines,
      frames: this.#frames,
      key_id: keyId(opener.key),
      sealed: opener.marked,
      head: checker?.head ?? null,
      end: checker?.end ?? null,
      ignored_bytes: opener.marked ? 0 : after,
    };
  }
}
