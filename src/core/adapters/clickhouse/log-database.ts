import type { ClickHouseConnection } from '../../config/settings.ts';
import type { LogsShape } from '../../ports/installation-shape.ts';
import type {
  CountQuery,
  LineBlock,
  LineOptions,
  LogDatabase,
  LogStats,
  LogWindow,
  PeriodCount,
  PeriodGrid,
  PeriodStats,
} from '../../ports/log-database.ts';
import type { CallOptions, ShapeOptions } from '../../ports/types.ts';
import { LineReader } from './line-reader.ts';
import {
  COUNT_SETTINGS,
  countsQuery,
  periodsQuery,
  statsByFractalQuery,
  statsQuery,
  versionQuery,
} from './queries.ts';
import { ClickHouseSession } from './session.ts';
import { readLogsShape } from './shape.ts';

const VERSION_LIMIT_MS = 15_000;
const STATS_LIMIT_MS = 600_000;

/** Opens the log database. Connects with the first query. */
export async function connectClickHouse(connection: ClickHouseConnection): Promise<LogDatabase> {
  return new ClickHouseLogs(await ClickHouseSession.open(connection));
}

/** One entry per period. */
interface PeriodLists {
  start_ms: number[];
  rows: number[];
  first: string[];
  last: string[];
}

/** A row of `countsQuery`. */
type CountRow = Record<
  'period' | 'span' | 'rows' | 'first' | 'last' | 'late' | 'first_late' | 'doubtful' | 'first_doubtful',
  number
>;

interface StatsRow {
  rows: number;
  first: string;
  last: string;
}

class ClickHouseLogs implements LogDatabase {
  readonly #session: ClickHouseSession;
  readonly #table: string;
  readonly #lines: LineReader;
  #shape: LogsShape | undefined;

  constructor(session: ClickHouseSession) {
    this.#session = session;
    this.#table = session.dialect.logs;
    this.#lines = new LineReader(session, (options) => this.shape(options));
  }

  async version({ signal }: CallOptions = {}): Promise<string> {
    const options = { signal, limit_ms: VERSION_LIMIT_MS };
    const [row] = await this.#session.rows<{ version: string }>(versionQuery(), options);
    return row?.version ?? '';
  }

  async shape(options: ShapeOptions = {}): Promise<LogsShape> {
    if (!this.#shape || options.again) this.#shape = await readLogsShape(this.#session, options);
    return this.#shape;
  }

  async stats(window: LogWindow, { signal }: CallOptions = {}): Promise<LogStats> {
    const query = statsQuery(this.#table, window);
    return toStats(await this.#session.row<StatsRow>(query, { signal, limit_ms: STATS_LIMIT_MS }));
  }

  async periods(window: LogWindow, grid: PeriodGrid, { signal }: CallOptions = {}): Promise<PeriodStats[]> {
    const query = periodsQuery(this.#table, window, grid);
    const lists = await this.#session.row<PeriodLists>(query, { signal, limit_ms: STATS_LIMIT_MS });
    return lists.start_ms
      .map((start, at) => ({
        start: new Date(start).toISOString(),
        rows: lists.rows[at] ?? 0,
        first: lists.first[at] ?? null,
        last: lists.last[at] ?? null,
      }))
      .sort((a, b) => Date.parse(a.start) - Date.parse(b.start));
  }

  async statsByFractal({ signal }: CallOptions = {}): Promise<Map<string, LogStats>> {
    const query = statsByFractalQuery(this.#table);
    const options = { signal, limit_ms: STATS_LIMIT_MS };
    const rows = await this.#session.rows<StatsRow & { fractal_id: string }>(query, options);
    return new Map(rows.map(({ fractal_id, ...row }) => [fractal_id, toStats(row)]));
  }

  async countsByPeriod(query: CountQuery, { signal }: CallOptions = {}): Promise<PeriodCount[]> {
    const options = { signal, limit_ms: STATS_LIMIT_MS, settings: COUNT_SETTINGS };
    const rows = await this.#session.rows<CountRow>(countsQuery(this.#table, query), options);
    const none = query.spans.length === 0;
    return rows.map(({ span, ...row }) => ({
      ...row,
      span: none ? -1 : span,
      first_late: row.late > 0 ? row.first_late : null,
      first_doubtful: row.doubtful > 0 ? row.first_doubtful : null,
    }));
  }

  lines(window: LogWindow, options: LineOptions): AsyncGenerator<LineBlock> {
    return this.#lines.lines(window, options);
  }

  async close(): Promise<void> {
    await Promise.all([this.#lines.close(), this.#session.close()]);
  }
}

/** For an empty set, ClickHouse returns the epoch as minimum and maximum. */
function toStats({ rows, first, last }: StatsRow): LogStats {
  return rows === 0 ? { rows: 0, first: null, last: null } : { rows, first, last };
}
