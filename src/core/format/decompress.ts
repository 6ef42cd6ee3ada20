import { pipeline } from 'node:stream';
import { promisify } from 'node:util';
import { createZstdDecompress, type ZstdOptions, zstdDecompress } from 'node:zlib';
import { BifractError } from '../contract/errors.ts';
import { damaged } from './format-errors.ts';

const decompress = promisify(zstdDecompress) as (bytes: Buffer, options: ZstdOptions) => Promise<Buffer>;

/** Frames with more content than this are decompressed in pieces and joined. */
const MAX_PIECE_BYTES = 16 * 1024 * 1024 + 1;
/** Node's default of 16 KiB halves the speed. */
const PIECE_BYTES = 1024 * 1024;

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
