import type { ArchiveGroup, ArchiveRecord, Fractal, ServerArchive } from '../../../ports/catalog.ts';
import type { CallOptions } from '../../../ports/types.ts';
import { utcTime } from '../driver.ts';
import type { PostgresPool, Session } from '../pool.ts';

/** Where the records of archives are: none if the server keeps none and our own tables do not exist yet. */
export type RecordsLocation = 'server' | 'console' | 'none';

/** Counts as the web application stored them: one that is too large for us must not hide all other rows. */
const FRACTAL = `SELECT f.id, f.name, f.description, f.is_default, f.is_system, f.created_at,
    f.log_count::float8 AS log_count, f.size_bytes::float8 AS size_bytes, f.earliest_log, f.latest_log, f.retention_days`;
const FRACTALS: Record<RecordsLocation, string> = {
  server: `${FRACTAL}, f.archive_schedule, f.max_archives, f.archive_split FROM fractals f ORDER BY f.name`,
  console: `${FRACTAL}, coalesce(s.archive_schedule, 'never') AS archive_schedule, s.max_archives,
      coalesce(s.archive_split, 'none') AS archive_split
    FROM fractals f LEFT JOIN fractal_settings s ON s.fractal_id = f.id ORDER BY f.name`,
  none: `${FRACTAL}, 'never' AS archive_schedule, NULL::int AS max_archives, 'none' AS archive_split
    FROM fractals f ORDER BY f.name`,
};
const INGEST_TOKEN = `SELECT token_value FROM ingest_tokens WHERE fractal_id = $1 AND is_active
  ORDER BY is_default DESC, token_value LIMIT 1`;
/** It is enabled if its archiver has written its status. */
const SERVER_ARCHIVE = `SELECT updated_at, last_commit_at, fractal_count, total_bytes::float8 AS total_bytes,
    total_records::float8 AS total_records FROM archive_status LIMIT 1`;
const ACTIVE = `SELECT coalesce(f.name, a.fractal_id::text) AS name, a.status, a.filename,
    date_trunc('second', a.created_at) AS created_at
  FROM archives a LEFT JOIN fractals f ON f.id = a.fractal_id
  WHERE a.fractal_id = $1 AND a.status IN ('in_progress', 'restoring')`;

export async function serverVersion(pool: PostgresPool, options?: CallOptions): Promise<string> {
  const [row] = await pool.query<{ server_version: string }>('SHOW server_version', [], options);
  return row?.server_version.split(' ')[0] ?? '';
}

export function listFractals(
  pool: PostgresPool,
  location: RecordsLocation,
  options?: CallOptions,
): Promise<Fractal[]> {
  return pool.query<Fractal>(FRACTALS[location], [], options);
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
  location: 'server' | 'console',
  { fractal_id = null, ids = null }: { fractal_id?: string | null; ids?: string[] | null },
  options?: CallOptions,
): Promise<ArchiveRecord[]> {
  return packedRows(pool, { ...ARCHIVES, ...NAMED[location] }, [fractal_id, ids], options);
}

export async function readIngestToken(
  pool: PostgresPool,
  fractal_id: string,
  options?: CallOptions,
): Promise<string | null> {
  const [row] = await pool.query<{ token_value: string }>(INGEST_TOKEN, [fractal_id], options);
  return row?.token_value ?? null;
}

export async function readServerArchive(
  pool: PostgresPool,
  options?: CallOptions,
): Promise<ServerArchive | null> {
  const [status] = await pool.query<ServerArchive>(SERVER_ARCHIVE, [], options);
  return status ?? null;
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
  /** The expression of each column. */
  columns: readonly string[];
  /** The query from `FROM` on. */
  from: string;
  /** Makes a row of the texts of its columns. A literal: setting properties one by one takes twice as long. */
  row(values: readonly string[]): Row;
}

const SEPARATOR = '\u001f';
const NULL = '\u001e';
// The query returns a text for every column, so none is undefined; it is cast to the type of its column.
const text = <Text extends string>(value: string | undefined) => value as Text;
const textOrNull = (value: string | undefined) => (value === NULL ? null : (value as string));
/** Not exact from 2^53 on: no file has that size, and what is in a file is compared with its record. */
const number = (value: string | undefined) => Number(value);
const time = (value: string | undefined) => utcTime(value as string);
const timeOrNull = (value: string | undefined) => (value === NULL ? null : utcTime(value as string));

