import type { ByteSource } from '../../format/index.ts';
import type { Storage, StoredObject } from '../../ports/storage.ts';
import type { CallOptions } from '../../ports/types.ts';

/** A stored object as a byte source for the format reader. */
export function sourceOf(
  storage: Storage,
  { name, size_bytes }: StoredObject,
  options: CallOptions = {},
): ByteSource {
  return {
    size: size_bytes,
    read: (offset, length) => storage.read(name, offset, length, options),
    stream: (offset = 0) => storage.stream(name, { ...options, offset }),
  };
}
