import { archiveLines, type Key, readContent, readStream, splitBackup } from '../format/index.ts';
import type { Storage, StoredObject } from '../ports/storage.ts';
import type { CallOptions } from '../ports/types.ts';
import { kindOf } from './content-kind.ts';

export type ExtractPart = 'content' | 'manifest' | 'raw';

export interface ExtractSource {
  storage: Storage;
  object: StoredObject;
  keys: readonly Key[];
}

/**
 * What a file holds: of a backup the dump (or its manifest, as JSON), of an archive the NDJSON as stored; `raw`
 * is the decrypted stream, whatever it is. All of it is verified while it flows, the manifest's file to its
 * end as well: who reads to the end without an error has the content of a whole file.
 */
export async function* extract(
  { storage, object, keys }: ExtractSource,
  part: ExtractPart,
  options: CallOptions = {},
): AsyncIterable<Buffer> {
  const stored = storage.stream(object.name, options);
  if (part === 'raw') {
    yield* readStream(stored, { keys, signal: options.signal });
    return;
  }
  const content = readContent(stored, { keys, signal: options.signal });
  const { kind, pieces } = await kindOf(content, object.name);
  if (kind === 'archive') yield* withHeaderChecked(pieces);
  else yield* backupPart(pieces, part);
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
