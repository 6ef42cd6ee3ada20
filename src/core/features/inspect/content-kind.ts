import type { ContentKind, ContentReader } from '../../format/index.ts';

/**
 * Determines the content kind: from the file itself, else from its name, else from its first bytes. `pieces`
 * yields the full content once.
 */
export async function kindOf(
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

export function kindByName(name: string): ContentKind | undefined {
  if (name.endsWith('.bifract-archive')) return 'archive';
  return name.endsWith('.bifract-backup') ? 'backup' : undefined;
}

export function kindByStart(first: Buffer | undefined): ContentKind {
  return first?.subarray(0, 100).includes('_bifract_archive_version') ? 'archive' : 'backup';
}
