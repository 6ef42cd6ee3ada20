import type { Key } from '../../ports/key.ts';
import { keyId } from '../envelope/key.ts';
import { type ByteSource, openFile } from '../envelope/open-file.ts';
import type { FrameEntry } from '../frames/frame.ts';
import { decodeTrailer, type End, type Head } from './metadata.ts';

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
 * Same errors as `readContent`, and whatever the source throws.
 */
export async function describeFile(
  source: ByteSource,
  keys: readonly Key[],
  options: { signal?: AbortSignal } = {},
): Promise<FileDescription> {
  const { key, trailer } = await openFile(source, keys, options);
  const file = { size_bytes: source.size, key_id: keyId(key) };
  if (!trailer) return { ...file, sealed: false, head: null, end: null, index: null, trailer_offset: null };
  const { head, end, index } = await decodeTrailer(trailer.bytes, trailer.offset);
  return { ...file, sealed: true, head, end, index, trailer_offset: trailer.offset };
}
