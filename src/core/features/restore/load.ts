import { asBifractError, BifractError } from '../../contract/errors.ts';
import type { JobContext } from '../../job/context.ts';
import { withProgress } from '../../job/progress.ts';
import type { DatabaseProperties } from '../../ports/database.ts';
import type {
  DatabaseServer,
  PropertyPart,
  RefusedProperty,
  RestoreTool,
} from '../../ports/database-server.ts';
import type { Services } from '../../ports/services.ts';
import type { RestorePlan } from './contract.ts';
import { type BackupSource, type OpenBackup, openBackup } from './open-backup.ts';
import { localeText, restoredProperties, withLocaleOf } from './properties.ts';
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
 * All of a restore but the swap, the same for a test restore: creates the database, restores the backup into it, compares
 * all counts, collects statistics, and sets its properties. Throws at the first difference from the plan; the caller drops
 * the database.
 */
export async function restoreInto(
  services: LoadServices,
  { plan, source, database }: Load,
  context: JobContext,
): Promise<Restored> {
  const backup = await openBackup(source, context);
  try {
    return await restoreOpened(services, { plan, database, backup }, context);
  } finally {
    await backup.close();
  }
}

interface OpenLoad extends Omit<Load, 'source'> {
  backup: OpenBackup;
}

async function restoreOpened(
  services: LoadServices,
  { plan, database, backup }: OpenLoad,
  context: JobContext,
): Promise<Restored> {
  const { signal, emit } = context;
  const server = await services.server();
  const tool = await services.restoreTool();
  const final_name = plan.target.kind === 'drill' ? services.database_name : plan.database;
  const known = {
    saved: backup.manifest.bifract_console?.properties,
    now: await server.properties(services.database_name, { signal }),
  };
  const created = { ...plan, database: final_name };
  const { properties, refused } = restoredProperties(known, created, await server.info({ signal }));
  warnOf(refused, context);
  const kept = await createDatabase(server, { plan, database, properties, now: known.now }, context);
  const apply = async (part: PropertyPart) => {
    if (kept) warnOf(await server.applyProperties(database, kept, { part, final_name }, { signal }), context);
  };
  // Functions, and views that are filled during the restore, may depend on settings.
  await apply('settings');
  emit('job:phase', { phase: 'Restoring' });
  await feedDump(tool, { plan, database, backup }, context);
  emit('job:phase', { phase: 'Comparing counts' });
  const tables = await countTables(server, database, { signal });
  const compared = compareCounts(plan.tables, tables);
  emit('job:phase', { phase: 'Collecting statistics' });
  await server.analyze(database, { signal });
  await apply('other');
  return { tables: tables.length, rows: tables.reduce((sum, { rows }) => sum + rows, 0), compared };
}

interface Creation extends Omit<Load, 'source'> {
  properties: DatabaseProperties | undefined;
  /** Those of the installation's database. */
  now: DatabaseProperties | undefined;
}

/** Creates the empty database. Returns the properties that it is to have. */
async function createDatabase(
  server: DatabaseServer,
  { plan, database, properties, now }: Creation,
  { signal, emit, id }: JobContext,
): Promise<DatabaseProperties | undefined> {
  const comment = `bifract: scratch database of ${id}, dropped when it ends`;
  try {
    await server.create(database, { properties, comment }, { signal });
    return properties;
  } catch (thrown) {
    const error = asBifractError(thrown);
    // The live database shows which locale its server was meant to have; a new one has nothing to go by.
    if (error.code !== 'UNSUPPORTED' || !properties || !now || plan.target.kind === 'beside') throw error;
    const kept = withLocaleOf(properties, now);
    if (localeText(kept) === localeText(properties)) throw error;
    await server.create(database, { properties: kept, comment }, { signal });
    emit('job:warning', {
      message: `${error.message}. It keeps ${localeText(now)}; text may sort differently.`,
    });
    return kept;
  }
}

function warnOf(refused: RefusedProperty[], { emit }: Pick<JobContext, 'emit'>): void {
  for (const { statement, reason } of refused)
    emit('job:warning', {
      message: `A property of the database was not set: ${reason}. After the restore, run as a superuser: ${statement};`,
    });
}

async function feedDump(
  tool: RestoreTool,
  { plan, database, backup: { dump, progress, summary } }: OpenLoad,
  { signal, emit }: JobContext,
): Promise<void> {
  let item: string | undefined;
  const total_bytes = plan.file.size_bytes;
  const fed = withProgress(dump, emit, () => ({ item, total_bytes, bytes_in: progress().bytes_in }));
  const onTable = (table: string) => {
    item = table;
  };
  const { no_owner, no_privileges, no_tablespaces } = plan;
  await tool.restore(fed, { database, no_owner, no_privileges, no_tablespaces, signal, onTable });
  if (summary().checksum === plan.file.checksum) return;
  throw new BifractError('CHECKSUM_DIFFERS', `${plan.file.name} changed after the restore was planned`, {
    hint: 'Nothing was replaced. Plan the restore again.',
  });
}