/** `$1` is a fractal or null. */
const GROUPS: PackedList<ArchiveGroup> = {
  columns: [
    ...['id', 'fractal_id', 'split_granularity', 'status', 'error_message', 'total_log_count'],
    ...['total_size_bytes', 'archive_count', 'completed_count', 'archive_type', 'created_by', 'created_at'],
  ],
  from: 'FROM archive_groups WHERE $1::uuid IS NULL OR fractal_id = $1 ORDER BY created_at DESC, id',
  row: (values) => ({
    id: text(values[0]),
    fractal_id: text(values[1]),
    split_granularity: text(values[2]),
    status: text(values[3]),
    error_message: textOrNull(values[4]),
    total_log_count: number(values[5]),
    total_size_bytes: number(values[6]),
    archive_count: number(values[7]),
    completed_count: number(values[8]),
    archive_type: text(values[9]),
    created_by: textOrNull(values[10]),
    created_at: time(values[11]),
  }),
};

const WANTED = `WHERE ($1::uuid IS NULL OR a.fractal_id = $1) AND ($2::uuid[] IS NULL OR a.id = ANY($2))
  ORDER BY a.created_at DESC, a.id`;
/** Archives with the name of their fractal, which may no longer exist if the records are ours. */
const NAMED: Record<'server' | 'console', Pick<PackedList<ArchiveRecord>, 'columns' | 'from'>> = {
  server: {
    columns: archiveColumns('f.name'),
    from: `FROM archives a JOIN fractals f ON f.id = a.fractal_id ${WANTED}`,
  },
  console: {
    columns: archiveColumns('coalesce(f.name, s.name, a.fractal_id::text)'),
    from: `FROM archives a LEFT JOIN fractals f ON f.id = a.fractal_id
      LEFT JOIN fractal_settings s ON s.fractal_id = a.fractal_id ${WANTED}`,
  },
};

/** `$1` is a fractal or null, `$2` a list of ids or null. */
const ARCHIVES: Pick<PackedList<ArchiveRecord>, 'row'> = {
  row: (values) => ({
    id: text(values[0]),
    fractal_id: text(values[1]),
    fractal_name: text(values[2]),
    filename: text(values[3]),
    storage_type: text(values[4]),
    storage_path: text(values[5]),
    size_bytes: number(values[6]),
    log_count: number(values[7]),
    time_range_start: timeOrNull(values[8]),
    time_range_end: timeOrNull(values[9]),
    status: text(values[10]),
    error_message: textOrNull(values[11]),
    created_by: textOrNull(values[12]),
    created_at: time(values[13]),
    archive_type: text(values[14]),
    format_version: number(values[15]),
    archive_end_ts: timeOrNull(values[16]),
    checksum: textOrNull(values[17]),
    group_id: textOrNull(values[18]),
    period_label: textOrNull(values[19]),
  }),
};

function archiveColumns(fractal_name: string): string[] {
  return [
    ...[
      'a.id',
      'a.fractal_id',
      fractal_name,
      'a.filename',
      'a.storage_type',
      'a.storage_path',
      'a.size_bytes',
    ],
    ...[
      'a.log_count',
      'a.time_range_start',
      'a.time_range_end',
      'a.status',
      'a.error_message',
      'a.created_by',
    ],
    ...['a.created_at', 'a.archive_type', 'a.format_version', 'a.archive_end_ts', 'a.checksum', 'a.group_id'],
    'a.period_label',
  ];
}

/**
 * Runs a query with each row packed into one value: the driver spends its time per value, whatever its length, and rows
 * have twenty. Falls back to separate columns if a value contains the separator.
 */
async function packedRows<Row>(
  pool: PostgresPool,
  { columns, from, row }: PackedList<Row>,
  parameters: unknown[],
  options?: CallOptions,
): Promise<Row[]> {
  const parts = columns.map((column) => `coalesce((${column})::text, E'\\x1e')`);
  const sql = `SELECT concat_ws(E'\\x1f', ${parts.join(', ')}) AS packed ${from}`;
  const packed = await pool.query<{ packed: string }>(sql, parameters, options);
  const split = packed.map((one) => one.packed.split(SEPARATOR));
  if (split.every(({ length }) => length === columns.length)) return split.map(row);
  const list = parts.map((part, at) => `${part} AS c${at}`).join(', ');
  const plain = await pool.query<Record<string, string>>(`SELECT ${list} ${from}`, parameters, options);
  return plain.map((one) => row(Object.values(one)));
}
