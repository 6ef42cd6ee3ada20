import { BifractError, EXIT } from '../../contract/errors.ts';
import {
  type BackupManifest,
  backupManifest,
  checkDump,
  type Definitions,
  type ExpectedContents,
  readDefinitions,
  writeBackup,
} from '../../format/index.ts';
import type { JobContext } from '../../job/context.ts';
import { withProgress } from '../../job/progress.ts';
import { backupName } from '../../policy/names.ts';
import type { DatabaseSnapshot, DumpTool, TableCount } from '../../ports/database.ts';
import type { Key } from '../../ports/key.ts';
import type { Services } from '../../ports/services.ts';
import type { JobRecord } from '../../ports/state.ts';
import type { Storage } from '../../ports/storage.ts';
import { checkStoredSize } from '../files/check-size.ts';
import { freeName } from '../files/free-name.ts';
import type { BackupRequest, BackupSummary } from './contract.ts';

/**
 * How much of the database is read twice, so that its contents in the dump can be compared: all of it, in nearly every
 * installation. More would slow down the backup of a large one.
 */
const CHECKSUM_BYTES = 256 * 1024 * 1024;

/** What a backup is made with. */
export type BackupServices = Pick<
  Services,
  'database' | 'dumpTool' | 'backups' | 'key' | 'variables' | 'installation'
>;

/**
 * Backs up the PostgreSQL database into one encrypted file.
 *
 * Dump, row counts and checksums come from one snapshot. The file becomes visible only after pg_dump has succeeded and
 * all bytes are durable.
 */
export async function backup(
  services: BackupServices & Pick<Services, 'state'>,
  _request: BackupRequest,
  context: JobContext,
): Promise<BackupSummary> {
  const { id, now } = context;
  const { state } = services;
  let record: JobRecord = { id, kind: 'backup', started_at: now().toISOString() };
  let left = false;
  await state.save(record);
  const onName = async (object: string) => {
    record = { ...record, object };
    await state.save(record);
  };
  const onLeft = () => {
    left = true;
  };
  try {
    return await backupNow(services, { exclusive: true, onName, onLeft }, context);
  } finally {
    // What is left of it, a later job removes.
    await (left ? state.saveInterrupted(record) : state.remove(id));
  }
}

interface BackupOptions {
  /**
   * Fail with `BUSY` while another backup or a restore of the database runs; not for the backup of a restore
   * itself.
   */
  exclusive: boolean;
  /** Why it is made if not requested by the user; such a backup is never pruned. */
  reason?: string;
  /** Called with the file name before writing, for the job record. */
  onName?: (name: string) => Promise<void>;
  /** Called if the unfinished file could not be removed. */
  onLeft?: () => void;
}

/** The same within another job, which keeps its own job record. */
export async function backupNow(
  services: BackupServices,
  options: BackupOptions,
  context: JobContext,
): Promise<BackupSummary> {
  const started = performance.now();
  const { signal, emit } = context;
  const database = await services.database();
  const parts = {
    tool: await services.dumpTool(),
    storage: await services.backups(),
    key: await services.key(),
  };
  emit('job:phase', { phase: 'Taking a snapshot' });
  const snapshot = await database.snapshot({ signal, exclusive: options.exclusive });
  try {
    emit('job:phase', { phase: 'Counting rows' });
    const tables = await snapshot.tables({ signal, checksum_bytes: CHECKSUM_BYTES });
    emit('job:phase', { phase: 'Reading definitions' });
    const definitions = await definitionsOf(parts.tool, snapshot, signal);
    const source = { ...parts, snapshot, tables, definitions };
    const manifest = await makeManifest(services, source, context);
    const file = await writeFile(source, manifest, options, context);
    const rows = tables.reduce((sum, table) => sum + table.rows, 0);
    const compared_tables = tables.filter(({ crc32 }) => crc32 !== undefined).length;
    const duration_ms = Math.round(performance.now() - started);
    return { ...file, tables: tables.length, rows, compared_tables, duration_ms };
  } finally {
    await snapshot.close();
  }
}

interface BackupSource {
  tool: DumpTool;
  storage: Storage;
  key: Key;
  snapshot: DatabaseSnapshot;
  tables: TableCount[];
  definitions: Definitions;
}

/** What the dump must define: another pg_dump in the same snapshot says it. */
async function definitionsOf(
  tool: DumpTool,
  { id, properties: { encoding } }: DatabaseSnapshot,
  signal: AbortSignal,
): Promise<Definitions> {
  try {
    return await readDefinitions(tool.dump({ snapshot: id, encoding, signal, only_definitions: true }));
  } catch (error) {
    throw notProven(error);
  }
}

async function makeManifest(
  { installation: { version }, variables }: BackupServices,
  { tool, snapshot, tables }: BackupSource,
  { signal, now }: JobContext,
): Promise<BackupManifest> {
  return backupManifest({
    version,
    timestamp: now().toISOString(),
    env_vars: variables,
    bifract_console: {
      format: 1,
      tool: `bifract-console ${version}`,
      server_version: snapshot.server_version,
      pg_dump_version: await tool.version({ signal }),
      database: snapshot.database,
      database_bytes: snapshot.size_bytes,
      properties: snapshot.properties,
      extensions: snapshot.extensions,
      large_objects: snapshot.large_objects,
      tables,
    },
  });
}

async function writeFile(
  { tool, storage, key, snapshot, tables, definitions }: BackupSource,
  manifest: BackupManifest,
  { reason, onName, onLeft }: BackupOptions,
  context: JobContext,
): Promise<Pick<BackupSummary, 'name' | 'storage_type' | 'size_bytes' | 'content_bytes' | 'checksum'>> {
  const { signal, emit, now } = context;
  emit('job:phase', { phase: 'Dumping' });
  const estimate = tables.reduce((sum, table) => sum + table.size_bytes, 0);
  let item: string | undefined;
  const dump = tool.dump({
    snapshot: snapshot.id,
    encoding: snapshot.properties.encoding,
    signal,
    onTable: (table) => {
      item = table;
    },
  });
  const head = { created: now().toISOString(), tool: `bifract-console ${manifest.version}`, reason };
  const expected = { tables, large_objects: snapshot.large_objects, definitions };
  const file = writeBackup(manifest, provenDump(dump, expected), { key, head, signal });
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
    onLeft,
    // Dumps compress to a quarter or less; reserving the full size would reject disks with enough space.
    expected_bytes: Math.round(estimate / 4),
  });
  const { size_bytes, content_bytes, checksum } = await checkStoredSize(storage, object, file.summary());
  return { name, storage_type: storage.kind, size_bytes, content_bytes, checksum };
}

/**
 * A dump that is proven before it ends: a container client, ssh or a wrapper around pg_dump can lose or change part of its
 * output and still exit with 0. What is not proven is never sealed.
 */
async function* provenDump(dump: AsyncIterable<Buffer>, expected: ExpectedContents): AsyncGenerator<Buffer> {
  try {
    yield* checkDump(dump, expected, { fresh: true });
  } catch (error) {
    throw notProven(error);
  }
}

function notProven(error: unknown): unknown {
  if (!(error instanceof BifractError) || error.exitCode !== EXIT.integrity || error.hint) return error;
  return new BifractError(error.code, error.message, {
    hint: 'No backup was made. Run it again; if that fails too, check what starts pg_dump (a container client or wrapper may lose or change part of its output) and the memory of this machine.',
    cause: error,
  });
}
