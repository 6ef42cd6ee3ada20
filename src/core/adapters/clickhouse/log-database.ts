import { randomUUID } from 'node:crypto';
import type { Readable } from 'node:stream';
import type { ClickHouseClient } from '@clickhouse/client';
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
import type { CallOptions } from '../../ports/types.ts';
import { orAbort, untilAbort } from '../abort.ts';
import { type ClickHouseConnection, openClient } from './client.ts';
import { type Dialect, dialectOf } from './cluster.ts';
import { clickhouseError, unreachable } from './errors.ts';
import { LineReader, type ReadLines } from './line-reader.ts';
import type { Stop } from './native/decoder.ts';
import {
  COUNT_SETTINGS,
  countsQuery,
  LOW_MEMORY,
  periodsQuery,
  type Query,
  statsByFractalQuery,
  statsQuery,
  UNLIMITED,
} from './queries.ts';
import { ResponseTail, unexpectedResponse } from './response-tail.ts';

const VERSION_TIMEOUT_MS = 15_000;
const STATS_TIMEOUT_MS = 600_000;
const KILL_TIMEOUT_MS = 5_000;

export type { ClickHouseConnection } from './client.ts';

/** Opens the log database. Connects with the first query. */
export async function connectClickHouse(connection: ClickHouseConnection): Promise<LogDatabase> {
  const { client, address, user } = await openClient(connection);
  return new ClickHouse(client, address, user, dialectOf(connection.cluster));
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
  fractal_id?: string;
  rows: number;
  first: string;
  last: string;
}

class ClickHouse implements LogDatabase {
  readonly #client: ClickHouseClient;
  readonly #address: string;
  readonly #user: string;
  readonly #dialect: Dialect;
  readonly #lines: LineReader;

  constructor(client: ClickHouseClient, address: string, user: string, dialect: Dialect) {
    this.#client = client;
    this.#address = address;
    this.#user = user;
    this.#dialect = dialect;
    this.#lines = new LineReader({
      table: dialect.logs,
      stream: (...args) => this.#stream(...args),
      rows: (query, options) => this.#rows(query, STATS_TIMEOUT_MS, options),
    });
  }

  async version(options: CallOptions = {}): Promise<string> {
    const query = { sql: 'SELECT version() AS version FORMAT JSONEachRow', params: {} };
    const [row] = await this.#rows<{ version: string }>(query, VERSION_TIMEOUT_MS, options);
    return row?.version ?? '';
  }

  async stats(window: LogWindow, options: CallOptions = {}): Promise<LogStats> {
    return toStats(await this.#row<StatsRow>(statsQuery(this.#dialect.logs, window), options));
  }

  async periods(window: LogWindow, grid: PeriodGrid, options: CallOptions = {}): Promise<PeriodStats[]> {
    const { start_ms, rows, first, last } = await this.#row<PeriodLists>(
      periodsQuery(this.#dialect.logs, window, grid),
      options,
    );
    return start_ms
      .map((start, at) => ({
        start: new Date(start).toISOString(),
        rows: rows[at] ?? 0,
        first: first[at] ?? null,
        last: last[at] ?? null,
      }))
      .sort((a, b) => Date.parse(a.start) - Date.parse(b.start));
  }

  async statsByFractal(options: CallOptions = {}): Promise<Map<string, LogStats>> {
    const rows = await this.#rows<StatsRow>(
      statsByFractalQuery(this.#dialect.logs),
      STATS_TIMEOUT_MS,
      options,
    );
    return new Map(rows.map((row) => [row.fractal_id ?? '', toStats(row)]));
  }

  async countsByPeriod(query: CountQuery, options: CallOptions = {}): Promise<PeriodCount[]> {
    const counts = countsQuery(this.#dialect.logs, query);
    const rows = await this.#rows<CountRow>(counts, STATS_TIMEOUT_MS, options, COUNT_SETTINGS);
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

  /** Yields what `read` makes of the response; kills the query if it was not read to the end. */
  async *#stream(
    query: Query,
    settings: object,
    { max_memory, low_memory, signal }: LineOptions,
    read: ReadLines,
  ): AsyncGenerator<LineBlock, Stop | undefined> {
    const query_id = randomUUID();
    const memory = max_memory === undefined ? {} : { max_memory_usage: String(max_memory) };
    let ended = false;
    try {
      const stream = await this.#open(
        query,
        query_id,
        { ...settings, ...memory, ...(low_memory && LOW_MEMORY) },
        signal,
      );
      const stop = yield* read(untilAbort(stream, signal));
      ended = stop === undefined;
      return stop;
    } catch (error) {
      signal?.throwIfAborted();
      throw clickhouseError(error, this.#address, this.#user);
    } finally {
      if (!ended) await this.#kill(query_id);
    }
  }

  async close(): Promise<void> {
    await Promise.all([this.#lines.close(), this.#client.close()]);
  }

  async #open(query: Query, query_id: string, settings: object, signal?: AbortSignal): Promise<Readable> {
    signal?.throwIfAborted();
    const response = this.#client.exec({
      query: query.sql,
      query_params: query.params,
      clickhouse_settings: { ...UNLIMITED, ...settings },
      query_id,
      abort_signal: signal,
    });
    return (await orAbort(response, signal)).stream;
  }

  /** The only row of a response; throws if it is missing. */
  async #row<Row>(query: Query, options: CallOptions): Promise<Row> {
    const [row] = await this.#rows<Row>(query, STATS_TIMEOUT_MS, options);
    if (row === undefined) throw unexpectedResponse(new ResponseTail([]));
    return row;
  }

  async #rows<Row>(
    query: Query,
    limit_ms: number,
    { signal }: CallOptions,
    settings: object = {},
  ): Promise<Row[]> {
    const timeout = AbortSignal.timeout(limit_ms);
    const either = signal ? AbortSignal.any([signal, timeout]) : timeout;
    const parts: Buffer[] = [];
    try {
      const stream = await this.#open(query, randomUUID(), settings, either);
      for await (const part of untilAbort<Buffer>(stream, either)) parts.push(part);
    } catch (error) {
      signal?.throwIfAborted();
      if (timeout.aborted)
        throw unreachable(this.#address, `no response within ${limit_ms / 1000} seconds`, error);
      throw clickhouseError(error, this.#address, this.#user);
    }
    const lines = Buffer.concat(parts).toString('utf8').split('\n').filter(Boolean);
    return lines.map((line) => {
      const row = parseRow(line);
      if (row === undefined) throw unexpectedResponse(new ResponseTail(parts));
      return row as Row;
    });
  }

  /** Closing the connection ends the query too, but not before ClickHouse next writes to it. */
  async #kill(query_id: string): Promise<void> {
    const command = this.#client.command({
      query: `KILL QUERY${this.#dialect.onCluster} WHERE query_id = {id:String} ASYNC`,
      query_params: { id: query_id },
      abort_signal: AbortSignal.timeout(KILL_TIMEOUT_MS),
    });
    await command.catch(() => undefined);
  }
}

/** For an empty set, ClickHouse returns the epoch as minimum and maximum. */
function toStats(row: StatsRow | undefined): LogStats {
  if (!row || row.rows === 0) return { rows: 0, first: null, last: null };
  return { rows: row.rows, first: row.first, last: row.last };
}

/** Parses a row; undefined if the line is incomplete or an error message. */
function parseRow(line: string): unknown {
  try {
    const row = JSON.parse(line) as object;
    return 'exception' in row ? undefined : row;
  } catch {
    return undefined;
  }
}
