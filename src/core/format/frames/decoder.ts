import { pipeline } from 'node:stream';
import { promisify } from 'node:util';
import { createZstdDecompress, type ZstdOptions, zstdDecompress } from 'node:zlib';
import { BifractError } from '../../contract/errors.ts';
import { damaged } from '../errors.ts';
import { FRAMES_READ_AHEAD } from './frame.ts';
import type { StreamFrame } from './splitter.ts';

const decompress = promisify(zstdDecompress) as (bytes: Buffer, options: ZstdOptions) => Promise<Buffer>;

/** Frames with more content than this are decompressed in pieces and joined. */
const MAX_PIECE_BYTES = 16 * 1024 * 1024 + 1;
/** Node's default of 16 KiB halves the speed. */
const PIECE_BYTES = 1024 * 1024;
/** Frames of up to this content size are buffered and decompressed in parallel; larger ones are streamed. */
const MAX_BUFFERED_BYTES = 16 * 1024 * 1024;
/** A frame that is larger than its content by more than this is streamed. */
export const MAX_OVERHEAD_BYTES = 64 * 1024;

/** A decoded frame or part of one, in stream order. */
export type DecodedPiece =
  | { kind: 'skippable'; frame: StreamFrame & { kind: 'skippable' } }
  /** Content. `last` marks the end of the frame; only then `size` is the frame's compressed size. */
  | { kind: 'content'; position: number; at: number; size: number; bytes: Buffer; last: boolean };

type ContentStreamFrame = StreamFrame & { kind: 'content' };

/**
 * Decompresses the frames of a stream, small ones in parallel, and yields everything in order. If the stream is
 * damaged, yields all content before the damage, then throws.
 */
export async function* decodeFrames(frames: AsyncIterable<StreamFrame>): AsyncGenerator<DecodedPiece> {
  const running: Promise<DecodedPiece>[] = [];
  const drain = async function* (keep: number) {
    while (running.length > keep) yield await (running.shift() as Promise<DecodedPiece>);
  };
  try {
    for await (const frame of frames) {
      if (frame.kind === 'skippable') {
        running.push(Promise.resolve({ kind: 'skippable', frame }));
      } else {
        const parts = await bufferFrame(frame);
        if (parts.complete) running.push(decodeBuffered(frame, parts.size, parts.bytes));
        else {
          yield* drain(0);
          yield* decodeStreamed(frame, parts.bytes, parts.rest);
        }
      }
      running.at(-1)?.catch(() => {});
      yield* drain(FRAMES_READ_AHEAD - 1);
    }
  } catch (error) {
    yield* drain(0);
    throw error;
  } finally {
    await Promise.allSettled(running);
  }
  yield* drain(0);
}

interface BufferedFrame {
  complete: boolean;
  size: number;
  bytes: Buffer[];
  rest: AsyncIterator<Buffer>;
}

/** Reads a frame's bytes until it ends or is too large to buffer. */
async function bufferFrame(frame: ContentStreamFrame): Promise<BufferedFrame> {
  const rest = frame.body[Symbol.asyncIterator]();
  const bytes: Buffer[] = [];
  let size = 0;
  const limit = frame.plain === undefined || frame.plain > MAX_BUFFERED_BYTES ? 0 : frame.plain;
  while (limit > 0 && size <= limit + MAX_OVERHEAD_BYTES) {
    const { done, value } = await rest.next();
    if (done) return { complete: true, size, bytes, rest };
    bytes.push(value);
    size += value.length;
  }
  return { complete: false, size, bytes, rest };
}

async function decodeBuffered(
  frame: ContentStreamFrame,
  size: number,
  parts: Buffer[],
): Promise<DecodedPiece> {
  const { position, at } = frame;
  const bytes = await decompressFrame(Buffer.concat(parts, size), frame.plain as number, at);
  return { kind: 'content', position, at, size, bytes, last: true };
}

async function* decodeStreamed(
  frame: ContentStreamFrame,
  buffered: Buffer[],
  rest: AsyncIterator<Buffer>,
): AsyncGenerator<DecodedPiece> {
  const { position, at } = frame;
  let size = 0;
  const body = async function* () {
    for (const piece of buffered) {
      size += piece.length;
      yield piece;
    }
    for (let next = await rest.next(); !next.done; next = await rest.next()) {
      size += next.value.length;
      yield next.value;
    }
  };
  for await (const bytes of decompressStream(body(), at)) {
    yield { kind: 'content', position, at, size: 0, bytes, last: false };
  }
  yield { kind: 'content', position, at, size, bytes: Buffer.alloc(0), last: true };
}

/** Decompresses one complete frame of known plain size on the thread pool; never produces more than that. */
export async function decompressFrame(frame: Buffer, plain: number, at: number): Promise<Buffer> {
  // One extra byte, so that the content comes in one piece without copying.
  const chunkSize = Math.min(MAX_PIECE_BYTES, Math.max(1024, plain + 1));
  let bytes: Buffer;
  try {
    bytes = await decompress(frame, { chunkSize, maxOutputLength: Math.max(1, plain) });
  } catch (cause) {
    throw damaged(at, 'a frame cannot be decompressed', cause);
  }
  if (bytes.length !== plain) throw damaged(at, 'a frame is shorter than its header declares');
  return bytes;
}

/** Decompresses one frame of any size in bounded memory. */
export async function* decompressStream(
  body: AsyncIterable<Buffer> | Iterable<Buffer>,
  at: number,
): AsyncGenerator<Buffer> {
  const zstd = createZstdDecompress({ chunkSize: PIECE_BYTES });
  // Errors surface in the loop below.
  pipeline(body, zstd, () => {});
  try {
    for await (const piece of zstd) yield piece as Buffer;
  } catch (error) {
    throw error instanceof BifractError ? error : damaged(at, 'a frame cannot be decompressed', error);
  }
}
