import { createHash, type Hash, randomUUID } from 'node:crypto';
import { BifractError } from '../../contract/errors.ts';
import type { Key } from '../../ports/key.ts';
import type { LineBlock } from '../../ports/log-database.ts';
import type { Timestamp } from '../../ports/types.ts';
import { freeBuffer } from '../buffers.ts';
import { Sealer } from '../envelope/sealer.ts';
import { sealTrailer } from '../envelope/trailer.ts';
import {
  type ContentFrame,
  type ContentKind,
  compressBound,
  END_MAGIC,
  FRAMES_IN_FLIGHT,
  type FrameEntry,
  HEAD_MAGIC,
  paddingBefore,
  skippableFrame,
  zstdFrame,
} from '../frames/frame.ts';
import { mapInOrder } from '../frames/in-order.ts';
import { archiveFrames } from './archive-frames.ts';
import { type BackupManifest, backupFrames } from './backup.ts';
import {
  type ArchiveHead,
  type BackupHead,
  type End,
  encodeTrailer,
  HEAD_VERSION,
  type Head,
} from './metadata.ts';

/** Approximate size of the pieces passed to storage. */
const PIECE_BYTES = 256 * 1024;

/** Summary of a written file. */
export interface FileSummary {
  /** All stored bytes including the trailer, and their SHA-256 in hex. */
  size_bytes: number;
  checksum: string;
  /** The content before compression, and its SHA-256 in hex. */
  content_bytes: number;
  content_sha256: string;
  /** Log rows, and lines including an archive's header line; both 0 in a backup. */
  rows: number;
  lines: number;
  first: Timestamp | null;
  last: Timestamp | null;
  /** Lines of 10 MiB and more, which the server's reader rejects. */
  long_lines: number;
  frames: number;
}

/** A file being written. */
export interface SealedFile {
  /**
   * The stored bytes, produced on demand; read once. Throws whatever the source throws and, after an abort, the
   * signal's reason; the bytes before an error never pass for a complete file.
   */
  readonly bytes: AsyncIterable<Buffer>;
  /** Content bytes read, bytes produced, and rows so far. */
  progress(): { bytes_in: number; bytes_out: number; rows: number };
  /** Throws `INTERNAL` until `bytes` has been read to the end. */
  summary(): FileSummary;
}

export interface WriteOptions {
  key: Key;
  /** zstd level, default 3. */
  level?: number;
  /** Checked between frames; the source must observe it itself. */
  signal?: AbortSignal;
}

/**
 * Writes an archive: the header line, then `lines`.
 *
 * Blocks hold complete lines, of any number and length, and must not change before the next one is requested. Throws
 * `INTERNAL` for a block that ends inside a line or miscounts its lines.
 */
export function writeArchive(
  lines: AsyncIterable<LineBlock>,
  options: WriteOptions & { head: ArchiveHead },
): SealedFile {
  const { tool, fractal, period, split, fields, raw_from, columns } = options.head;
  const about = { tool, fractal, period, split, fields, raw_from, columns };
  const head = { ...common('archive', options.head), ...about, end: true };
  return new FileWriter(head, (hash) => archiveFrames(lines, hash), options);
}

/** Writes a backup: the manifest, without any encryption key, and the dump. */
export function writeBackup(
  manifest: BackupManifest,
  dump: AsyncIterable<Uint8Array>,
  options: WriteOptions & { head: BackupHead },
): SealedFile {
  const { tool, reason } = options.head;
  const head = { ...common('backup', options.head), tool, reason, end: true };
  return new FileWriter(head, (hash) => backupFrames(manifest, dump, hash), options);
}

function common(
  kind: ContentKind,
  head: ArchiveHead | BackupHead,
): Pick<Head, 'v' | 'kind' | 'uuid' | 'created'> {
  const created = head.created ?? new Date().toISOString();
  return { v: HEAD_VERSION, kind, uuid: head.uuid ?? randomUUID(), created };
}

/** A frame's counts, kept once it is compressed. */
type CompressedFrame = Omit<ContentFrame, 'bytes' | 'free'> & { plain: number };

