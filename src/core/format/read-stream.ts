import { ByteCursor } from './byte-cursor.ts';
import type { ReadOptions } from './content-reader.ts';
import { Opener } from './opener.ts';

/**
 * The plaintext of a sealed stream. Verifies the encryption only: a stream cut between two chunks is not detected.
 * Errors as of `readContent`.
 */
export async function* readStream(
  bytes: AsyncIterable<Uint8Array>,
  { keys, signal }: ReadOptions,
): AsyncGenerator<Buffer> {
  const stored = new ByteCursor(bytes);
  try {
    for await (const chunk of (await Opener.open(stored, keys)).chunks()) {
      signal?.throwIfAborted();
      yield chunk;
    }
  } finally {
    await stored.close();
  }
}
