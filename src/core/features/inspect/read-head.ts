import {
  type ArchiveRow,
  archiveBytes,
  type BackupManifest,
  type ByteSource,
  type ContentKind,
  parseLine,
  readContent,
  splitBackup,
} from '../../format/index.ts';
import type { Key } from '../../ports/key.ts';
import type { CallOptions } from '../../ports/types.ts';
import { kindByStart } from './content-kind.ts';
import { headBytes, withinHead } from './head-reader.ts';

/** Maximum number of stored bytes to read. */
const HEAD_BYTES = 4 * 1024 * 1024;

/** Information from the head of a file. */
export interface HeadContent {
  kind: ContentKind;
  /** Of a backup. */
  manifest: BackupManifest | null;
  /** The first row of an archive; null if empty or unreadable. */
  first: ArchiveRow | null;
  /** Whether the limit was reached. */
  truncated: boolean;
}

/** Reads the manifest of a backup, or the first row of an archive. */
export async function readHead(
  source: ByteSource,
  keys: readonly Key[],
  kind: ContentKind | undefined,
  { signal }: CallOptions = {},
): Promise<HeadContent> {
  const content = () => readContent(headBytes(source, HEAD_BYTES), { keys, signal });
  const known = kind ?? (await withinHead(() => kindOfStart(content()))) ?? 'archive';
  if (known === 'backup') {
    const split = await withinHead(() => splitBackup(content()));
    return { kind: known, manifest: split?.manifest ?? null, first: null, truncated: split === undefined };
  }
  const first = await withinHead(() => firstRow(content()));
  return { kind: known, manifest: null, first: first ?? null, truncated: first === undefined };
}

async function kindOfStart(content: AsyncIterable<Buffer>): Promise<ContentKind> {
  for await (const piece of content) return kindByStart(piece);
  return kindByStart(undefined);
}

async function firstRow(content: AsyncIterable<Buffer>): Promise<ArchiveRow | null> {
  for await (const bytes of archiveBytes(content)) {
    const row = parseLine(bytes.subarray(0, bytes.indexOf('\n') + 1));
    return 'malformed' in row ? null : row;
  }
  return null;
}
