import type { Key } from '../ports/key.ts';
import { ByteCursor } from './byte-cursor.ts';
import { cutOff, wrongKey } from './format-errors.ts';
import { keyId } from './key.ts';
import { BASE_BYTES, CHUNK_HEAD_BYTES, LENGTH_BYTES, MAX_CHUNK_LENGTH } from './layout.ts';
import type { End, FrameEntry, Head } from './metadata.ts';
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

/** What head and trailer say about a file. */
export interface FileDescription {
  size_bytes: number;
  /** Fingerprint of the key that opens it. */
  key_id: string;
  /** Whether it has a head and trailer. If not, the remaining properties are null. */
  sealed: boolean;
  head: Head | null;
  end: End | null;
  /** Every content frame, in order. */
  index: FrameEntry[] | null;
  /** Where the trailer starts, right after the end marker. */
  trailer_offset: number | null;
}

/**
 * Describes a file from its first bytes and its tail, in two or three reads. Verifies the trailer, not the content.
 * Errors as of `readContent`, and whatever the source throws.
 */
export async function describeFile(
  source: ByteSource,
  keys: readonly Key[],
  options: { signal?: AbortSignal } = {},
): Promise<FileDescription> {
  options.signal?.throwIfAborted();
  // The second chunk helps to distinguish a damaged first chunk from a wrong key.
  const start = await source.read(0, BASE_BYTES + 2 * (CHUNK_HEAD_BYTES + MAX_CHUNK_LENGTH));
  const opener = await Opener.open(new ByteCursor(once(start)), keys);
  options.signal?.throwIfAborted();
  const tailAt = Math.max(0, source.size - TAIL_READ_BYTES);
  const tail = await source.read(tailAt, source.size - tailAt);
  const offset = findTrailer(tail, source.size, BASE_BYTES + LENGTH_BYTES);
  if (!opener.hasKeyMark) return describeWithoutTrailer(source, opener, offset !== undefined);
  if (offset === undefined) throw cutOff('the trailer is missing, or data was appended');
  const length = source.size - TAIL_BYTES - offset;
  const sealed =
    offset >= tailAt
      ? tail.subarray(offset - tailAt, offset - tailAt + length)
      : await source.read(offset, length);
  if (sealed.length < length) throw cutOff('the trailer is incomplete');
  const { head, end, index } = await openTrailer(opener.key, opener.base, offset, sealed);
  const key_id = keyId(opener.key);
  return { size_bytes: source.size, key_id, sealed: true, head, end, index, trailer_offset: offset };
}

async function describeWithoutTrailer(
  source: ByteSource,
  opener: Opener,
  hasTrailer: boolean,
): Promise<FileDescription> {
  if (hasTrailer) throw wrongKey('The file was encrypted with another key');
  if ((await opener.chunks().next()).done) throw opener.emptyError();
  const nothing = { head: null, end: null, index: null, trailer_offset: null };
  return { size_bytes: source.size, key_id: keyId(opener.key), sealed: false, ...nothing };
}

async function* once(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes;
}
