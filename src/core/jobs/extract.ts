import {
  archiveLines,
  type ContentKind,
  type ContentReader,
  type Key,
  readContent,
  readStream,
  splitBackup,
} from '../format/index.ts';
import type { Storage, StoredObject } from '../ports/storage.ts';
import type { CallOptions } from '../ports/types.ts';

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

/** A file of ours says what it is; of the server's only the name does, and an unknown name is told by its first byte. */
async function kindOf(
  content: ContentReader,
  name: string,
): Promise<{ kind: ContentKind; pieces: AsyncIterable<Buffer> }> {
  const iterator = content[Symbol.asyncIterator]();
  const first = await iterator.next();
  async function* pieces() {
    try {
      if (!first.done) yield first.value;
      for (let next = await iterator.next(); !next.done; next = await iterator.next()) yield next.value;
    } finally {
      await iterator.return?.();
    }
  }
  return { kind: content.head?.kind ?? kindByName(name) ?? kindByStart(first.value), pieces: pieces() };
}

function kindByName(name: string): ContentKind | undefined {
  if (name.endsWith('.bifract-archive')) return 'archive';
  return name.endsWith('.bifract-backup') ? 'backup' : undefined;
}

function kindByStart(first: Buffer | undefined): ContentKind {
  return first?.subarray(0, 100).includes('_bifract_archive_version') ? 'archive' : 'backup';
}
