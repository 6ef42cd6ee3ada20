import { BifractError } from '../../contract/errors.ts';
import type { DumpNeeds } from '../../format/index.ts';
import type { AppContainer, DatabaseServer, RestoreTool, ServerInfo } from '../../ports/database-server.ts';
import type { Services } from '../../ports/services.ts';
import type { JobRecord } from '../../ports/state.ts';
import type { CallOptions } from '../../ports/types.ts';
import { ARCHIVES_PREFIX, isArchive } from '../files/archive-files.ts';
import { type FileServices, locate } from '../files/find-target.ts';
import { otherStorage } from '../files/record-file.ts';
import { pathOf } from '../files/target.ts';
import { type Findings, findObstacles, findWarnings } from './checks.ts';
import type { RestorePlan, RestoreQueries, RestoreQuery } from './contract.ts';
import { type BackupSource, openBackup } from './open-backup.ts';
import { countTables, mergeTables } from './table-counts.ts';

/** The container of the Bifract server, by its service. */
const SERVER = 'bifract';

type PlanServices = FileServices &
  Pick<Services, 'keys' | 'server' | 'restoreTool' | 'containers' | 'state' | 'database_name' | 'now'>;

type PlanOptions = NonNullable<Parameters<RestoreQueries['planRestore']>[1]>;

/** Reads the backup in full and plans its restore; see `RestoreQueries.planRestore`. Changes nothing. */
export async function planRestore(
  services: PlanServices,
  query: RestoreQuery,
  options: PlanOptions = {},
): Promise<RestorePlan> {
  const source = { ...(await locate(services, query.file, options)), keys: await services.keys() };
  const parts = {
    source,
    server: await services.server(),
    tool: await services.restoreTool(),
    containers: await services.containers(),
    now: services.now(),
    live: services.database_name,
  };
  const database = nameOf(query, services.database_name, parts.now);
  const found = await gatherFindings(services, parts, query, database, options);
  return freeze(await assemble(parts, found, await services.state.running(), options));
}

interface PlanParts {
  source: BackupSource;
  server: DatabaseServer;
  tool: RestoreTool;
  containers: AppContainer[];
  now: Date;
  /** Name of the installation's database. */
  live: string;
}

function nameOf({ target }: RestoreQuery, live: string, now: Date): string {
  if (target.kind === 'live') return live;
  if (target.kind === 'drill') return `bifract_drill_${now.getTime()}`;
  const { database } = target;
  if (database === '' || Buffer.byteLength(database) > 63 || /\p{Cc}/u.test(database)) {
    throw new BifractError('USAGE', `Invalid database name: ${JSON.stringify(database)}`, {
      hint: 'Use 1 to 63 bytes without control characters.',
    });
  }
  return database;
}

async function gatherFindings(
  services: PlanServices,
  { source, server, tool, live }: PlanParts,
  query: RestoreQuery,
  database: string,
  options: PlanOptions,
): Promise<Findings> {
  const info = await server.info(options);
  const existing = await server.find(database, options);
  if (query.target.kind === 'beside' && existing) throw alreadyExists(database);
  const replaces = query.target.kind === 'live' ? existing : undefined;
  const read = await readThrough(source, tool, options);
  const now = replaces ? await countTables(server, database, options) : [];
  const saved = read.manifest.bifract_console?.properties;
  const properties = { saved, now: await server.properties(live, options) };
  const missing_roles = missingOwners(read.needs, info);
  return {
    query,
    database,
    ...read,
    server: info,
    replaces,
    sessions: replaces ? await server.sessions(database, options) : [],
    tables: mergeTables(read.manifest.bifract_console?.tables, read.contents.tables, now),
    space: { needed_bytes: neededBytes(read), free_bytes: await server.freeBytes(options) },
    missing_roles,
    archive_files: replaces ? await countArchiveFiles(services, options) : null,
    omitted: omittedBy(query, missing_roles),
    requirements: {
      needs: read.needs,
      missing_libraries: await missingLibraries(server, read.needs, options),
      database_tablespace: (saved ?? properties.now)?.tablespace ?? 'pg_default',
    },
    properties,
    live: { name: live, info: await server.find(live, options) },
  };
}

function missingLibraries(server: DatabaseServer, { libraries }: DumpNeeds, options: PlanOptions) {
  return libraries.length === 0 ? [] : server.missingLibraries(libraries, options);
}

