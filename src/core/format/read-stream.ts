import { ByteCursor } from './byte-cursor.ts';
import type { ReadOptions } from './content-reader.ts';
import { Opener } from './opener.ts';

/**
 * The plaintext of a sealed stream, whatever it is: the encryption is checked, what is inside is not looked at.
 * Without sealed ends inside nothing tells a stream that was cut between two chunks. Errors as of `readContent`.
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
