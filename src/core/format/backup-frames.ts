import { type ContentFrame, frameTarget } from './frame.ts';
import { type BackupManifest, backupManifest, SEPARATOR } from './manifest.ts';

/** Cuts a backup's content (manifest, separator, dump) into frames. */
export async function* backupFrames(
  manifest: BackupManifest,
  dump: AsyncIterable<Uint8Array>,
): AsyncGenerator<ContentFrame> {
  let parts: Uint8Array[] = [Buffer.from(JSON.stringify(backupManifest(manifest))), SEPARATOR];
  let size = parts.reduce((sum, part) => sum + part.length, 0);
  let made = 0;
  for await (const piece of dump) {
    for (let rest = piece; rest.length > 0; ) {
      const part = rest.subarray(0, Math.max(0, frameTarget(made) - size));
      parts.push(part);
      size += part.length;
      rest = rest.subarray(part.length);
      if (size < frameTarget(made)) continue;
      yield frame(parts, size);
      made++;
      parts = [];
      size = 0;
    }
  }
  if (size > 0) yield frame(parts, size);
}

function frame(parts: Uint8Array[], size: number): ContentFrame {
  const bytes = Buffer.concat(parts, size);
  return { bytes, rows: 0, lines: 0, longLines: 0, first: null, last: null };
}
