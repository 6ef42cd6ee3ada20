import { ByteCursor } from './byte-cursor.ts';
import type { End, FrameEntry, Head } from './ends.ts';
import { cutOff, wrongKey } from './faults.ts';
import { type Key, keyId } from './key.ts';
import { BASE_BYTES, CHUNK_HEAD_BYTES, LENGTH_BYTES, MAX_CHUNK_LENGTH } from './layout.ts';
import { Opener } from './opener.ts';
import { findTrailer, openTrailer, TAIL_BYTES } from './trailer.ts';

/** Holds the whole trailer of a file of some gigabytes. */
const TAIL_READ_BYTES = 64 * 1024;

/** A stored file that can be read anywhere. */
export interface ByteSource {
  /** Bytes in all. */
  size: number;
  /** Exactly the bytes `offset … offset+length`, fewer only where the file ends. */
  read(offset: number, length: number): Promise<Buffer>;
  /** All bytes from `offset` (default 0). */
  stream(offset?: number): AsyncIterable<Buffer>;
}

/** What a file says of itself without being read through. */
export interface FileDescription {
  size_bytes: number;
  /** Fingerprint of the key that opens it. */
  key_id: string;
  /** Whether it has sealed ends; the rest is null where it has none: such a file is read from the front. */
  sealed: boolean;
  head: Head | null;
  end: End | null;
  /** Every content frame, in order. */
  index: FrameEntry[] | null;
  /** Where the trailer begins, right after the end mark. */
  trailer_offset: number | null;
}

/**
 * Describes a file by its first bytes and its tail: two or three reads. The trailer is verified, the content
 * is not: for that, read it. Errors as of `readContent`, and what the source throws.
 */
export async function describe(
  source: ByteSource,
  keys: readonly Key[],
  options: { signal?: AbortSignal } = {},
): Promise<FileDescription> {
  options.signal?.throwIfAborted();
  // The second chunk helps to tell a damaged first one from a wrong key.
  const front = await source.read(0, BASE_BYTES + 2 * (CHUNK_HEAD_BYTES + MAX_CHUNK_LENGTH));
  const opener = await Opener.open(new ByteCursor(once(front)), keys);
  options.signal?.throwIfAborted();
  const tailAt = Math.max(0, source.size - TAIL_READ_BYTES);
  const tail = await source.read(tailAt, source.size - tailAt);
  const offset = findTrailer(tail, source.size, BASE_BYTES + LENGTH_BYTES);
  if (!opener.marked) return describeUnmarked(source, opener, offset !== undefined);
  if (offset === undefined) throw cutOff('its trailer is missing, or something was added behind it');
  const length = source.size - TAIL_BYTES - offset;
  const sealed =
    offset >= tailAt
      ? tail.subarray(offset - tailAt, offset - tailAt + length)
      : await source.read(offset, length);
  if (sealed.length < length) throw cutOff('its trailer could not be read to its end');
  const { head, end, index } = await openTrailer(opener.key, opener.base, offset, sealed);
  const key_id = keyId(opener.key);
  return { size_bytes: source.size, key_id, sealed: true, head, end, index, trailer_offset: offset };
}

async function describeUnmarked(
  source: ByteSource,
  opener: Opener,
  hasTrailer: boolean,
): Promise<FileDescription> {
  if (hasTrailer) throw wrongKey('The file was sealed under another key');
  if ((await opener.chunks().next()).done) throw opener.emptyFault();
  const nothing = { head: null, end: null, index: null, trailer_offset: null };
  return { size_bytes: source.size, key_id: keyId(opener.key), sealed: false, ...nothing };
}

async function* once(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes;
}
