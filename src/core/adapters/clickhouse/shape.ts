import { BifractError } from '../../contract/errors.ts';
import type { LogColumn, LogsShape, LogView } from '../../ports/installation-shape.ts';
import type { CallOptions } from '../../ports/types.ts';
import type { Query } from './queries.ts';
import type { ClickHouseSession } from './session.ts';

/** Columns that every release has. */
const NEEDED = ['timestamp', 'log_id', 'fields', 'fractal_id', 'ingest_timestamp'];

/** One row. The views are found by what they read, whatever their names. */
function shapeQuery(): Query {
  const columns = `(SELECT groupArray((name, type, default_kind, default_expression)) FROM
      (SELECT * FROM system.columns WHERE database = currentDatabase() AND table = 'logs' ORDER BY position))`;
  const views = `(SELECT groupArray((name, extract(create_table_query, ' TO ([^ ]+)'))) FROM
      (SELECT name, create_table_query FROM system.tables
       WHERE database = currentDatabase() AND engine = 'MaterializedView'
         AND name IN (SELECT arrayJoin(dependencies_table) FROM system.tables
           WHERE database = currentDatabase() AND name = 'logs') ORDER BY name))`;
  return {
    sql: `SELECT partition_key, sorting_key, primary_key, storage_policy, engine, ${columns} AS columns, ${views} AS views,
        (SELECT count() FROM system.columns WHERE database = currentDatabase() AND table = 'logs_raw' AND name = 'raw_log') AS raw_table
      FROM system.tables WHERE database = currentDatabase() AND name = 'logs' FORMAT JSONEachRow`,
    params: {},
  };
}

interface ShapeRow extends Omit<LogsShape, 'columns' | 'views' | 'raw_from'> {
  columns: [name: string, type: string, default_kind: string, default_expression: string][];
  views: [name: string, target: string][];
  raw_table: number;
}

/** Reads the shape of the logs. `UNSUPPORTED` if a column is missing that every known release has. */
export async function readLogsShape(
  session: ClickHouseSession,
  options: CallOptions = {},
): Promise<LogsShape> {
  const [row] = await session.rows<ShapeRow>(shapeQuery(), options);
  if (!row) throw unsupported(session.address, 'there is no table logs');
  const { columns, views, raw_table, ...table } = row;
  const names = columns.map(([name]) => name);
  const missing = NEEDED.filter((name) => !names.includes(name));
  if (missing.length > 0)
    throw unsupported(session.address, `table logs has no column ${missing.join(', ')}`);
  return {
    ...table,
    columns: columns.map(
      ([name, type, default_kind, default_expression]): LogColumn => ({
        name,
        type,
        default_kind,
        default_expression,
      }),
    ),
    views: views.map(
      ([name, target]): LogView => ({ name, target: target.replace(/^.*\./, '').replaceAll('`', '') }),
    ),
    raw_from: names.includes('raw_log') ? 'logs' : raw_table > 0 ? 'logs_raw' : 'none',
  };
}

function unsupported(address: string, reason: string): BifractError {
  return new BifractError('UNSUPPORTED', `Unknown Bifract release: in ClickHouse at ${address}, ${reason}`, {
    hint: 'Check CLICKHOUSE_DB, and that the Bifract server has started once. For a newer release of Bifract, update this program.',
  });
}
