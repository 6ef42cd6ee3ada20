import { BifractError } from '../../../contract/errors.ts';
import type { CallOptions } from '../../../ports/types.ts';
import type { PostgresPool, Session } from '../pool.ts';

/**
 * Records of archives in a schema of our own, for servers that keep none: since 24 June 2026. On older servers the same
 * tables hold a copy of the server's records, because an upgrade drops the originals.
 *
 * Fractals are remembered by id and name without a foreign key: their archives outlive them. The schema is in the
 * server's database, so that backups include it; its version is in its comment.
 *
 * Rows copied from the server's tables name their table: only they are removed when the server has removed them, and not
 * if it has created its tables again.
 */
const SCHEMA = 'bifract_console';
const VERSION = 1;
/** Of an advisory lock: two processes must not create the schema at the same time. */
const LOCK = "hashtext('bifract_console')";

const CREATE = `
  CREATE SCHEMA IF NOT EXISTS ${SCHEMA};
  CREATE TABLE ${SCHEMA}.fractal_settings (
    fractal_id uuid PRIMARY KEY,
    name text NOT NULL,
    archive_schedule varchar(20) NOT NULL DEFAULT 'never',
    max_archives integer,
    archive_split varchar(10) NOT NULL DEFAULT 'none'
  );
  CREATE TABLE ${SCHEMA}.archive_groups (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    fractal_id uuid NOT NULL,
    split_granularity varchar(10) NOT NULL DEFAULT 'none',
    status varchar(20) NOT NULL DEFAULT 'in_progress',
    error_message text,
    total_log_count bigint NOT NULL DEFAULT 0,
    total_size_bytes bigint NOT NULL DEFAULT 0,
    archive_count integer NOT NULL DEFAULT 0,
    completed_count integer NOT NULL DEFAULT 0,
    archive_type varchar(20) NOT NULL DEFAULT 'adhoc',
    created_by text,
    created_at timestamp NOT NULL DEFAULT (now() AT TIME ZONE 'UTC'),
    copied_from oid
  );
  CREATE TABLE ${SCHEMA}.archives (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    fractal_id uuid NOT NULL,
    filename varchar(255) NOT NULL,
    storage_type varchar(20) NOT NULL DEFAULT 'disk',
    storage_path text NOT NULL,
    size_bytes bigint NOT NULL DEFAULT 0,
    log_count bigint NOT NULL DEFAULT 0,
    time_range_start timestamp,
    time_range_end timestamp,
    status varchar(20) NOT NULL DEFAULT 'in_progress',
    error_message text,
    created_by text,
    created_at timestamp NOT NULL DEFAULT (now() AT TIME ZONE 'UTC'),
    archive_type varchar(20) NOT NULL DEFAULT 'adhoc',
    format_version integer NOT NULL DEFAULT 1,
    archive_end_ts timestamp,
    checksum text,
    restore_lines_sent bigint NOT NULL DEFAULT 0,
    restore_error text,
    group_id uuid REFERENCES ${SCHEMA}.archive_groups(id) ON DELETE CASCADE,
    period_label varchar(30),
    copied_from oid
  );
  CREATE TABLE ${SCHEMA}.copied (state text NOT NULL);
  CREATE INDEX ON ${SCHEMA}.archive_groups (fractal_id, created_at DESC);
  CREATE INDEX ON ${SCHEMA}.archives (fractal_id, created_at DESC);
  CREATE INDEX ON ${SCHEMA}.archives (group_id);
  CREATE UNIQUE INDEX ON ${SCHEMA}.archives (fractal_id) WHERE status IN ('in_progress', 'restoring');
  COMMENT ON SCHEMA ${SCHEMA} IS 'Archive records of bifract console, version ${VERSION}';`;

/** What changes with each version after the first. */
const MIGRATIONS: readonly string[] = [];

/** First in the search path of sessions that use our records, so that `archives` is our table. */
export const OWN_RECORDS_PATH = `${SCHEMA}, public`;

/** Creates the schema or migrates it to the current version. `UNSUPPORTED` if a newer version of this program made it. */
export async function prepareOwnRecords(pool: PostgresPool): Promise<void> {
  await pool.transaction(async (session) => {
    await session.query(`SELECT pg_advisory_xact_lock(${LOCK})`);
    const version = await readVersion(session);
    if (version > VERSION) throw tooNew(version);
    if (version === 0) await session.query(CREATE);
    else for (const migration of MIGRATIONS.slice(version - 1)) await session.query(migration);
  });
}

async function readVersion(session: Session): Promise<number> {
  // From the table: a function that looks up names may not see yet what another process has just created.
  const [row] = await session.query<{ version: number | null }>(
    `SELECT substring(obj_description(oid, 'pg_namespace') FROM 'version (\\d+)')::int AS version
     FROM pg_namespace WHERE nspname = '${SCHEMA}'`,
  );
  return row?.version ?? 0;
}

/** Whether the schema does not exist, or is of an older version of this program. */
export function mustPrepare(version: number | null): boolean {
  return (version ?? 0) < VERSION;
}

/** `UNSUPPORTED` if a newer version of this program has created the schema. */
export function requireKnownVersion(version: number | null): void {
  if (version !== null && version > VERSION) throw tooNew(version);
}

