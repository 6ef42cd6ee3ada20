import { BifractError } from '../../contract/errors.ts';
import { type BackupManifest, type ContentSummary, readContent, splitBackup } from '../../format/index.ts';
import type { Key } from '../../ports/key.ts';
import type { Storage, StoredObject } from '../../ports/storage.ts';
import { kindOf } from '../inspect/content-kind.ts';

/** A backup in storage. */
export interface BackupSource {
  storage: Storage;
  object: StoredObject;
  keys: readonly Key[];
}

/** A backup being read. */
export interface OpenBackup {
  manifest: BackupManifest;
  /** Read it once to the end: only then is it verified. */
  dump: AsyncIterable<Buffer>;
  /** Stored bytes read, and content bytes returned. */
  progress(): { bytes_in: number; bytes_out: number };
  summary(): ContentSummary;
}

/**
 * Opens a backup for reading. `NOT_BIFRACT` for an archive; else errors of `readContent`, also while reading.
 */
export async function openBackup(
  { storage, object, keys }: BackupSource,
  signal?: AbortSignal,
): Promise<OpenBackup> {
  const content = readContent(storage.stream(object.name, { signal }), { keys, signal });
  const { kind, pieces } = await kindOf(content, object.name);
  if (kind === 'archive') {
    throw new BifractError('NOT_BIFRACT', `${object.name} is an archive of logs, not a backup`, {
      hint: 'Use `bifract restore-archive` to restore its rows.',
    });
  }
  const { manifest, dump } = await splitBackup(pieces);
  return { manifest, dump, progress: () => content.progress(), summary: () => content.summary() };
}
