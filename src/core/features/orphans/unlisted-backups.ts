import { backupTime } from '../../policy/names.ts';
import type { Storage } from '../../ports/storage.ts';
import type { CallOptions } from '../../ports/types.ts';
import { pathOf } from '../files/target.ts';
import type { Orphan } from './contract.ts';

const SUFFIX = '.bifract-backup';

/**
 * Backup files with nonstandard names, unknown to lists and retention: renamed files, copies. In a bucket,
 * only names with the standard prefix: it may be shared and large.
 */
export async function unlistedBackups(backups: Storage, options: CallOptions): Promise<Orphan[]> {
  const found: Orphan[] = [];
  for await (const { name, size_bytes, modified_at } of backups.list(
    backups.kind === 's3' ? 'bifract-backup-' : '',
    options,
  )) {
    if (!name.endsWith(SUFFIX) || backupTime(name)) continue;
    found.push({
      kind: 'file',
      place: 'backups',
      id: name,
      title: 'Backup with a nonstandard name',
      path: pathOf(backups, name),
      size_bytes,
      since: modified_at,
      fractal_name: null,
      actions: [],
    });
  }
  return found;
}
