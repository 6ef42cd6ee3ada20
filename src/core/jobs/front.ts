import { BifractError } from '../errors.ts';
import type { ByteSource } from '../format/index.ts';

const PIECE_BYTES = 256 * 1024;

/** Thrown by `frontOf` where a reader wants more than it may have. */
export class FrontOver extends Error {}

/** The first `limit` bytes of a file by ranged reads; whoever asks for more gets a `FrontOver`, unless that was all. */
export async function* frontOf(source: ByteSource, limit: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < source.size; at += PIECE_BYTES) {
    if (at >= limit) throw new FrontOver();
    yield await source.read(at, Math.min(PIECE_BYTES, source.size - at));
  }
}

/** What `read` makes of the beginning of a file; undefined where that takes more than the front. */
export async function fromFront<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    // A decompressor takes it for damage of what it reads, and keeps it as the cause.
    const reason = error instanceof BifractError ? error.cause : error;
    if (reason instanceof FrontOver) return undefined;
    throw error;
  }
}
