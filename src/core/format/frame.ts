import { availableParallelism } from 'node:os';
import { constants, createZstdCompress } from 'node:zlib';
import type { ContentKind, RowPosition } from './ends.ts';
import { CHUNK_PLAIN_BYTES } from './layout.ts';

export const ZSTD_MAGIC = 0xfd2fb528;
export const HEAD_MAGIC = 0x184d2a50;
export const END_MAGIC = 0x184d2a51;
/** Skippable frames that only take up room, so that a content frame does not end where a chunk ends. */
const SPACE_MAGIC = 0x184d2a52;
/** Magic and length before a skippable frame's payload. */
export const SKIPPABLE_HEAD_BYTES = 8;

const DEFAULT_LEVEL = 3;
/**
 * Search tables smaller than level 3's own stay in a core's cache. Log lines mostly repeat what stood just before them, and
 * gain by the smallest. Dumps also hold prose, which loses (docs/format.md, Speed).
 */
const TABLES = {
  archive: { [constants.ZSTD_c_hashLog]: 14, [constants.ZSTD_c_chainLog]: 12 },
  backup: { [constants.ZSTD_c_hashLog]: 16, [constants.ZSTD_c_chainLog]: 14 },
};
/** As fast as 2 MiB and takes less memory; 1 MiB is a twentieth slower. */
const FIRST_TARGET = 1.5 * 1024 * 1024;
/** Some are compressed and some wait, so that no core is idle while this thread is at something else; those take but their content. */
export const FRAMES_IN_FLIGHT = 6;
/** Frames that a reader decompresses at a time: each is held whole, there and back. */
export const FRAMES_READ_AHEAD = Math.min(4, availableParallelism() + 1);

/** Content of one frame, before compression. */
export interface ContentFrame {
  bytes: Buffer;
  rows: number;
  lines: number;
  /** Lines that are too long for the server's reader. */
  longLines: number;
  first: RowPosition | null;
  last: RowPosition | null;
  /** To be called once the bytes are needed no more: they become another frame's. */
  free(): void;
}

/**
 * Plain size at which frame number `index` is full. It doubles as a file grows, so that the index of a file of
 * terabytes stays small: a reader holds it in memory.
 */
export function frameTarget(index: number): number {
  const doublings = Math.min(3, Math.floor(index / 16_384));
  return FIRST_TARGET * 2 ** doublings;
}

/**
 * One whole zstd frame, with content size and checksum, made on the thread pool, at the beginning of `frameRoom` bytes.
 *
 * Told with the content that it is all, and given room for whatever it becomes, zstd compresses where it lies. Node's own
 * `zstdCompress` tells the end separately: then zstd copies all into a window that goes round (docs/format.md, Speed).
 */
export function zstdFrame(bytes: Buffer, kind: ContentKind, level = DEFAULT_LEVEL): Promise<Buffer> {
  const zstd = createZstdCompress({
    flush: constants.ZSTD_e_end,
    chunkSize: frameRoom(bytes.length),
    // Node leaves the content size out of the frame unless it is told beforehand.
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
    // Not ended: Node would have another frame, an empty one, put behind it.
    zstd.write(bytes, (error) => {
      zstd.close();
      // A frame that failed must never pass for a short one.
      if (error) reject(error);
      else resolve(parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts));
    });
  });
}

/** The room for a frame of so much content, bytes. What is not needed is never touched, and so takes no memory. */
export function frameRoom(plain: number): number {
  const small = Math.max(0, 128 * 1024 - plain);
  // As `ZSTD_compressBound` of zstd.h.
  return plain + (plain >> 8) + (small >> 11);
}

/** A frame that every zstd reader passes over. */
export function skippableFrame(magic: number, payload: Uint8Array): Buffer {
  const head = Buffer.alloc(SKIPPABLE_HEAD_BYTES);
  head.writeUInt32LE(magic, 0);
  head.writeUInt32LE(payload.length, 4);
  return Buffer.concat([head, payload]);
}

/**
 * What to put before a content frame of `size` bytes at `position` of the stream, so that neither it nor the
 * space itself ends where a chunk ends: a cut there would look like a whole file to a reader that knows zstd
 * frames only.
 */
export function spaceBefore(position: number, size: number): Buffer | undefined {
  const endsOnBorder = (bytes: number) => (position + bytes) % CHUNK_PLAIN_BYTES === 0;
  if (!endsOnBorder(size)) return undefined;
  const payload = endsOnBorder(SKIPPABLE_HEAD_BYTES) ? 1 : 0;
  return skippableFrame(SPACE_MAGIC, Buffer.alloc(payload));
}
