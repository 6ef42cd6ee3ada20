import { BifractError } from '../../contract/errors.ts';
import type { JobContext } from '../../job/context.ts';
import { withProgress } from '../../job/progress.ts';
import type { RestoreTool } from '../../ports/database-server.ts';
import type { Services } from '../../ports/services.ts';
import type { RestorePlan } from './contract.ts';
import { type BackupSource, openBackup } from './open-backup.ts';
import { compareCounts, countTables } from './table-counts.ts';

export type LoadServices = Pick<Services, 'server' | 'restoreTool' | 'database_name'>;

/** Which backup is restored into which new database. */
export interface Load {
  plan: RestorePlan;
  source: BackupSource;
  database: string;
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
  services: LoadServices,
  { plan, source, database }: Load,
  context: JobContext,
): Promise<Restored> {
  const { signal, emit } = context;
  const server = await services.server();
  const tool = await services.restoreTool();
  const comment = `bifract: scratch database of ${context.id}, dropped when it ends`;
  // Encoding and locale of the live database, if it exists.
  await server.create(database, { like: services.database_name, comment }, { signal });
  emit('job:phase', { phase: 'Restoring' });
  await feedDump(tool, { plan, source, database }, context);
  emit('job:phase', { phase: 'Comparing counts' });
  const tables = await countTables(server, database, { signal });
  const compared = compareCounts(plan.tables, tables);
  return { tables: tables.length, rows: tables.reduce((sum, { rows }) => sum + rows, 0), compared };
}

async function feedDump(
  tool: RestoreTool,
  { plan, source, database }: Load,
  { signal, emit }: JobContext,
): Promise<void> {
  const { dump, progress, summary } = await openBackup(source, { signal });
  let item: string | undefined;
  const total_bytes = plan.file.size_bytes;
  const fed = withProgress(dump, emit, () => ({ item, total_bytes, bytes_in: progress().bytes_in }));
  const onTable = (table: string) => {
    item = table;
  };
  await tool.restore(fed, { database, no_owner: plan.no_owner, signal, onTable });
  if (summary().checksum === plan.file.checksum) return;
  throw new BifractError('CHECKSUM_DIFFERS', `${plan.file.name} changed after the restore was planned`, {
    hint: 'Nothing was replaced. Plan the restore again.',
  });
}
