import { BifractError } from '../errors.ts';
import { describe, type FileDescription, type Key } from '../format/index.ts';
import type { CallOptions } from '../ports/types.ts';
import { sourceOf } from './source.ts';
import type { Target } from './target.ts';

const END_MARK_BYTES = 4;

/**
 * Size, ends and trailer of a file, in a few small reads. Of a file without sealed ends: that its first chunk
 * opens and that it ends in an end mark. Errors as of `describe`; `CUT_OFF` where the end mark is missing.
 */
export async function describeEnds(
  { storage, object }: Target,
  keys: readonly Key[],
  options: CallOptions,
): Promise<FileDescription> {
  const source = sourceOf(storage, object, options);
  const description = await describe(source, keys, options);
  const end = description.trailer_offset ?? object.size_bytes;
  const mark = await source.read(end - END_MARK_BYTES, END_MARK_BYTES);
  if (mark.length === END_MARK_BYTES && mark.every((byte) => byte === 0)) return description;
  throw new BifractError('CUT_OFF', 'The file is cut off: it does not end in an end mark', {
    hint: 'Verify it without --quick to learn where it ends, and use another copy.',
  });
}
