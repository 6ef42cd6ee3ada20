import type { Hash } from 'node:crypto';
import { type ContentFrame, frameTarget } from './frame.ts';
import { FrameMemory } from './frame-memory.ts';
import { type BackupManifest, backupManifest, SEPARATOR } from './manifest.ts';

/** Cuts a backup's content (manifest, separator, dump) into frames; `hash` gets all of it. */
export async function* backupFrames(
  manifest: BackupManifest,
  dump: AsyncIterable<Uint8Array>,
  hash: Hash,
): AsyncGenerator<ContentFrame> {
  const memory = new FrameMemory();
  let bytes = memory.take(frameTarget(0));
  let size = 0;
  let made = 0;
  for await (const piece of content(manifest, dump)) {
    hash.update(piece);
    for (let rest = piece; rest.length > 0; ) {
      const target = frameTarget(made);
      const part = rest.subarray(0, target - size);
      bytes.set(part, size);
      size += part.length;
      rest = rest.subarray(part.length);
      if (size < target) continue;
      yield frame(bytes, size, memory);
      bytes = memory.take(frameTarget(++made));
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

function frame(bytes: Buffer, size: number, memory: FrameMemory): ContentFrame {
  const free = () => memory.give(bytes, size);
  return { bytes: bytes.subarray(0, size), rows: 0, lines: 0, longLines: 0, first: null, last: null, free };
}
