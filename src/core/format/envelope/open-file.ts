import type { Key } from '../../ports/key.ts';
import { cutOff, wrongKey } from '../errors.ts';
import { ByteCursor } from './byte-cursor.ts';
import { BASE_BYTES, CHUNK_HEAD_BYTES, LENGTH_BYTES, MAX_CHUNK_LENGTH } from './layout.ts';
import { Opener } from './opener.ts';
import { findTrailer, openTrailer, TAIL_BYTES } from './trailer.ts';

/** Large enough for the trailer of a file of some gigabytes. */
const TAIL_READ_BYTES = 64 * 1024;

/** A stored file with random access. */
export interface ByteSource {
  /** In bytes. */
  size: number;
  /** Exactly the bytes `offset … offset+length`, fewer only at the end of the file. */
  read(offset: number, length: number): Promise<Buffer>;
  /** All bytes from `offset` (default 0) on. */
  stream(offset?: number): AsyncIterable<Buffer>;
}

export interface OpenedFile {
  /** The key that opens the file. */
  key: Key;
  /** The decrypted trailer, and where it starts: right after the end marker. Undefined in files of the server. */
  trailer: { offset: number; bytes: Buffer } | undefined;
}

/** Finds a file's key and opens its trailer, in two or three reads. Same errors as `readContent`. */
export async function openFile(
  source: ByteSource,
  keys: readonly Key[],
  { signal }: { signal?: AbortSignal } = {},
): Promise<OpenedFile> {
  signal?.throwIfAborted();
  // The second chunk helps to distinguish a damaged first chunk from a wrong key.
  const start = await source.read(0, BASE_BYTES + 2 * (CHUNK_HEAD_BYTES + MAX_CHUNK_LENGTH));
  const opener = await Opener.open(new ByteCursor(once(start)), keys);
  signal?.throwIfAborted();
  const tailAt = Math.max(0, source.size - TAIL_READ_BYTES);
  const tail = await source.read(tailAt, source.size - tailAt);
  const offset = findTrailer(tail, source.size, BASE_BYTES + LENGTH_BYTES);
  if (!opener.hasKeyMark) return openWithoutTrailer(opener, offset !== undefined);
  if (offset === undefined) throw cutOff('the trailer is missing, or data was appended');
  const length = source.size - TAIL_BYTES - offset;
  const sealed =
    offset >= tailAt
      ? tail.subarray(offset - tailAt, offset - tailAt + length)
      : await source.read(offset, length);
  if (sealed.length < length) throw cutOff('the trailer is incomplete');
  const bytes = openTrailer(opener.key, opener.base, offset, sealed);
  return { key: opener.key, trailer: { offset, bytes } };
}

async function openWithoutTrailer(opener: Opener, hasTrailer: boolean): Promise<OpenedFile> {
  if (hasTrailer) throw wrongKey('The file was encrypted with another key');
  if ((await opener.chunks().next()).done) throw opener.emptyError();
  return { key: opener.key, trailer: undefined };
}

async function* once(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes;
}
