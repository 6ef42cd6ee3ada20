import type {
  BackupFile,
  CopyItem,
  DeleteItem,
  DeletePlan,
  RestorePlan,
  RestoreQuery,
  RestoreTable,
} from '../../src/core/index.ts';

const GIB = 1024 ** 3;

function table(name: string, rows_backup: number | null, rows_now: number | null): RestoreTable {
  const where = rows_backup === null ? 'database' : rows_now === null ? 'backup' : 'both';
  return { schema: 'public', name, rows_backup, rows_now, where };
}

/** A restore plan for the query; `given` overrides. */
export function fakeRestorePlan(
  { file, target, no_owner = false, no_privileges = no_owner, no_tablespaces = false }: RestoreQuery,
  given: Partial<RestorePlan> = {},
): RestorePlan {
  const live = target.kind === 'live';
  return {
    planned_at: new Date().toISOString(),
    target,
    no_owner,
    no_privileges,
    no_tablespaces,
    file: {
      name: file,
      path: `/opt/bifract/backups/${file}`,
      size_bytes: 48_000_000,
      checksum: 'ab'.repeat(32),
      sealed: true,
      key_id: '9f31c2a4',
    },
    backup: {
      timestamp: new Date(Date.now() - 3 * 86_400_000).toISOString(),
      tool: 'bifract-console 0.1.0',
      server_version: '16.4',
      pg_dump_version: '16.4',
      database: 'bifract',
      rows: 61_234,
      dump_bytes: 0.3 * GIB,
    },
    database: live ? 'bifract' : target.kind === 'beside' ? target.database : 'bifract_drill_1',
    replaces: live ? { oid: 16_384, size_bytes: 0.5 * GIB } : null,
    server_version: '16.4',
    pg_restore: { location: 'docker compose exec -T postgres pg_restore', version: '16.4' },
    tables: [
      table('alerts', 17, live ? 17 : null),
      table('archives', 300, live ? 312 : null),
      table('fractals', 9, live ? 9 : null),
      table('saved_searches', 120, live ? 100 : null),
      ...(live ? [table('made_since', null, 44)] : []),
      table('users', 12, live ? 12 : null),
    ],
    sessions: [],
    space: { needed_bytes: GIB, free_bytes: 80 * GIB },
    app: live ? { name: 'bifract', running: true } : null,
    containers: live ? ['bifract-ingest', 'bifract'].map((name) => ({ name, running: true })) : [],
    warnings: [],
    obstacles: [],
    ...given,
  };
}

/** A backup in a deletion plan; `given` overrides. */
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

/** A deletion plan for `items`; `given` overrides. */
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

/** A file in a copy plan; `given` overrides. */
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
