import { BifractError } from '../../../contract/errors.ts';
import type { RecordsShape } from '../../../ports/installation-shape.ts';
import type { CallOptions } from '../../../ports/types.ts';
import type { PostgresPool } from '../pool.ts';
import { OWN_RECORDS_PATH } from './own-records.ts';

const TABLES = ['fractals', 'archives', 'archive_groups', 'iceberg_tables', 'archive_status'];
/** The version of this program's own schema is in its comment, which a backup keeps. */
const SHAPE = `SELECT t.name, array_agg(a.attname::text) AS columns,
    substring(obj_description(to_regnamespace('bifract_console')::oid, 'pg_namespace') FROM 'version (\\d+)')::int AS version
  FROM unnest('{${TABLES.join(',')}}'::text[]) AS t(name)
  JOIN pg_attribute a ON a.attrelid = to_regclass('public.' || t.name) AND a.attnum > 0 AND NOT a.attisdropped
  GROUP BY t.name`;
/** The server keeps records if it has both tables. */
const PATH = `CASE WHEN to_regclass('public.archives') IS NULL OR to_regclass('public.archive_groups') IS NULL
  THEN '${OWN_RECORDS_PATH}' ELSE 'public' END`;

const FRACTAL_COLUMNS = [
  ...['id', 'name', 'description', 'is_default', 'is_system', 'created_at', 'updated_at'],
  ...['log_count', 'size_bytes', 'earliest_log', 'latest_log', 'retention_days'],
];
const STATUS_COLUMNS = ['updated_at', 'last_commit_at', 'fractal_count', 'total_bytes', 'total_records'];
const SCHEDULE_COLUMNS = ['archive_schedule', 'max_archives', 'archive_split'];

/** Reads which tables and columns the server has created, and uses them from then on. `UNSUPPORTED` if it is none of the known combinations. */
export async function readRecordsShape(pool: PostgresPool, options?: CallOptions): Promise<RecordsShape> {
  const { path, rows } = await pool.queryAndSetPath<{
    name: string;
    columns: string[];
    version: number | null;
  }>(SHAPE, PATH, options);
  const tables = new Map(rows.map((row) => [row.name, row]));
  const [fractals, status] = [tables.get('fractals'), tables.get('archive_status')];
  if (!fractals) throw unsupported('there is no table fractals');
  requireColumns('fractals', fractals.columns, FRACTAL_COLUMNS);
  const has_records = path !== OWN_RECORDS_PATH;
  if (has_records) requireColumns('fractals', fractals.columns, SCHEDULE_COLUMNS);
  return {
    archives: has_records ? 'server' : 'console',
    fractal_columns: new Set(fractals.columns),
    iceberg: tables.has('iceberg_tables') && STATUS_COLUMNS.every((name) => status?.columns.includes(name)),
    console_version: fractals.version,
  };
}

function requireColumns(table: string, columns: readonly string[], needed: readonly string[]): void {
  const missing = needed.filter((name) => !columns.includes(name));
  if (missing.length > 0) throw unsupported(`table ${table} has no column ${missing.join(', ')}`);
}

function unsupported(reason: string): BifractError {
  return new BifractError('UNSUPPORTED', `Unknown Bifract release: in PostgreSQL, ${reason}`, {
    hint: 'Check that POSTGRES_DB names the database of a Bifract server, and that the server has started once. For a newer release of Bifract, update this program.',
  });
}