/** Compresses frames in parallel and seals them between head and end. */
export class FileWriter implements SealedFile {
  readonly bytes: AsyncIterable<Buffer>;
  readonly #head: Head;
  readonly #options: WriteOptions;
  readonly #sealer: Sealer;
  readonly #contentHash = createHash('sha256');
  readonly #storedHash = createHash('sha256');
  readonly #end: End = { rows: 0, lines: 0, bytes: 0, sha256: '', first: null, last: null };
  // Kept as text: as objects, the index of a long archive would take many times the memory.
  readonly #index: string[] = [];
  #longLines = 0;
  #stored = 0;
  #done: FileSummary | undefined;

  /** `split` produces the frames and adds their content to the hash. */
  constructor(head: Head, split: (hash: Hash) => AsyncIterable<ContentFrame>, options: WriteOptions) {
    this.#head = head;
    this.#options = options;
    this.#sealer = new Sealer(options.key);
    this.bytes = this.#write(split(this.#contentHash));
  }

  progress(): { bytes_in: number; bytes_out: number; rows: number } {
    return { bytes_in: this.#end.bytes, bytes_out: this.#stored, rows: this.#end.rows };
  }

  summary(): FileSummary {
    if (this.#done === undefined)
      throw new BifractError('INTERNAL', 'The file has not been written to the end');
    return this.#done;
  }

  async *#write(frames: AsyncIterable<ContentFrame>): AsyncGenerator<Buffer> {
    this.#pushJson(HEAD_MAGIC, this.#head);
    for await (const [frame, packed] of mapInOrder(frames, FRAMES_IN_FLIGHT, (item) =>
      this.#compress(item),
    )) {
      this.#options.signal?.throwIfAborted();
      this.#addFrame(frame, packed);
      yield* this.#ready(PIECE_BYTES);
    }
    this.#options.signal?.throwIfAborted();
    this.#end.sha256 = this.#contentHash.digest('hex');
    this.#pushJson(END_MAGIC, this.#end);
    this.#sealer.end();
    yield* this.#ready(0);
    yield* this.#emit(await this.#trailer());
    this.#done = this.#summarize();
  }

  #compress(frame: ContentFrame): Promise<[CompressedFrame, Buffer]> {
    this.#end.bytes += frame.bytes.length;
    this.#end.rows += frame.rows;
    this.#end.lines += frame.lines;
    this.#end.first ??= frame.first?.ts ?? null;
    this.#end.last = frame.last?.ts ?? this.#end.last;
    this.#longLines += frame.longLines;
    return zstdFrame(frame.bytes, this.#head.kind, this.#options.level).then((packed) => {
      const { bytes, free, ...counts } = frame;
      free();
      return [{ ...counts, plain: bytes.length }, packed];
    });
  }

  #addFrame(frame: CompressedFrame, packed: Buffer): void {
    const padding = paddingBefore(this.#sealer.position, packed.length);
    if (padding !== undefined) this.#sealer.push(padding);
    const entry: FrameEntry = {
      offset: this.#sealer.position,
      size: packed.length,
      plain: frame.plain,
      rows: frame.rows,
      first: frame.first,
      last: frame.last,
    };
    this.#index.push(JSON.stringify(entry));
    this.#sealer.push(packed);
    freeBuffer(packed, compressBound(frame.plain));
  }

  #pushJson(magic: number, value: Head | End): void {
    this.#sealer.push(skippableFrame(magic, Buffer.from(JSON.stringify(value))));
  }

  async #trailer(): Promise<Buffer> {
    const trailer = await encodeTrailer(this.#head, this.#end, this.#index);
    return sealTrailer(this.#options.key, this.#sealer.base, this.#stored, trailer);
  }

  *#ready(minimum: number): Generator<Buffer> {
    const bytes = this.#sealer.take(minimum);
    if (bytes !== undefined) yield* this.#emit(bytes);
  }

  *#emit(bytes: Buffer): Generator<Buffer> {
    for (let at = 0; at < bytes.length; at += 4 * PIECE_BYTES) {
      const piece = bytes.subarray(at, at + 4 * PIECE_BYTES);
      this.#storedHash.update(piece);
      this.#stored += piece.length;
      yield piece;
    }
  }

  #summarize(): FileSummary {
    return {
      size_bytes: this.#stored,
      checksum: this.#storedHash.digest('hex'),
      content_bytes: this.#end.bytes,
      content_sha256: this.#end.sha256,
      rows: this.#end.rows,
      lines: this.#end.lines,
      first: this.#end.first,
      last: this.#end.last,
      long_lines: this.#longLines,
      frames: this.#index.length,
    };
  }
}
