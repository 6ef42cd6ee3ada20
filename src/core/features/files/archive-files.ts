import { posix } from 'node:path';
import { parseArchiveName } from '../../policy/names.ts';
import type { ArchiveRecord } from '../../ports/catalog.ts';
import { namesOf } from './target.ts';

/** Prefix of archives: a folder below the archive root on disk, part of the key on S3. */
export const ARCHIVES_PREFIX = 'archives/';

export function isArchive(name: string): boolean {
  return parseArchiveName(posix.basename(name)) !== undefined;
}

/** Records by every possible file name. */
export function byName(records: readonly ArchiveRecord[]): Map<string, ArchiveRecord> {
  return new Map(records.flatMap((record) => namesOf(record).map((name) => [name, record] as const)));
}
