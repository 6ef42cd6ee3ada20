import { BifractError } from '../../contract/errors.ts';
import type { Key } from '../../ports/key.ts';
import {
  BASE_BYTES,
  CHUNK_HEAD_BYTES,
  CHUNK_PLAIN_BYTES,
  CHUNK_STORED_BYTES,
  chunkNonce,
  chunkOffset,
  hasKeyMark,
  LENGTH_BYTES,
} from '../envelope/layout.ts';
import type { ByteSource } from '../envelope/open-file.ts';
import { openChunk } from '../envelope/opener.ts';
import { damaged, unsupported } from '../errors.ts';
import { decompressFrame, MAX_OVERHEAD_BYTES } from './decoder.ts';
import { compressBound, FRAMES_READ_AHEAD, type FrameEntry } from './frame.ts';
import { mapInOrder } from './in-order.ts';

/** More than the longest line. */
const MAX_FRAME_BYTES = 160 * 1024 * 1024;
const TOO_LONG = 'Read the file from the start, with `bifract extract`.';

/** What a file's description says about its frames. */
interface FrameIndex {
  index: FrameEntry[] | null;
  trailer_offset: number | null;
}

/** The content of one frame, and its position in the index. */
export interface FrameContent {
  frame: number;
  entry: FrameEntry;
  plain: Buffer;
}

/**
 * Reads the frames `from ≤ number < to` of a file with an index: only their chunks, a few frames ahead. Errors:
 * `DAMAGED`, `WRONG_KEY`, `UNSUPPORTED` for a file without an index; whatever the source throws.
 */
export async function* readFrames(
  source: ByteSource,
  { index, trailer_offset }: FrameIndex,
  keys: readonly Key[],
  from: number,
  to: number,
  options: { signal?: AbortSignal } = {},
): AsyncGenerator<FrameContent> {
  if (index === null || trailer_offset === null) {
    throw new BifractError('UNSUPPORTED', 'The file has no index and can only be read from the start', {
      hint: 'It was written by the Bifract server. Read it with `bifract extract`.',
    });
  }
  const base = await source.read(0, BASE_BYTES);
  const key = keys.find((candidate) => hasKeyMark(base, candidate));
  if (key === undefined)
    throw new BifractError('WRONG_KEY', 'None of the keys opens this file', {
      hint: 'Add the key it was encrypted with to BIFRACT_BACKUP_ENCRYPTION_KEY_PREVIOUS.',
    });
  const reader = new FrameReader(source, key, base, trailer_offset - LENGTH_BYTES);
  const numbers = async function* () {
    for (let frame = Math.max(0, from); frame < Math.min(to, index.length); frame++) {
      options.signal?.throwIfAborted();
      yield frame;
    }
  };
  yield* mapInOrder(numbers(), FRAMES_READ_AHEAD, async (frame) => {
    const entry = index[frame] as FrameEntry;
    return { frame, entry, plain: await reader.read(entry) };
  });
}

class FrameReader {
  readonly #source: ByteSource;
  readonly #key: Key;
  readonly #base: Buffer;
  /** Start of the end marker. */
  readonly #end: number;

  constructor(source: ByteSource, key: Key, base: Buffer, end: number) {
    this.#source = source;
    this.#key = key;
    this.#base = base;
    this.#end = end;
  }

  async read(entry: FrameEntry): Promise<Buffer> {
    // One long line makes one long frame.
    if (entry.plain > MAX_FRAME_BYTES)
      throw unsupported('A frame is too long to be read on its own', TOO_LONG);
    const start = chunkOffset(entry.offset);
    if (entry.size > compressBound(entry.plain) + MAX_OVERHEAD_BYTES)
      throw damaged(start, 'the index is invalid');
    const end = Math.min(this.#end, chunkOffset(entry.offset + entry.size - 1) + CHUNK_STORED_BYTES);
    const stored = await this.#source.read(start, end - start);
    const chunks: Buffer[] = [];
    for (let at = 0; at < stored.length; at += CHUNK_STORED_BYTES) {
      chunks.push(this.#openChunk(start + at, stored.subarray(at, at + CHUNK_STORED_BYTES)));
    }
    const skip = entry.offset % CHUNK_PLAIN_BYTES;
    const frame = Buffer.concat(chunks).subarray(skip, skip + entry.size);
    if (frame.length < entry.size) throw damaged(start, 'a frame is incomplete');
    return decompressFrame(frame, entry.plain, start + CHUNK_HEAD_BYTES + skip);
  }

  #openChunk(at: number, stored: Buffer): Buffer {
    const nonce = chunkNonce(this.#base, (at - BASE_BYTES) / CHUNK_STORED_BYTES);
    const sealed = stored.subarray(CHUNK_HEAD_BYTES);
    const head = Buffer.alloc(LENGTH_BYTES);
    head.writeUInt32BE(sealed.length);
    const isExpected = stored.subarray(0, CHUNK_HEAD_BYTES).equals(Buffer.concat([head, nonce]));
    const plain = isExpected ? openChunk(this.#key, nonce, sealed) : undefined;
    if (plain === undefined) throw damaged(at, 'a chunk fails authentication');
    return plain;
  }
}