function tooNew(version: number): BifractError {
  return new BifractError(
    'UNSUPPORTED',
    `The archive records in schema ${SCHEMA} have version ${version}; this program knows up to ${VERSION}`,
    { hint: 'Update this program.' },
  );
}

const SETTINGS = ['name', 'archive_schedule', 'max_archives', 'archive_split'];
const GROUP_COLUMNS = [
  ...[
    'id',
    'fractal_id',
    'split_granularity',
    'status',
    'error_message',
    'total_log_count',
    'total_size_bytes',
  ],
  ...['archive_count', 'completed_count', 'archive_type', 'created_by', 'created_at'],
];
const ARCHIVE_COLUMNS = [
  ...['id', 'fractal_id', 'filename', 'storage_type', 'storage_path', 'size_bytes', 'log_count'],
  ...[
    'time_range_start',
    'time_range_end',
    'status',
    'error_message',
    'created_by',
    'created_at',
    'archive_type',
  ],
  ...['format_version', 'archive_end_ts', 'checksum', 'restore_lines_sent', 'restore_error', 'group_id'],
  'period_label',
];

/**
 * State of the server's tables: which they are, their number of rows and the sum of the transactions that wrote them.
 * Every change of a row makes one of the two differ.
 */
const STATE = `concat_ws(' ', ${['archives', 'archive_groups']
  .map(
    (table) => `'public.${table}'::regclass::oid,
      (SELECT concat_ws(' ', count(*), sum(xmin::text::bigint)) FROM public.${table})`,
  )
  .join(', ')})`;
const IS_CHANGED = `SELECT
    ${STATE} IS DISTINCT FROM (SELECT state FROM ${SCHEMA}.copied)
    OR EXISTS (SELECT FROM public.fractals f LEFT JOIN ${SCHEMA}.fractal_settings s ON s.fractal_id = f.id
      WHERE ${row('f', SETTINGS)} IS DISTINCT FROM ${row('s', SETTINGS)}) AS changed`;

const COPY = [
  // Before the tables are read: a change that is made meanwhile must be found next time.
  `DELETE FROM ${SCHEMA}.copied`,
  `INSERT INTO ${SCHEMA}.copied SELECT ${STATE}`,
  `INSERT INTO ${SCHEMA}.fractal_settings (fractal_id, ${SETTINGS.join(', ')})
   SELECT id, ${SETTINGS.join(', ')} FROM public.fractals
   ON CONFLICT (fractal_id) DO UPDATE SET ${row('', SETTINGS)} = ${row('excluded', SETTINGS)}`,
  // Changed archives are deleted and inserted: only one row of a fractal may be active at any time.
  `DELETE FROM ${SCHEMA}.archives a USING public.archives p
   WHERE a.id = p.id AND ${row('a', ARCHIVE_COLUMNS)} IS DISTINCT FROM ${row('p', ARCHIVE_COLUMNS)}`,
  // A file that the server has recorded again.
  `DELETE FROM ${SCHEMA}.archives a USING public.archives p
   WHERE a.id <> p.id AND a.fractal_id = p.fractal_id AND a.filename = p.filename`,
  ...['archives', 'archive_groups'].map(
    (table) => `DELETE FROM ${SCHEMA}.${table} a
      WHERE copied_from = 'public.${table}'::regclass AND NOT EXISTS (SELECT FROM public.${table} p WHERE p.id = a.id)`,
  ),
  `INSERT INTO ${SCHEMA}.archive_groups AS g (${GROUP_COLUMNS.join(', ')}, copied_from)
   SELECT ${GROUP_COLUMNS.join(', ')}, 'public.archive_groups'::regclass FROM public.archive_groups
   ON CONFLICT (id) DO UPDATE SET ${row('', GROUP_COLUMNS)} = ${row('excluded', GROUP_COLUMNS)}
   WHERE ${row('g', GROUP_COLUMNS)} IS DISTINCT FROM ${row('excluded', GROUP_COLUMNS)}`,
  // An archive whose group has just been created is copied next time.
  `INSERT INTO ${SCHEMA}.archives (${ARCHIVE_COLUMNS.join(', ')}, copied_from)
   SELECT ${ARCHIVE_COLUMNS.join(', ')}, 'public.archives'::regclass FROM public.archives p
   WHERE NOT EXISTS (SELECT FROM ${SCHEMA}.archives a WHERE a.id = p.id)
     AND (group_id IS NULL OR EXISTS (SELECT FROM ${SCHEMA}.archive_groups g WHERE g.id = p.group_id))
   ON CONFLICT DO NOTHING`,
];

/** Makes our records those of the server, in one transaction. Only compares counts if the server's have not changed. */
export async function copyServerRecords(pool: PostgresPool, options?: CallOptions): Promise<void> {
  const [found] = await pool.query<{ changed: boolean }>(IS_CHANGED, [], options);
  if (found && !found.changed) return;
  await pool.transaction(async (session) => {
    await session.query(`SELECT pg_advisory_xact_lock(${LOCK})`);
    for (const statement of COPY) await session.query(statement);
  }, options);
}

/** Columns of a table as one value. */
function row(table: string, columns: readonly string[]): string {
  return `(${columns.map((column) => (table === '' ? column : `${table}.${column}`)).join(', ')})`;
}
