import type { BackupFile, CopyItem, DeleteItem, DeletePlan } from '../../src/core/index.ts';

/** A backup that a deletion plan lets go; what is given wins. */
export function fakeDeleteItem(
  { name, path, size_bytes, created_at }: BackupFile,
  given: Partial<DeleteItem> = {},
): DeleteItem {
  return {
    kind: 'backup',
    id: name,
    title: 'Backup',
    storage_type: 'disk',
    name,
    path,
    size_bytes,
    modified_at: created_at,
    archive_id: null,
    created_at,
    action: 'delete',
    refusal: null,
    notes: [],
    ...given,
  };
}

/** A deletion of these. */
export function fakeDeletePlan(items: DeleteItem[], given: Partial<DeletePlan> = {}): DeletePlan {
  const freed_bytes = items.reduce((sum, item) => sum + (item.action === 'delete' ? item.size_bytes : 0), 0);
  return {
    id: 'plan',
    planned_at: new Date().toISOString(),
    items,
    freed_bytes,
    backups_left: null,
    ...given,
  };
}

/** A file that a copy takes to S3; what is given wins. */
export function fakeCopyItem(target: string, given: Partial<CopyItem> = {}): CopyItem {
  return {
    target,
    place: 'backups',
    name: target,
    from: 's3',
    from_path: `s3://bucket/${target}`,
    to_path: `/opt/bifract/backups/${target}`,
    size_bytes: 48_000_000,
    modified_at: new Date().toISOString(),
    archive_id: null,
    action: 'copy',
    refusal: null,
    ...given,
  };
}
