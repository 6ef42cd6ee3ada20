import { BifractError } from '../../contract/errors.ts';
import {
  type ArchiveRow,
  archiveBytes,
  type BackupManifest,
  type ByteSource,
  type ContentKind,
  type ContentReader,
  type FileDescription,
  parseLine,
  readContent,
  splitBackup,
} from '../../format/index.ts';
import type { Key } from '../../ports/key.ts';
import type { CallOptions } from '../../ports/types.ts';
import { kindByStart } from './content-kind.ts';

/** Maximum number of stored bytes to read. */
const HEAD_BYTES = 4 * 1024 * 1024;
const PIECE_BYTES = 256 * 1024;

/** Information from the head of a file. */
export interface HeadContent {
  kind: ContentKind;
  /** Of a sealed file. */
  head: FileDescription['head'];
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
  const start = await withinHead(() => startOf(content()));
  const head = start?.head ?? null;
  const known = head?.kind ?? kind ?? start?.kind ?? 'archive';
  if (known === 'backup') {
    const split = await withinHead(() => splitBackup(content()));
    return {
      kind: known,
      head,
      manifest: split?.manifest ?? null,
      first: null,
      truncated: split === undefined,
    };
  }
  const first = await withinHead(() => firstRow(content()));
  return { kind: known, head, manifest: null, first: first ?? null, truncated: first === undefined };
}

async function startOf(content: ContentReader): Promise<Pick<HeadContent, 'kind' | 'head'>> {
  for await (const piece of content) return { head: content.head, kind: kindByStart(piece) };
  return { head: content.head, kind: kindByStart(undefined) };
}

async function firstRow(content: AsyncIterable<Buffer>): Promise<ArchiveRow | null> {
  for await (const bytes of archiveBytes(content)) {
    const row = parseLine(bytes.subarray(0, bytes.indexOf('\n') + 1));
    return 'malformed' in row ? null : row;
  }
  return null;
}

/** The result of `read`; undefined if it needs more than the head. */
async function withinHead<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    // Decompressors report it as damage, with the original error as cause.
    const reason = error instanceof BifractError ? error.cause : error;
    if (reason instanceof HeadLimitExceeded) return undefined;
    throw error;
  }
}

/**
 * The first `limit` bytes of a file by ranged reads; throws `HeadLimitExceeded` if more is requested and the
 * file is longer.
 */
export async function* headBytes(source: ByteSource, limit: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < source.size; at += PIECE_BYTES) {
    if (at >= limit) throw new HeadLimitExceeded();
    yield await source.read(at, Math.min(PIECE_BYTES, source.size - at));
  }
}

/** Thrown by `headBytes` if a reader needs more than the limit. */
class HeadLimitExceeded extends Error {}
