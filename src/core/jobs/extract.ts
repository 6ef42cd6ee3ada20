import { archiveLines, type Key, readContent, readStream, splitBackup } from '../format/index.ts';
import type { Storage, StoredObject } from '../ports/storage.ts';
import type { CallOptions } from '../ports/types.ts';
import { kindByName, kindOf } from './content-kind.ts';

export type ExtractPart = 'content' | 'manifest' | 'raw';

export interface ExtractSource {
  storage: Storage;
  object: StoredObject;
  keys: readonly Key[];
}

/**
 * What a file holds: of a backup the dump (or its manifest, as JSON), of an archive the NDJSON as stored; `raw`
 * is the decrypted stream, whatever it is, as is the content of a sealed stream that is neither. All of it is verified while it flows, the manifest's file to its
 * end as well: who reads to the end without an error has the content of a whole file.
 */
export async function* extract(
  { storage, object, keys }: ExtractSource,
  part: ExtractPart,
  options: CallOptions = {},
): AsyncIterable<Buffer> {
  const read = { keys, signal: options.signal };
  const stored = () => storage.stream(object.name, options);
  if (part === 'raw' || (await isBare(object.name, readStream(stored(), read)))) {
    yield* readStream(stored(), read);
    return;
  }
  const content = readContent(stored(), read);
  const { kind, pieces } = await kindOf(content, object.name);
  if (kind === 'archive') yield* withHeaderChecked(pieces);
  else yield* backupPart(pieces, part);
}

/** zstd's frames begin with 28 B5 2F FD, skippable ones with 50 … 5F 2A 4D 18. */
const FRAME_START = /^(28b52ffd|5[0-9a-f]2a4d18)/;

/** Whether a file that is named neither backup nor archive holds something else than compressed content. */
async function isBare(name: string, plaintext: AsyncIterable<Buffer>): Promise<boolean> {
  if (kindByName(name)) return false;
  let start = '';
  for await (const piece of plaintext) {
    start += piece.toString('hex', 0, 4);
    if (start.length >= 8) break;
  }
  return !FRAME_START.test(start);
}

async function* backupPart(
  content: AsyncIterable<Buffer>,
  part: 'content' | 'manifest',
): AsyncIterable<Buffer> {
  const { manifest, dump } = await splitBackup(content);
  if (part === 'content') {
    yield* dump;
    return;
  }
  for await (const _ of dump);
  yield Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`);
}

/** The content as it is stored, while the archive's own reader makes sure that it is an archive's. */
async function* withHeaderChecked(content: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
  let held: Buffer[] = [];
  async function* tapped() {
    for await (const piece of content) {
      held.push(piece);
      yield piece;
    }
  }
  for await (const _ of archiveLines(tapped())) {
    yield* held;
    held = [];
  }
  yield* held;
}
