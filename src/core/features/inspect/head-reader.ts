import { BifractError } from '../../contract/errors.ts';
import type { ByteSource } from '../../format/index.ts';

const PIECE_BYTES = 256 * 1024;

/** Thrown by `headBytes` if a reader needs more than the limit. */
export class HeadLimitExceeded extends Error {}

/**
 * The first `limit` bytes of a file by ranged reads; throws `HeadLimitExceeded` if more is requested and the
 * file is longer.
 */
export async function* headBytes(source: ByteSource, limit: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < source.size; at += PIECE_BYTES) {
    if (at >= limit) throw new HeadLimitExceeded();
    yield await source.read(at, Math.min(PIECE_BYTES, source.size - at));
  }
}

/** The result of `read`; undefined if it needs more than the head. */
export async function withinHead<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    // Decompressors report it as damage, with the original error as cause.
    const reason = error instanceof BifractError ? error.cause : error;
    if (reason instanceof HeadLimitExceeded) return undefined;
    throw error;
  }
}
