import type { Orphan } from '../files.ts';
import { backupTime } from '../policy/names.ts';
import type { Storage } from '../ports/storage.ts';
import type { CallOptions } from '../ports/types.ts';
import { pathOf } from './target.ts';

const SUFFIX = '.bifract-backup';

/**
 * Files that call themselves backups under names that lists and retention do not know: renamed ones, copies. In a bucket only those whose name
 * begins as ours do are looked for: it may be shared, and large.
 */
export async function strangers(backups: Storage, options: CallOptions): Promise<Orphan[]> {
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
      title: 'Backup under a name that the lists do not know',
      path: pathOf(backups, name),
      size_bytes,
      since: modified_at,
      fractal_name: null,
      actions: [],
    });
  }
  return found;
}
