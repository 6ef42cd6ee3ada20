import { availableParallelism } from 'node:os';
import { constants, createZstdCompress } from 'node:zlib';
import type { Timestamp } from '../../ports/types.ts';
import { CHUNK_PLAIN_BYTES } from '../envelope/layout.ts';

export const ZSTD_MAGIC = 0xfd2fb528;
export const HEAD_MAGIC = 0x184d2a50;
export const END_MAGIC = 0x184d2a51;
/** Padding, so that a content frame does not end where a chunk ends. */
const PADDING_MAGIC = 0x184d2a52;
/** Magic and length before a skippable frame's payload. */
export const SKIPPABLE_HEAD_BYTES = 8;

const DEFAULT_LEVEL = 3;
/**
 * Smaller search tables than level 3's defaults stay in a core's cache. Log lines mostly repeat recent text and do best
 * with the smallest; dumps also hold prose, which compresses worse with them (docs/dev/design/compression.md).
 */
const TABLES = {
  archive: { [constants.ZSTD_c_hashLog]: 14, [constants.ZSTD_c_chainLog]: 12 },
  backup: { [constants.ZSTD_c_hashLog]: 16, [constants.ZSTD_c_chainLog]: 14 },
};
/** As fast as 2 MiB with less memory; 1 MiB is 5 % slower. */
const FIRST_TARGET = 1.5 * 1024 * 1024;
/** More than there are cores, so that none is idle while this thread is busy. */
export const FRAMES_IN_FLIGHT = 6;
/** Frames that a reader decompresses at a time; each is buffered compressed and plain. */
export const FRAMES_READ_AHEAD = Math.min(4, availableParallelism() + 1);

export type ContentKind = 'backup' | 'archive';

/** Sort position of a row in an archive. */
export interface RowPosition {
  ts: Timestamp;
  id: string;
}

/** Index entry of one content frame. */
export interface FrameEntry {
  /** Start in the compressed stream, bytes. */
  offset: number;
  /** Compressed and plain size, bytes. */
  size: number;
  plain: number;
  rows: number;
  first: RowPosition | null;
  last: RowPosition | null;
}

/** Content of one frame, before compression. */
export interface ContentFrame {
  bytes: Buffer;
  rows: number;
  lines: number;
  /** Lines too long for the server's reader. */
  longLines: number;
  first: RowPosition | null;
  last: RowPosition | null;
  /** Call once the bytes are no longer needed: the memory is reused. */
  free(): void;
}

/**
 * Plain size at which frame number `index` is full. It grows with the file to keep the index of a file of terabytes
 * small: readers hold it in memory.
 */
export function frameTarget(index: number): number {
  const doublings = Math.min(3, Math.floor(index / 16_384));
  return FIRST_TARGET * 2 ** doublings;
}

/**
 * Compresses to one zstd frame with content size and checksum, on the thread pool, into a buffer of `compressBound`
 * bytes.
 *
 * With the end flag set on the only write and enough output space, zstd compresses in place. Node's `zstdCompress`
 * signals the end separately, which makes zstd copy everything into its window first (docs/dev/design/compression.md).
 */
export function zstdFrame(bytes: Buffer, kind: ContentKind, level = DEFAULT_LEVEL): Promise<Buffer> {
  const zstd = createZstdCompress({
    flush: constants.ZSTD_e_end,
    chunkSize: compressBound(bytes.length),
    // Without it, Node leaves the content size out of the frame.
    pledgedSrcSize: bytes.length,
    params: {
      [constants.ZSTD_c_compressionLevel]: level,
      [constants.ZSTD_c_checksumFlag]: 1,
      ...(level === DEFAULT_LEVEL ? TABLES[kind] : {}),
    },
  });
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    zstd.on('data', (part: Buffer) => parts.push(part));
    zstd.on('error', reject);
    // Not `end`: Node would append an empty frame.
    zstd.write(bytes, (error) => {
      zstd.close();
      // A failed write must not pass for a short frame.
      if (error) reject(error);
      else resolve(parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts));
    });
  });
}

/** Largest possible frame for this much content, bytes. Pages that stay untouched take no memory. */
export function compressBound(plain: number): number {
  const small = Math.max(0, 128 * 1024 - plain);
  // As in zstd.h.
  return plain + (plain >> 8) + (small >> 11);
}

/** A frame that every zstd reader ignores. */
export function skippableFrame(magic: number, payload: Uint8Array): Buffer {
  const head = Buffer.alloc(SKIPPABLE_HEAD_BYTES);
  head.writeUInt32LE(magic, 0);
  head.writeUInt32LE(payload.length, 4);
  return Buffer.concat([head, payload]);
}

/**
 * Padding to put before a content frame of `size` bytes at `position` of the stream, so that neither the frame nor
 * the padding ends where a chunk ends: a reader that knows zstd frames only would take a cut there for the end.
 */
export function paddingBefore(position: number, size: number): Buffer | undefined {
  const endsOnBoundary = (bytes: number) => (position + bytes) % CHUNK_PLAIN_BYTES === 0;
  if (!endsOnBoundary(size)) return undefined;
  const payload = endsOnBoundary(SKIPPABLE_HEAD_BYTES) ? 1 : 0;
  return skippableFrame(PADDING_MAGIC, Buffer.alloc(payload));
}
