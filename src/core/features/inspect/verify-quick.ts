import { BifractError } from '../../contract/errors.ts';
import { describe, type FileDescription } from '../../format/index.ts';
import type { Key } from '../../ports/key.ts';
import type { CallOptions } from '../../ports/types.ts';
import type { Target } from '../files/target.ts';
import { sourceOf } from './object-source.ts';

const END_MARK_BYTES = 4;

/**
 * Checks size, header and trailer in a few small reads; without them, that the first chunk decrypts and the
 * file ends with an end marker. Errors of `describe`; `CUT_OFF` without the end marker.
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
  throw new BifractError('CUT_OFF', 'The file is cut off: end marker missing', {
    hint: 'Verify it without --quick to find where it ends, and use another copy.',
  });
}
