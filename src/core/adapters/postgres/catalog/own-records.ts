import { BifractError } from '../../../contract/errors.ts';
import type { PostgresPool, Session } from '../pool.ts';

/**
 * Records of archives in a schema of our own, for servers that keep none: since 24 June 2026. On older servers the same
 * tables hold a copy of the server's records, because an upgrade drops the originals.
 *
 * Fractals are remembered by id and name without a foreign key: their archives outlive them. The schema is in the
 * server's database, so that backups include it; its version is in its comment.
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
    created_at timestamp NOT NULL DEFAULT (now() AT TIME ZONE 'UTC')
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
    period_label varchar(30)
  );
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

const GROUP_COLUMNS = `id, fractal_id, split_granularity, status, error_message, total_log_count, total_size_bytes,
  archive_count, completed_count, archive_type, created_by, created_at`;
const ARCHIVE_COLUMNS = `id, fractal_id, filename, storage_type, storage_path, size_bytes, log_count, time_range_start,
  time_range_end, status, error_message, created_by, created_at, archive_type, format_version, archive_end_ts, checksum,
  restore_lines_sent, restore_error, group_id, period_label`;

/** Replaces our records by the server's, in one transaction. */
export async function copyServerRecords(pool: PostgresPool): Promise<void> {
  await pool.transaction(async (session) => {
    await session.query(`SELECT pg_advisory_xact_lock(${LOCK})`);
    // Deletes the archives too.
    await session.query(`DELETE FROM ${SCHEMA}.archive_groups`);
    await session.query(`DELETE FROM ${SCHEMA}.archives`);
    await session.query(`DELETE FROM ${SCHEMA}.fractal_settings`);
    await session.query(
      `INSERT INTO ${SCHEMA}.fractal_settings (fractal_id, name, archive_schedule, max_archives, archive_split)
       SELECT id, name, archive_schedule, max_archives, archive_split FROM public.fractals`,
    );
    for (const [table, columns] of [
      ['archive_groups', GROUP_COLUMNS],
      ['archives', ARCHIVE_COLUMNS],
    ])
      await session.query(
        `INSERT INTO ${SCHEMA}.${table} (${columns}) SELECT ${columns} FROM public.${table}`,
      );
  });
}
