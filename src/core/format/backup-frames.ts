import type { Hash } from 'node:crypto';
import { type ContentFrame, frameTarget } from './frame.ts';
import { FrameBufferPool } from './frame-buffer-pool.ts';
import { type BackupManifest, backupManifest, SEPARATOR } from './manifest.ts';

/** Splits a backup's content (manifest, separator, dump) into frames. `hash` receives all content. */
export async function* backupFrames(
  manifest: BackupManifest,
  dump: AsyncIterable<Uint8Array>,
  hash: Hash,
): AsyncGenerator<ContentFrame> {
  const memory = new FrameBufferPool();
  let bytes = memory.acquire(frameTarget(0));
  let size = 0;
  let index = 0;
  for await (const piece of content(manifest, dump)) {
    hash.update(piece);
    for (let rest = piece; rest.length > 0; ) {
      const target = frameTarget(index);
      const part = rest.subarray(0, target - size);
      bytes.set(part, size);
      size += part.length;
      rest = rest.subarray(part.length);
      if (size < target) continue;
      yield frame(bytes, size, memory);
      bytes = memory.acquire(frameTarget(++index));
      size = 0;
    }
  }
  if (size > 0) yield frame(bytes, size, memory);
}

async function* content(
  manifest: BackupManifest,
  dump: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  yield Buffer.from(JSON.stringify(backupManifest(manifest)));
  yield SEPARATOR;
  yield* dump;
}

function frame(bytes: Buffer, size: number, memory: FrameBufferPool): ContentFrame {
  const free = () => memory.recycle(bytes, size);
  return { bytes: bytes.subarray(0, size), rows: 0, lines: 0, longLines: 0, first: null, last: null, free };
}