/** One owner that cannot be assigned leaves out all of them: pg_restore knows only all or none. */
function omittedBy({ no_owner, no_privileges, no_tablespaces }: RestoreQuery, missing_roles: string[]) {
  const owners = no_owner === true || missing_roles.length > 0;
  return {
    no_owner: owners,
    no_privileges: owners || no_privileges === true,
    no_tablespaces: no_tablespaces === true,
  };
}

/** Null if a storage cannot be listed: the restore does not need it. */
async function countArchiveFiles(services: PlanServices, { signal }: CallOptions): Promise<number | null> {
  const names = new Set<string>();
  try {
    for (const storage of [await services.archives(), await otherStorage(services, 'archives')])
      for await (const { name } of storage?.list(ARCHIVES_PREFIX, { signal }) ?? [])
        if (isArchive(name)) names.add(name);
    return names.size;
  } catch {
    signal?.throwIfAborted();
    return null;
  }
}

function alreadyExists(database: string): BifractError {
  return new BifractError('EXISTS', `Database ${database} already exists`, {
    hint: 'Choose another name, or drop it first.',
  });
}

/** Reads the file in full, and lets pg_restore read its table of contents: only an intact file is planned. */
async function readThrough(source: BackupSource, tool: RestoreTool, { signal, onProgress }: PlanOptions) {
  let needs: DumpNeeds | undefined;
  const onChecked = (checked: { needs: DumpNeeds }) => {
    needs = checked.needs;
  };
  const { manifest, dump, progress, summary, close } = await openBackup(source, { signal, onChecked });
  let dump_bytes = 0;
  const counted = async function* () {
    for await (const piece of dump) {
      dump_bytes += piece.length;
      onProgress?.(progress().bytes_in, source.object.size_bytes);
      yield piece;
    }
  };
  // A program that cannot be started reads nothing.
  const contents = await tool.contents(counted(), { signal }).finally(close);
  if (!needs) throw new Error('The dump was not read to its end');
  return { manifest, contents, needs, dump_bytes, summary: summary() };
}

/** Size of the original database; else twice the dump, to allow for indexes. */
function neededBytes({ manifest, dump_bytes }: Pick<Findings, 'manifest' | 'dump_bytes'>): number {
  return manifest.bifract_console?.database_bytes ?? 2 * dump_bytes;
}

/** Owners in the backup that do not exist here, or that the user is no member of. */
function missingOwners({ owners }: DumpNeeds, { roles }: ServerInfo): string[] {
  const known = new Set(roles);
  return owners.filter((role) => !known.has(role));
}

async function assemble(
  { source, tool, containers, now }: PlanParts,
  found: Findings,
  running: JobRecord[],
  options: CallOptions,
): Promise<RestorePlan> {
  const { manifest, contents, summary, query, replaces, omitted } = found;
  const own = manifest.bifract_console;
  const { storage, object } = source;
  const rows = own?.tables.reduce((sum, table) => sum + table.rows, 0) ?? null;
  const writing = replaces ? await statesOf(containers, options) : [];
  return {
    planned_at: now.toISOString(),
    target: query.target,
    ...omitted,
    file: {
      name: object.name,
      path: pathOf(storage, object.name),
      size_bytes: summary.size_bytes,
      checksum: summary.checksum,
      sealed: summary.sealed,
      key_id: summary.key_id,
    },
    backup: {
      timestamp: manifest.timestamp,
      tool: own?.tool ?? `Bifract ${manifest.version}`.trim(),
      server_version: own?.server_version ?? contents.server_version,
      pg_dump_version: own?.pg_dump_version ?? contents.pg_dump_version,
      database: own?.database ?? contents.database,
      rows,
      dump_bytes: found.dump_bytes,
    },
    database: found.database,
    replaces: replaces ? { oid: replaces.oid, size_bytes: replaces.size_bytes } : null,
    server_version: found.server.version,
    pg_restore: { location: tool.location, version: await tool.version(options) },
    tables: found.tables,
    sessions: found.sessions,
    space: found.space,
    app: writing.find(({ name }) => name === SERVER) ?? null,
    containers: writing,
    warnings: findWarnings(found),
    obstacles: findObstacles(found, running),
  };
}

function statesOf(containers: AppContainer[], options: CallOptions): Promise<RestorePlan['containers']> {
  return Promise.all(
    containers.map(async (one) => ({ name: one.name, running: await one.running(options) })),
  );
}

function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) for (const part of Object.values(value)) freeze(part);
  return Object.freeze(value);
}
