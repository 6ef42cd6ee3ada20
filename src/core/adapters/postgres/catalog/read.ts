import type { ArchiveGroup, ArchiveRecord, Fractal } from '../../../ports/catalog.ts';
import type { CallOptions } from '../../../ports/types.ts';
import { safeInteger, utcTime } from '../driver.ts';
import type { PostgresPool, Session } from '../pool.ts';

const FRACTALS = `SELECT id, name, description, is_default, is_system, created_at, log_count, size_bytes,
    earliest_log, latest_log, retention_days, archive_schedule, max_archives, archive_split
  FROM fractals ORDER BY name`;
const INGEST_TOKEN = `SELECT token_value FROM ingest_tokens WHERE fractal_id = $1 AND is_active
  ORDER BY is_default DESC, token_value LIMIT 1`;
const ACTIVE = `SELECT f.name, a.status, a.filename, date_trunc('second', a.created_at) AS created_at
  FROM archives a JOIN fractals f ON f.id = a.fractal_id
  WHERE a.fractal_id = $1 AND a.status IN ('in_progress', 'restoring')`;

export async function serverVersion(pool: PostgresPool, options?: CallOptions): Promise<string> {
  const [row] = await pool.query<{ server_version: string }>('SHOW server_version', [], options);
  return row?.server_version.split(' ')[0] ?? '';
}

export function listFractals(pool: PostgresPool, options?: CallOptions): Promise<Fractal[]> {
  return pool.query<Fractal>(FRACTALS, [], options);
}

/** Newest first. */
export function listGroups(
  pool: PostgresPool,
  { fractal_id = null }: { fractal_id?: string | null },
  options?: CallOptions,
): Promise<ArchiveGroup[]> {
  return packedRows(pool, GROUPS, [fractal_id], options);
}

/** Newest first. */
export function listArchives(
  pool: PostgresPool,
  { fractal_id = null, ids = null }: { fractal_id?: string | null; ids?: string[] | null },
  options?: CallOptions,
): Promise<ArchiveRecord[]> {
  return packedRows(pool, ARCHIVES, [fractal_id, ids], options);
}

export async function readIngestToken(
  pool: PostgresPool,
  fractal_id: string,
  options?: CallOptions,
): Promise<string | null> {
  const [row] = await pool.query<{ token_value: string }>(INGEST_TOKEN, [fractal_id], options);
  return row?.token_value ?? null;
}

/** The message for an active operation on a fractal. */
export async function describeActive(session: Session, fractal_id: string): Promise<string> {
  const [active] = await session.query<{
    name: string;
    status: string;
    filename: string;
    created_at: string;
  }>(ACTIVE, [fractal_id]);
  if (!active) return `Fractal ${fractal_id} has an active operation`;
  const { name, status, filename, created_at } = active;
  if (status === 'restoring') return `Fractal ${name} is busy: ${filename} is being restored`;
  return `Fractal ${name} has been archiving since ${created_at} (${filename})`;
}

/** A query for many rows. */
interface PackedList<Row> {
  /** The expression of each column, and how to parse its text. */
  columns: { [Field in keyof Row]: [sql: string, parse: (value: string) => Row[Field]] };
  /** The query from `FROM` on. */
  from: string;
}

const SEPARATOR = '\u001f';
const NULL = '\u001e';
// A text is cast to the type of its column.
const text = (value: string) => value as never;
const textOrNull = (value: string) => (value === NULL ? null : value);
const timeOrNull = (value: string) => (value === NULL ? null : utcTime(value));

/** `$1` is a fractal or null. */
const GROUPS: PackedList<ArchiveGroup> = {
  columns: {
    id: ['id', text],
    fractal_id: ['fractal_id', text],
    split_granularity: ['split_granularity', text],
    status: ['status', text],
    error_message: ['error_message', textOrNull],
    total_log_count: ['total_log_count', safeInteger],
    total_size_bytes: ['total_size_bytes', safeInteger],
    archive_count: ['archive_count', safeInteger],
    completed_count: ['completed_count', safeInteger],
    archive_type: ['archive_type', text],
    created_by: ['created_by', textOrNull],
    created_at: ['created_at', utcTime],
  },
  from: 'FROM archive_groups WHERE $1::uuid IS NULL OR fractal_id = $1 ORDER BY created_at DESC, id',
};

/** `$1` is a fractal or null, `$2` a list of ids or null. */
const ARCHIVES: PackedList<ArchiveRecord> = {
  columns: {
    id: ['a.id', text],
    fractal_id: ['a.fractal_id', text],
    fractal_name: ['f.name', text],
    filename: ['a.filename', text],
    storage_type: ['a.storage_type', text],
    storage_path: ['a.storage_path', text],
    size_bytes: ['a.size_bytes', safeInteger],
    log_count: ['a.log_count', safeInteger],
    time_range_start: ['a.time_range_start', timeOrNull],
    time_range_end: ['a.time_range_end', timeOrNull],
    status: ['a.status', text],
    error_message: ['a.error_message', textOrNull],
    created_by: ['a.created_by', textOrNull],
    created_at: ['a.created_at', utcTime],
    archive_type: ['a.archive_type', text],
    format_version: ['a.format_version', safeInteger],
    archive_end_ts: ['a.archive_end_ts', timeOrNull],
    checksum: ['a.checksum', textOrNull],
    group_id: ['a.group_id', textOrNull],
    period_label: ['a.period_label', textOrNull],
  },
  from: `FROM archives a JOIN fractals f ON f.id = a.fractal_id
  WHERE ($1::uuid IS NULL OR a.fractal_id = $1) AND ($2::uuid[] IS NULL OR a.id = ANY($2))
  ORDER BY a.created_at DESC, a.id`,
};

/**
 * Runs a query with each row packed into one value: the driver spends its time per value, whatever its length, and rows
 * have twenty. Falls back to separate columns if a value contains the separator.
 */
async function packedRows<Row extends object>(
  pool: PostgresPool,
  { columns, from }: PackedList<Row>,
  parameters: unknown[],
  options?: CallOptions,
): Promise<Row[]> {
  const fields = Object.keys(columns) as (keyof Row)[];
  const parsers = fields.map((field) => columns[field][1]);
  const parts = fields.map((field) => `coalesce((${columns[field][0]})::text, E'\\x1e')`);
  const parse = (values: string[]): Row => {
    const row = {} as Row;
    // By index: iterating over entries takes several times as long.
    for (let at = 0; at < fields.length; at++)
      row[fields[at] as keyof Row] = parsers[at]?.(values[at] as string) as Row[keyof Row];
    return row;
  };
  const sql = `SELECT concat_ws(E'\\x1f', ${parts.join(', ')}) AS packed ${from}`;
  const packed = await pool.query<{ packed: string }>(sql, parameters, options);
  const split = packed.map((one) => one.packed.split(SEPARATOR));
  if (split.every(({ length }) => length === fields.length)) return split.map(parse);
  const list = parts.map((part, at) => `${part} AS c${at}`).join(', ');
  const plain = await pool.query<Record<string, string>>(`SELECT ${list} ${from}`, parameters, options);
  return plain.map((one) => parse(Object.values(one)));
}
