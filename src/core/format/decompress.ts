import { pipeline } from 'node:stream';
import { promisify } from 'node:util';
import { createZstdDecompress, type ZstdOptions, zstdDecompress } from 'node:zlib';
import { BifractError } from '../errors.ts';
import { damaged } from './faults.ts';

const decompress = promisify(zstdDecompress) as (bytes: Buffer, options: ZstdOptions) => Promise<Buffer>;

/** Frames of more content than this come in pieces that are joined. */
const MAX_PIECE_BYTES = 16 * 1024 * 1024 + 1;
/** Of a frame of any size: pieces as small as Node's own of 16 KiB halve the speed. */
const PIECE_BYTES = 1024 * 1024;

/** Decompresses one whole frame of known plain size on the thread pool; never makes more than that. */
export async function decompressFrame(frame: Buffer, plain: number, at: number): Promise<Buffer> {
  // One byte of room to spare: then the content comes in one piece, which is not copied.
  const chunkSize = Math.min(MAX_PIECE_BYTES, Math.max(1024, plain + 1));
  let bytes: Buffer;
  try {
    bytes = await decompress(frame, { chunkSize, maxOutputLength: Math.max(1, plain) });
  } catch (cause) {
    throw damaged(at, 'a frame does not decompress', cause);
  }
  if (bytes.length !== plain) throw damaged(at, 'a frame holds less than it says');
  return bytes;
}

/** Decompresses one frame of any size, holding little of it at a time. */
export async function* decompressStream(
  body: AsyncIterable<Buffer> | Iterable<Buffer>,
  at: number,
): AsyncGenerator<Buffer> {
  const zstd = createZstdDecompress({ chunkSize: PIECE_BYTES });
  // What goes wrong is met by whoever reads the decoder.
  pipeline(body, zstd, () => {});
  try {
    for await (const piece of zstd) yield piece as Buffer;
  } catch (error) {
    throw error instanceof BifractError ? error : damaged(at, 'a frame does not decompress', error);
  }
}
