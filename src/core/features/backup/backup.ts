import { type BackupManifest, backupManifest, writeBackup } from '../../format/index.ts';
import type { JobContext } from '../../job/context.ts';
import { withProgress } from '../../job/progress.ts';
import { backupName } from '../../policy/names.ts';
import type { Database, DatabaseSnapshot, DumpTool, TableCount } from '../../ports/database.ts';
import type { Key } from '../../ports/key.ts';
import type { State } from '../../ports/state.ts';
import type { Storage } from '../../ports/storage.ts';
import { checkStoredSize } from '../files/check-size.ts';
import { freeName } from '../files/free-name.ts';
import type { BackupSummary } from './contract.ts';

export interface BackupDeps {
  database: Database;
  dumpTool: DumpTool;
  storage: Storage;
  state: State;
  key: Key;
  /** The `.env` variables for the manifest, without the key. */
  variables: Record<string, string>;
  /** This program's version. */
  version: string;
}

/**
 * Backs up the PostgreSQL database into one encrypted file.
 *
 * Dump and row counts come from one snapshot. The file becomes visible only after pg_dump has succeeded and
 * all bytes are durable.
 */
export async function backup(deps: BackupDeps, context: JobContext): Promise<BackupSummary> {
  const { id, now } = context;
  const record = { id, kind: 'backup', started_at: now().toISOString() } as const;
  await deps.state.save(record);
  const onName = (object: string) => deps.state.save({ ...record, object });
  try {
    return await backupNow(deps, { exclusive: true, onName }, context);
  } finally {
    await deps.state.remove(id);
  }
}

export interface BackupOptions {
  /**
   * Fail with `BUSY` while another backup or a restore of the database runs; not for the backup of a restore
   * itself.
   */
  exclusive: boolean;
  /** Why it is made if not requested by the user; such a backup is never pruned. */
  reason?: string;
  /** Called with the file name before writing, for the job record. */
  onName?: (name: string) => Promise<void>;
}

/** The same within another job, which keeps its own job record. */
export async function backupNow(
  deps: BackupDeps,
  { exclusive, reason, onName }: BackupOptions,
  context: JobContext,
): Promise<BackupSummary> {
  const started = performance.now();
  context.emit('job:phase', { phase: 'Taking a snapshot' });
  const snapshot = await deps.database.snapshot({ signal: context.signal, exclusive });
  try {
    context.emit('job:phase', { phase: 'Counting rows' });
    const tables = await snapshot.tables({ signal: context.signal });
    const manifest = await makeManifest(deps, snapshot, tables, context);
    const stored = await dumpInto(deps, snapshot, tables, { manifest, reason, onName }, context);
    const rows = tables.reduce((sum, table) => sum + table.rows, 0);
    return { ...stored, tables: tables.length, rows, duration_ms: Math.round(performance.now() - started) };
  } finally {
    await snapshot.close();
  }
}

async function makeManifest(
  deps: BackupDeps,
  snapshot: DatabaseSnapshot,
  tables: TableCount[],
  { signal, now }: JobContext,
): Promise<BackupManifest> {
  return backupManifest({
    version: deps.version,
    timestamp: now().toISOString(),
    env_vars: deps.variables,
    bifract_console: {
      format: 1,
      tool: `bifract-console ${deps.version}`,
      server_version: snapshot.server_version,
      pg_dump_version: await deps.dumpTool.version({ signal }),
      database: snapshot.database,
      database_bytes: snapshot.size_bytes,
      tables,
    },
  });
}

async function dumpInto(
  { dumpTool, storage, key, version }: BackupDeps,
  snapshot: DatabaseSnapshot,
  tables: TableCount[],
  { manifest, reason, onName }: { manifest: BackupManifest } & Pick<BackupOptions, 'reason' | 'onName'>,
  context: JobContext,
): Promise<Pick<BackupSummary, 'name' | 'storage_type' | 'size_bytes' | 'content_bytes' | 'checksum'>> {
  const { signal, emit, now } = context;
  emit('job:phase', { phase: 'Dumping' });
  const estimate = tables.reduce((sum, table) => sum + table.size_bytes, 0);
  let item: string | undefined;
  const dump = dumpTool.dump({
    snapshot: snapshot.id,
    signal,
    onTable: (table) => {
      item = table;
    },
  });
  const head = { created: now().toISOString(), tool: `bifract-console ${version}`, reason };
  const file = writeBackup(manifest, dump, { key, head, signal });
  const progress = () => {
    const { bytes_in, bytes_out } = file.progress();
    // Once the estimate is exceeded, the total is unknown.
    return { item, bytes_in, bytes_out, ...(bytes_in <= estimate ? { total_bytes: estimate } : {}) };
  };
  const name = await freeName(storage, now(), backupName, signal);
  await onName?.(name);
  const object = await storage.put(name, withProgress(file.bytes, emit, progress), {
    signal,
    job: context.id,
    // Dumps compress to a quarter or less; reserving the full size would reject disks with enough space.
    expected_bytes: Math.round(estimate / 4),
  });
  const { size_bytes, content_bytes, checksum } = await checkStoredSize(storage, object, file.summary());
  return { name, storage_type: storage.kind, size_bytes, content_bytes, checksum };
}
