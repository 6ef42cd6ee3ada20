import { BifractError } from '../../contract/errors.ts';
import type { BackupManifest, ContentSummary } from '../../format/index.ts';
import type { DatabaseInfo, DatabaseSession, DumpContents, ServerInfo } from '../../ports/database-server.ts';
import type { JobRecord } from '../../ports/state.ts';
import { plural } from '../../text/units.ts';
import type { RestoreConsent, RestoreObstacle, RestorePlan, RestoreQuery, RestoreTable } from './contract.ts';
import { changedProperties, type KnownProperties, localeText } from './properties.ts';
import { otherVersions, type Requirements, requirementObstacles } from './requirements.ts';
import { createRoles } from './statements.ts';

/** How many tables or roles a warning names. */
const NAMED = 5;
/** Extra space for the write-ahead log. */
const SPACE_FACTOR = 1.1;
/** Jobs that lock the whole database. A job that only waits for the lock is an obstacle too. */
const LOCKING_JOBS = new Set<string>(['backup', 'restore']);
/** Jobs that write records to the database, which a restore would remove. */
const WRITING_JOBS = new Set<string>(['archive', 'restore-archive']);

/** What a plan, its warnings and its obstacles are based on. */
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
  omitted: Pick<RestorePlan, 'no_owner' | 'no_privileges' | 'no_tablespaces'>;
  requirements: Requirements;
  properties: KnownProperties;
  /** Name of the installation's database, and what the server says of it if it exists. */
  live: { name: string; info: DatabaseInfo | undefined };
  /** Number of archive files; null if it does not matter or is not known. */
  archive_files: number | null;
}

/** Warnings to confirm before the restore. */
export function findWarnings(found: Findings): string[] {
  return [
    ...fileWarnings(found),
    ...versionWarnings(found),
    ...ownerWarnings(found),
    ...propertyWarnings(found),
    ...spaceWarnings(found),
    ...lossWarnings(found),
    ...returnWarnings(found),
  ];
}

/** Records of archives that were deleted after the backup come back with it. */
function returnWarnings({ tables, archive_files }: Findings): string[] {
  const archives = tables.find(({ schema, name }) => schema === 'public' && name === 'archives');
  const lost = (archives?.rows_backup ?? 0) - (archive_files ?? Number.POSITIVE_INFINITY);
  if (!(lost > 0)) return [];
  return [
    `The backup has ${plural(archives?.rows_backup ?? 0, 'archive record')}, but there are only ${plural(archive_files ?? 0, 'archive file')}: records of deleted archives come back without their files. \`bifract clean\` marks them as failed afterwards.`,
  ];
}

function fileWarnings({ manifest, summary }: Findings): string[] {
  const warnings: string[] = [];
  if (!manifest.bifract_console) {
    warnings.push(
      'The backup was made by Bifract itself and has no row counts: the rows cannot be compared.',
    );
  }
  if (!summary.sealed)
    warnings.push('The file has no header and trailer: only pg_restore can tell whether it was cut off.');
  return warnings;
}

function versionWarnings({ manifest, contents, server, database, query }: Findings): string[] {
  const own = manifest.bifract_console;
  const version = own?.server_version ?? contents.server_version;
  const name = own?.database ?? contents.database;
  const warnings: string[] = [];
  if (version && major(version) > major(server.version)) {
    warnings.push(
      `The backup is from PostgreSQL ${version}, newer than this server (${server.version}): the restore may fail.`,
    );
  }
  if (query.target.kind === 'live' && name && name !== database)
    warnings.push(`The backup was made from database ${name}, not ${database}.`);
  const extensions = otherVersions(manifest, server);
  if (extensions.length > 0) warnings.push(`Extension versions differ here: ${some(extensions)}.`);
  return warnings;
}

function ownerWarnings({ missing_roles, server, query }: Findings): string[] {
  if (missing_roles.length === 0 || query.no_owner) return [];
  const absent = missing_roles.filter((role) => !server.all_roles.includes(role));
  const create = absent.length === 0 ? '' : ` To keep them, run first: ${createRoles(absent)}`;
  return [
    `Owner ${some(missing_roles)} does not exist on this server, or ${server.user} is not a member: ${server.user} will own everything, and privileges are not restored.${create}`,
  ];
}

function propertyWarnings({ properties, query }: Findings): string[] {
  const { saved, now } = properties;
  if (query.target.kind !== 'live' || !saved || !now) return [];
  const [backup, live] = [localeText(saved), localeText(now)];
  const changed = changedProperties(properties);
  return [
    ...(backup === live
      ? []
      : [
          `Encoding and locale become those of the backup (${backup}) instead of ${live}, if the server has them.`,
        ]),
    ...(changed.length === 0 ? [] : [`Database properties set as in the backup: ${some(changed)}.`]),
  ];
}

function spaceWarnings({ space, manifest }: Findings): string[] {
  if (manifest.bifract_console || space.free_bytes === null || space.free_bytes >= space.needed_bytes)
    return [];
  return ['The server may not have enough disk space for a second copy of the database.'];
}

