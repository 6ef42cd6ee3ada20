import { BifractError } from '../../contract/errors.ts';
import type { JobContext } from '../../job/context.ts';
import { withProgress } from '../../job/progress.ts';
import type { DatabaseServer, RestoreTool } from '../../ports/database-server.ts';
import type { RestorePlan } from './contract.ts';
import { type BackupSource, openBackup } from './open-backup.ts';
import { compareCounts } from './table-counts.ts';

export interface RestoreIntoDeps extends BackupSource {
  server: DatabaseServer;
  tool: RestoreTool;
  /** The live database, whose encoding and locale are used if it exists. */
  live: string;
}

/** Content of a restored database. */
export interface Restored {
  tables: number;
  rows: number;
  /** Whether every count was compared with the manifest. */
  compared: boolean;
}

/**
 * Creates the database, restores the backup into it, and compares all counts. Throws at the first difference
 * from the plan; the caller drops the database.
 */
export async function restoreInto(
  deps: RestoreIntoDeps,
  plan: RestorePlan,
  database: string,
  context: JobContext,
): Promise<Restored> {
  const { signal, emit } = context;
  const comment = `bifract: scratch database of ${context.id}, dropped when it ends`;
  await deps.server.create(database, { like: deps.live, comment }, { signal });
  emit('job:phase', { phase: 'Restoring' });
  await feedDump(deps, plan, database, context);
  emit('job:phase', { phase: 'Comparing counts' });
  const snapshot = await deps.server.open(database).snapshot({ signal });
  try {
    const tables = await snapshot.tables({ signal });
    const compared = compareCounts(plan.tables, tables);
    return { tables: tables.length, rows: tables.reduce((sum, { rows }) => sum + rows, 0), compared };
  } finally {
    await snapshot.close();
  }
}

async function feedDump(
  deps: RestoreIntoDeps,
  plan: RestorePlan,
  database: string,
  { signal, emit }: JobContext,
): Promise<void> {
  const { dump, progress, summary } = await openBackup(deps, signal);
  let item: string | undefined;
  const total_bytes = plan.file.size_bytes;
  const fed = withProgress(dump, emit, () => ({ item, total_bytes, bytes_in: progress().bytes_in }));
  const onTable = (table: string) => {
    item = table;
  };
  await deps.tool.restore(fed, { database, no_owner: plan.no_owner, signal, onTable });
  if (summary().checksum === plan.file.checksum) return;
  throw new BifractError('CHECKSUM_DIFFERS', `${plan.file.name} changed after the restore was planned`, {
    hint: 'Nothing was replaced. Plan the restore again.',
  });
}
