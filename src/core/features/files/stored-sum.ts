import { createHash } from 'node:crypto';
import type { Storage } from '../../ports/storage.ts';
import type { CallOptions } from '../../ports/types.ts';

/** Size and SHA-256 of the stored bytes. */
export async function storedSum(
  storage: Storage,
  name: string,
  options: CallOptions,
): Promise<{ size_bytes: number; checksum: string }> {
  const hash = createHash('sha256');
  let size_bytes = 0;
  for await (const piece of storage.stream(name, options)) {
    hash.update(piece);
    size_bytes += piece.length;
  }
  return { size_bytes, checksum: hash.digest('hex') };
}