function lossWarnings({ tables, query, replaces }: Findings): string[] {
  if (query.target.kind !== 'live' || !replaces) return [];
  const warnings: string[] = [];
  const dropped = tables.filter(({ where }) => where === 'database').map(nameOf);
  if (dropped.length > 0) warnings.push(`Not in the backup, will be dropped: ${some(dropped)}.`);
  if (archiveRecords(tables, 'rows_now') > archiveRecords(tables, 'rows_backup')) {
    warnings.push('Archives made since the backup will lose their records: run `bifract adopt` afterwards.');
  }
  return warnings;
}

/** Records of archives: the server's or, if it keeps none, our own. */
function archiveRecords(tables: readonly RestoreTable[], when: 'rows_now' | 'rows_backup'): number {
  const counts = (wanted: string) =>
    tables.find(({ schema, name }) => schema === wanted && name === 'archives')?.[when];
  return counts('public') ?? counts('bifract_console') ?? 0;
}

function nameOf({ schema, name }: RestoreTable): string {
  return `${schema}.${name}`;
}

function some(names: string[]): string {
  const more = names.length > NAMED ? ` and ${names.length - NAMED} more` : '';
  return names.slice(0, NAMED).join(', ') + more;
}

function major(version: string): number {
  return Number.parseInt(version, 10);
}

/** Obstacles to the restore. */
export function findObstacles(found: Findings, jobs: JobRecord[]): RestoreObstacle[] {
  return [
    ...serverObstacles(found),
    ...ownershipObstacles(found),
    ...requirementObstacles(found.requirements, found.server, found.omitted),
    ...(found.query.target.kind === 'live' ? liveObstacles(found, jobs) : []),
  ];
}

function serverObstacles({ server, space, manifest }: Findings): RestoreObstacle[] {
  const obstacles: RestoreObstacle[] = [];
  if (!server.can_create) {
    obstacles.push({
      code: 'UNSUPPORTED',
      message: `User ${server.user} is not allowed to create databases`,
      hint: `As an administrator, run: ALTER ROLE ${server.user} CREATEDB`,
      consent: null,
    });
  }
  const { needed_bytes, free_bytes } = space;
  // Without the size of the original database the need is a guess, worth only a warning.
  if (manifest.bifract_console && free_bytes !== null && free_bytes < needed_bytes * SPACE_FACTOR) {
    obstacles.push({
      code: 'STORAGE_FULL',
      message: `Not enough disk space: ${mib(free_bytes)} free, ${mib(needed_bytes * SPACE_FACTOR)} needed for a second copy of the database`,
      hint: 'Free disk space on the server: the database is replaced only after the restore next to it is complete.',
      consent: null,
    });
  }
  return obstacles;
}

/** A test restore is refused as well: what passes must be possible for the live database. */
function ownershipObstacles({ query, live, server }: Findings): RestoreObstacle[] {
  if (query.target.kind === 'beside' || !live.info || live.info.owned) return [];
  return [
    {
      code: 'UNSUPPORTED',
      message: `User ${server.user} does not own database ${live.name}, so it may not replace it`,
      hint: 'Log in as its owner or as a superuser (POSTGRES_USER and POSTGRES_PASSWORD).',
      consent: null,
    },
  ];
}

function mib(bytes: number): string {
  return `${Math.ceil(bytes / 2 ** 20)} MiB`;
}

function liveObstacles({ sessions, replaces, database }: Findings, jobs: JobRecord[]): RestoreObstacle[] {
  const obstacles: RestoreObstacle[] = (replaces?.pinned ?? []).map((message) => ({
    code: 'BUSY',
    message,
    hint: `It prevents ${database} from being replaced: end it first.`,
    consent: null,
  }));
  for (const { id } of jobs.filter(({ kind }) => LOCKING_JOBS.has(kind) || WRITING_JOBS.has(kind))) {
    obstacles.push({
      code: 'BUSY',
      message: `Job ${id} is running`,
      hint: 'Wait until it has ended.',
      consent: null,
    });
  }
  if (sessions.length > 0) {
    const count = sessions.length === 1 ? '1 session is' : `${sessions.length} sessions are`;
    obstacles.push({
      code: 'BUSY',
      message: `${count} connected to ${database}`,
      hint: 'Stop the Bifract server (--stop-app), or end the sessions (--end-sessions).',
      consent: 'end_sessions',
    });
  }
  return obstacles;
}

/** Running jobs whose records a restore would remove. */
export function writersOf(jobs: JobRecord[]): JobRecord[] {
  return jobs.filter(({ kind }) => WRITING_JOBS.has(kind));
}

/**
 * Throws the first obstacle that the consent does not remove. Sessions may be those of the server, which is
 * stopped first.
 */
export function requireNoObstacles({ obstacles }: RestorePlan, consent: RestoreConsent): void {
  for (const { code, message, hint, consent: needed } of obstacles) {
    if (needed === 'end_sessions' && (consent.end_sessions || consent.stop_app)) continue;
    throw new BifractError(code, message, { hint });
  }
}
