import {
  type ArchiveRow,
  archiveBytes,
  type BackupManifest,
  type ByteSource,
  type ContentKind,
  type Key,
  parseLine,
  readContent,
  splitBackup,
} from '../format/index.ts';
import type { CallOptions } from '../ports/types.ts';
import { kindByStart } from './content-kind.ts';
import { fromFront, frontOf } from './front.ts';

/** Stored bytes that may be read of a file that must be read from its front. */
const FRONT_BYTES = 4 * 1024 * 1024;

/** What the front of a file tells. */
export interface Front {
  kind: ContentKind;
  /** Of a backup. */
  manifest: BackupManifest | null;
  /** The first row of an archive; null where it has none, or it could not be read. */
  first: ArchiveRow | null;
  /** Whether more than the front would have been needed. */
  over: boolean;
}

/** Reads the manifest of a backup, or the first row of an archive, from the front of a file. */
export async function readFront(
  source: ByteSource,
  keys: readonly Key[],
  kind: ContentKind | undefined,
  { signal }: CallOptions = {},
): Promise<Front> {
  const content = () => readContent(frontOf(source, FRONT_BYTES), { keys, signal });
  const known = kind ?? (await fromFront(() => kindOfStart(content()))) ?? 'archive';
  if (known === 'backup') {
    const split = await fromFront(() => splitBackup(content()));
    return { kind: known, manifest: split?.manifest ?? null, first: null, over: split === undefined };
  }
  const first = await fromFront(() => firstRow(content()));
  return { kind: known, manifest: null, first: first ?? null, over: first === undefined };
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
