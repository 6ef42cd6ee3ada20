import { BifractError } from '../errors.ts';
import { decompressFrame } from './decompress.ts';
import type { ByteSource, FileDescription } from './describe.ts';
import type { FrameEntry } from './ends.ts';
import { damaged } from './faults.ts';
import { FRAMES_READ_AHEAD } from './frame.ts';
import { inOrder } from './in-order.ts';
import type { Key } from './key.ts';
import {
  BASE_BYTES,
  CHUNK_HEAD_BYTES,
  CHUNK_PLAIN_BYTES,
  CHUNK_STORED_BYTES,
  chunkNonce,
  chunkOffset,
  isMarkedBy,
  LENGTH_BYTES,
} from './layout.ts';
import { openChunk } from './opener.ts';

/** The content of one frame, and its number in the index. */
export interface FrameContent {
  frame: number;
  entry: FrameEntry;
  plain: Buffer;
}

/**
 * Reads the frames `from ≤ number < to` of a described file with sealed ends, and only their chunks, a few
 * frames ahead. Errors: `DAMAGED`, `WRONG_KEY`, `UNSUPPORTED` for a file without an index; what the source throws.
 */
export async function* readFrames(
  source: ByteSource,
  description: FileDescription,
  keys: readonly Key[],
  from: number,
  to: number,
  options: { signal?: AbortSignal } = {},
): AsyncGenerator<FrameContent> {
  const { index, trailer_offset } = description;
  if (index === null || trailer_offset === null) {
    throw new BifractError('UNSUPPORTED', 'This file has no index: it can only be read from its front', {
      hint: 'It was written by the server; `bifract extract` reads it.',
    });
  }
  const base = await source.read(0, BASE_BYTES);
  const key = keys.find((one) => isMarkedBy(base, one));
  if (key === undefined)
    throw new BifractError('WRONG_KEY', 'No key given is the one of this file', {
      hint: 'Put the key that it was written under into BIFRACT_BACKUP_ENCRYPTION_KEY_PREVIOUS.',
    });
  const reader = new FrameReader(source, key, base, trailer_offset - LENGTH_BYTES);
  const numbers = async function* () {
    for (let frame = Math.max(0, from); frame < Math.min(to, index.length); frame++) {
      options.signal?.throwIfAborted();
      yield frame;
    }
  };
  yield* inOrder(numbers(), FRAMES_READ_AHEAD, async (frame) => {
    const entry = index[frame] as FrameEntry;
    return { frame, entry, plain: await reader.read(entry) };
  });
}

class FrameReader {
  readonly #source: ByteSource;
  readonly #key: Key;
  readonly #base: Buffer;
  /** Where the end mark begins. */
  readonly #end: number;

  constructor(source: ByteSource, key: Key, base: Buffer, end: number) {
    this.#source = source;
    this.#key = key;
    this.#base = base;
    this.#end = end;
  }

  async read(entry: FrameEntry): Promise<Buffer> {
    const start = chunkOffset(entry.offset);
    const end = Math.min(this.#end, chunkOffset(entry.offset + entry.size - 1) + CHUNK_STORED_BYTES);
    const stored = await this.#source.read(start, end - start);
    const chunks: Buffer[] = [];
    for (let at = 0; at < stored.length; at += CHUNK_STORED_BYTES) {
      chunks.push(this.#openChunk(start + at, stored.subarray(at, at + CHUNK_STORED_BYTES)));
    }
    const skip = entry.offset % CHUNK_PLAIN_BYTES;
    const frame = Buffer.concat(chunks).subarray(skip, skip + entry.size);
    if (frame.length < entry.size) throw damaged(start, 'a frame is not complete');
    return decompressFrame(frame, entry.plain, start + CHUNK_HEAD_BYTES + skip);
  }

  #openChunk(at: number, stored: Buffer): Buffer {
    const nonce = chunkNonce(this.#base, (at - BASE_BYTES) / CHUNK_STORED_BYTES);
    const sealed = stored.subarray(CHUNK_HEAD_BYTES);
    const head = Buffer.alloc(LENGTH_BYTES);
    head.writeUInt32BE(sealed.length);
    const isDue = stored.subarray(0, CHUNK_HEAD_BYTES).equals(Buffer.concat([head, nonce]));
    const plain = isDue ? openChunk(this.#key, nonce, sealed) : undefined;
    if (plain === undefined) throw damaged(at, 'a chunk does not verify');
    return plain;
  }
}
