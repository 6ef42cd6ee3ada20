import { BifractError } from '../../contract/errors.ts';
import type { BackupManifest, ContentSummary } from '../../format/index.ts';
import type { TableCount } from '../../ports/database.ts';
import type {
  AppContainer,
  DatabaseInfo,
  DatabaseServer,
  DatabaseSession,
  DumpContents,
  RestoreTool,
  ServerInfo,
} from '../../ports/database-server.ts';
import type { State } from '../../ports/state.ts';
import type { CallOptions } from '../../ports/types.ts';
import { pathOf } from '../files/target.ts';
import type { RestorePlan, RestoreQuery, RestoreTable } from './contract.ts';
import { findObstacles } from './obstacles.ts';
import { type BackupSource, openBackup } from './open-backup.ts';
import { mergeTables } from './table-counts.ts';
import { findWarnings } from './warnings.ts';

export interface PlanDeps extends BackupSource {
  server: DatabaseServer;
  tool: RestoreTool;
  app: AppContainer | undefined;
  state: State;
  /** Name of the live database. */
  live: string;
  now: Date;
}

export interface PlanOptions extends CallOptions {
  onProgress?: (read: number, total: number) => void;
}

/** Everything the plan, its warnings and its obstacles are based on. */
export interface Findings {
  query: RestoreQuery;
  database: string;
  manifest: BackupManifest;
  summary: ContentSummary;
  dump_bytes: number;
  contents: DumpContents;
  server: ServerInfo;
  replaces: DatabaseInfo | undefined;
  sessions: DatabaseSession[];
  tables: RestoreTable[];
  space: RestorePlan['space'];
  missing_roles: string[];
}

/** Reads the backup in full and plans its restore; see `RestoreQueries.planRestore`. Changes nothing. */
export async function planRestore(
  deps: PlanDeps,
  query: RestoreQuery,
  options: PlanOptions = {},
): Promise<RestorePlan> {
  const server = await deps.server.info(options);
  const database = nameOf(query, deps);
  const replaces = await deps.server.find(database, options);
  if (query.target.kind === 'beside' && replaces) throw alreadyExists(database);
  const live = query.target.kind === 'live';
  const read = await readThrough(deps, options);
  const now = live && replaces ? await countNow(deps.server, database, options) : [];
  const found: Findings = {
    query,
    database,
    ...read,
    server,
    replaces: live ? replaces : undefined,
    sessions: live && replaces ? await deps.server.sessions(database, options) : [],
    tables: mergeTables(read.manifest.bifract_console?.tables, read.contents.tables, now),
    space: {
      needed_bytes: neededBytes(read),
      free_bytes: await deps.server.freeBytes(options),
    },
    missing_roles: missingRoles(read.contents, server.roles),
  };
  return freeze(await assemble(deps, found, options));
}

function nameOf({ target }: RestoreQuery, { live, now }: PlanDeps): string {
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

function alreadyExists(database: string): BifractError {
  return new BifractError('EXISTS', `Database ${database} already exists`, {
    hint: 'Choose another name, or drop it first.',
  });
}

/** Reads the file in full, and lets pg_restore read its table of contents: only an intact file is planned. */
async function readThrough(deps: PlanDeps, { signal, onProgress }: PlanOptions) {
  const { manifest, dump, progress, summary } = await openBackup(deps, signal);
  let dump_bytes = 0;
  const counted = async function* () {
    for await (const piece of dump) {
      dump_bytes += piece.length;
      onProgress?.(progress().bytes_in, deps.object.size_bytes);
      yield piece;
    }
  };
  const contents = await deps.tool.contents(counted(), { signal });
  return { manifest, contents, dump_bytes, summary: summary() };
}

async function countNow(
  server: DatabaseServer,
  database: string,
  options: CallOptions,
): Promise<TableCount[]> {
  const snapshot = await server.open(database).snapshot(options);
  try {
    return await snapshot.tables(options);
  } finally {
    await snapshot.close();
  }
}

/** Size of the original database; else twice the dump, to allow for indexes. */
function neededBytes({ manifest, dump_bytes }: Pick<Findings, 'manifest' | 'dump_bytes'>): number {
  return manifest.bifract_console?.database_bytes ?? 2 * dump_bytes;
}

/**
 * Owners in the backup that do not exist here, or that the user is no member of. Role names may contain
 * spaces.
 */
function missingRoles({ owner_lines }: DumpContents, roles: string[]): string[] {
  const missing = owner_lines
    .filter((line) => !roles.some((role) => line.endsWith(` ${role}`)))
    .map((line) => line.slice(line.lastIndexOf(' ') + 1));
  return [...new Set(missing)].sort();
}

async function assemble(deps: PlanDeps, found: Findings, options: CallOptions): Promise<RestorePlan> {
  const { manifest, contents, summary, query, replaces, missing_roles } = found;
  const own = manifest.bifract_console;
  const { storage, object, app } = deps;
  const rows = own?.tables.reduce((sum, table) => sum + table.rows, 0) ?? null;
  return {
    planned_at: deps.now.toISOString(),
    target: query.target,
    no_owner: query.no_owner === true || missing_roles.length > 0,
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
    pg_restore: { location: deps.tool.location, version: await deps.tool.version(options) },
    tables: found.tables,
    sessions: found.sessions,
    space: found.space,
    app: app && replaces ? { name: app.name, running: await app.running(options) } : null,
    warnings: findWarnings(found),
    obstacles: findObstacles(found, await deps.state.running()),
  };
}

function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) for (const part of Object.values(value)) freeze(part);
  return Object.freeze(value);
}
