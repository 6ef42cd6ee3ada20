import { createHash } from 'node:crypto';
import { BifractError } from '../../contract/errors.ts';
import { ByteCursor } from '../envelope/byte-cursor.ts';
import { keyId } from '../envelope/key.ts';
import { Opener, type ReadOptions } from '../envelope/opener.ts';
import { maxTrailerBytes, TAIL_BYTES } from '../envelope/trailer.ts';
import { type DecodedPiece, decodeFrames } from '../frames/decoder.ts';
import { splitFrames } from '../frames/splitter.ts';
import { countLines } from './archive-frames.ts';
import { type End, type Head, MetadataChecker } from './metadata.ts';

/** Summary of a file that was read to the end. */
export interface ContentSummary {
  /** Stored size and its SHA-256 in hex, as kept in the catalog record. */
  size_bytes: number;
  checksum: string;
  content_bytes: number;
  content_sha256: string;
  /** Newlines in the content; for an archive, its rows plus the header line. */
  lines: number;
  frames: number;
  /** Fingerprint of the key that opened it. */
  key_id: string;
  /** Whether the file has a head and trailer. Without them (files of the server), completeness cannot be proven. */
  sealed: boolean;
  head: Head | null;
  end: End | null;
  /** Bytes after the end marker of a file without trailer; they are ignored. */
  ignored_bytes: number;
}

/** The content of a file being read. */
export interface ContentReader extends AsyncIterable<Buffer> {
  /** The head, available after the first piece; null in files of the server. */
  readonly head: Head | null;
  /** Stored bytes read and content bytes produced so far. */
  progress(): { bytes_in: number; bytes_out: number };
  /** Throws `INTERNAL` until the content has been read to the end without an error. */
  summary(): ContentSummary;
}

/**
 * Reads and verifies the content of a backup or an archive.
 *
 * `bytes` are all stored bytes. The content is streamed; it is verified only once the iteration ends without an
 * error. Iterate once.
 *
 * Errors: `NOT_BIFRACT`, `WRONG_KEY`, `CUT_OFF`, `DAMAGED` (the message gives the byte), `UNSUPPORTED`,
 * `KEY_MISSING`; whatever `bytes` throws; after an abort, the signal's reason.
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
    this.#stored = new ByteCursor(this.#countStored(bytes));
  }

  progress(): { bytes_in: number; bytes_out: number } {
    return { bytes_in: this.#storedBytes, bytes_out: this.#contentBytes };
  }

  summary(): ContentSummary {
    if (this.#summary === undefined)
      throw new BifractError('INTERNAL', 'The file has not been read to the end');
    return this.#summary;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer> {
    try {
      yield* this.#read();
    } finally {
      await this.#stored.close();
    }
  }

  async *#countStored(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const piece of bytes) {
      this.#options.signal?.throwIfAborted();
      this.#storedHash.update(piece);
      this.#storedBytes += piece.length;
      yield piece;
    }
  }

  async *#read(): AsyncGenerator<Buffer> {
    const opener = await Opener.open(this.#stored, this.#options.keys);
    const checker = opener.hasKeyMark ? new MetadataChecker() : undefined;
    const stream = new ByteCursor(opener.chunks());
    for await (const piece of decodeFrames(splitFrames(stream, (position) => opener.locate(position)))) {
      this.#options.signal?.throwIfAborted();
      const bytes = this.#account(piece, checker);
      if (bytes.length > 0) yield bytes;
    }
    if (stream.position === 0) throw opener.emptyError();
    const sha256 = this.#contentHash.digest('hex');
    const offset = this.#stored.position;
    const after = await this.#readTail(opener.hasKeyMark);
    const totals = { lines: this.#lines, bytes: this.#contentBytes, sha256 };
    await checker?.finish(totals, { key: opener.key, base: opener.base, offset, after });
    this.#summary = this.#summarize(opener, checker, sha256, this.#storedBytes - offset);
  }

  #account(piece: DecodedPiece, checker: MetadataChecker | undefined): Buffer {
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

  /** Everything after the end marker. `keep` is false for files without a trailer. */
  async #readTail(keep: boolean): Promise<Buffer> {
    const parts: Buffer[] = [];
    const most = maxTrailerBytes(this.#stored.position) + TAIL_BYTES;
    let kept = 0;
    for (let part = await this.#stored.some(2 ** 20); part; part = await this.#stored.some(2 ** 20)) {
      if (!keep || kept > most) continue;
      parts.push(part);
      kept += part.length;
    }
    return Buffer.concat(parts);
  }

  #summarize(
    opener: Opener,
    checker: MetadataChecker | undefined,
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
      sealed: opener.hasKeyMark,
      head: checker?.head ?? null,
      end: checker?.end ?? null,
      ignored_bytes: opener.hasKeyMark ? 0 : after,
    };
  }
}
