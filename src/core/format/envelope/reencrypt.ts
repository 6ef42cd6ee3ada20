import { createHash, randomBytes } from 'node:crypto';
import type { Key } from '../../ports/key.ts';
import { BASE_BYTES } from './layout.ts';
import { type ByteSource, openFile } from './open-file.ts';
import { readStream } from './opener.ts';
import { Sealer } from './sealer.ts';
import { sealTrailer } from './trailer.ts';

/** Approximate size of the pieces passed to storage. */
const PIECE_BYTES = 1024 * 1024;

/** A file being re-encrypted. */
export interface ReencryptedFile {
  /** The stored bytes under the new key; read once. */
  readonly bytes: AsyncIterable<Buffer>;
  /** Available after the last byte. `stream_sha256` is of the plaintext stream, which is the same in both files. */
  summary(): { size_bytes: number; checksum: string; stream_sha256: string };
}

/**
 * Encrypts a file with another key. Plaintext stream and trailer stay the same byte for byte: identity, times, frames
 * and index. A file without head and trailer gets none. Same errors as `openFile` and `readStream`.
 */
export function reencryptFile(
  source: ByteSource,
  keys: readonly Key[],
  key: Key,
  { signal }: { signal?: AbortSignal } = {},
): ReencryptedFile {
  const stored = createHash('sha256');
  const plaintext = createHash('sha256');
  let size_bytes = 0;
  async function* counted(): AsyncGenerator<Buffer> {
    for await (const piece of pieces()) {
      stored.update(piece);
      size_bytes += piece.length;
      yield piece;
    }
  }
  async function* pieces(): AsyncGenerator<Buffer> {
    const { trailer } = await openFile(source, keys, { signal });
    const sealer = new Sealer(key, trailer ? undefined : randomBytes(BASE_BYTES));
    for await (const plain of readStream(source.stream(), { keys, signal })) {
      plaintext.update(plain);
      sealer.push(plain);
      const ready = sealer.take(PIECE_BYTES);
      if (ready) yield ready;
    }
    sealer.end();
    yield sealer.take(0) ?? Buffer.alloc(0);
    if (trailer) yield sealTrailer(key, sealer.base, size_bytes, trailer.bytes);
  }
  const summary = () => ({
    size_bytes,
    checksum: stored.copy().digest('hex'),
    stream_sha256: plaintext.copy().digest('hex'),
  });
  return { bytes: counted(), summary };
}
