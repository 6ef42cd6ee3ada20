import { Readable } from 'node:stream';
import { setTimeout } from 'node:timers/promises';
import type { ClickHouseConnection } from '../../config/settings.ts';
import { BifractError } from '../../contract/errors.ts';
import type { LogsShape } from '../../ports/installation-shape.ts';
import type { LogWindow } from '../../ports/log-database.ts';
import type {
  DigestQuery,
  LoadOptions,
  LogRestore,
  RestoreCallOptions,
  RowDigest,
  StagedPartition,
  StagedRows,
} from '../../ports/log-restore.ts';
import type { CallOptions } from '../../ports/types.ts';
import { activeStatementsQuery, DISTRIBUTED_INSERT, type Dialect, INSERT_ALL, syncQuery } from './cluster.ts';
import { Encoders } from './encoders.ts';
import { loadLines } from './load-streams.ts';
import type { Query } from './queries.ts';
import {
  addMissingCountsQuery,
  attachQuery,
  BLOCK_SETTINGS,
  COUNTS_TABLE,
  canDigest,
  clockQuery,
  clonePartitionsQuery,
  countExcessQuery,
  countQuery,
  countUntilQuery,
  createQuery,
  digestsQuery,
  dropQuery,
  freeQuery,
  insertAbsentQuery,
  insertExcessQuery,
  insertSliceQuery,
  keepsLines,
  LENIENT_SETTINGS,
  LOAD_SETTINGS,
  loadQuery,
  minutesQuery,
  overlappingQuery,
  partitionsQuery,
  removeExcessCountsQuery,
  removeUntilQuery,
  slicesOf,
  stagedMinutesQuery,
  tablesQuery,
} from './restore-queries.ts';
import { ServerResources } from './server-resources.ts';
import { ClickHouseSession } from './session.ts';
import { readLogsShape } from './shape.ts';

const TABLE = /^[a-z][a-z0-9_]{0,150}$/;
/** Waits for mutations on all replicas. */
const WAIT_FOR_MUTATION = { lightweight_deletes_sync: '2', mutations_sync: '2' } as const;
const IDLE_POLL_MS = 200;

/** Opens the log database for restoring. Connects with the first query. */
export async function connectLogRestore(
  connection: ClickHouseConnection,
  dialect?: Dialect,
): Promise<LogRestore> {
  return new ClickHouseRestore(await ClickHouseSession.open(connection, dialect));
}

class ClickHouseRestore implements LogRestore {
  readonly #session: ClickHouseSession;
  readonly #dialect: Dialect;
  readonly #encoders: Encoders;
  readonly #resources: ServerResources;
  #schema: LogsShape | undefined;

  constructor(session: ClickHouseSession) {
    this.#session = session;
    this.#dialect = session.dialect;
    this.#encoders = new Encoders(session);
    this.#resources = new ServerResources(session);
  }

  async create(table: string, options: CallOptions = {}): Promise<void> {
    const schema = await this.#logsSchema(options);
    await this.#session.run(createQuery(checkedTable(table), schema, this.#dialect), options);
  }

  async load(
    table: string,
    fractal_id: string,
    lines: AsyncIterable<Buffer>,
    { lenient, parallel, onText, ...options }: LoadOptions = {},
  ): Promise<void> {
    checkedTable(table);
    const schema = await this.#logsSchema(options);
    const { signal, max_memory } = options;
    const streams = parallel ?? (await this.#resources.streams(options));
    const threads = await this.#encoders.acquire(schema, streams, options, onText);
    const memory = max_memory && Math.floor(max_memory / streams);
    try {
      await loadLines(lines, {
        ...{ parallel: streams, threads, buffers: this.#encoders.buffers, signal },
        insert: async (format, body, own) => {
          const query = loadQuery(table, fractal_id, schema, format);
          // Blocks hold nothing that a reader of text could reject.
          const reader = format === 'Native' ? BLOCK_SETTINGS : lenient ? LENIENT_SETTINGS : {};
          const settings = { ...LOAD_SETTINGS, ...reader };
          const values = Readable.from(body, { objectMode: false, highWaterMark: 1 });
          try {
            await this.#session.run(query, { signal: own, max_memory: memory, settings }, values);
          } catch (error) {
            throw format === 'Native' ? this.#encoders.refused(error, onText) : error;
          } finally {
            values.destroy();
          }
        },
      });
    } finally {
      await this.#encoders.release(threads, onText);
    }
  }

  async count(table: string, options: CallOptions = {}): Promise<number> {
    return this.#number(countQuery(checkedTable(table), this.#dialect), options);
  }

  async partitions(table: string, options: CallOptions = {}): Promise<StagedPartition[]> {
    const query = partitionsQuery(checkedTable(table), await this.#logsSchema(options), this.#dialect);
    return this.#session.rows<StagedPartition>(query, options);
  }

  async clonePartitions(
    from: string,
    to: string,
    ids: readonly string[],
    options: CallOptions = {},
  ): Promise<void> {
    const query = clonePartitionsQuery(checkedTable(from), checkedTable(to), ids, this.#dialect);
    await this.#session.run(query, options);
  }

  async overlapping(rows: StagedRows, options: CallOptions = {}): Promise<string[]> {
    checkedTable(rows.table);
    const query = overlappingQuery(rows, await this.#logsSchema(options), this.#dialect);
    return (await this.#session.rows<{ id: string }>(query, options)).map(({ id }) => id);
  }

  async insertMissing(rows: StagedRows, to: string, options: RestoreCallOptions = {}): Promise<void> {
    checkedTable(rows.table);
    const [schema, dialect] = [await this.#logsSchema(options), this.#dialect];
    const minutes = await this.#session.rows<{ minute: number; rows: number }>(
      minutesQuery(rows, dialect),
      options,
    );
    const insert = (query: Query) => this.#session.run(query, { ...options, settings: INSERT_ALL });
    for (const slice of slicesOf(minutes)) {
      await insert(insertAbsentQuery(rows, slice, checkedTable(to), schema, dialect));
      if ((await this.#number(countExcessQuery(rows, slice, schema, dialect), options)) > 0)
        await insert(insertExcessQuery(rows, slice, to, schema, dialect));
    }
  }

  async rowIdentity(options: CallOptions = {}): Promise<{ line: boolean } | null> {
    const schema = await this.#logsSchema(options);
    return canDigest(schema) ? { line: keepsLines(schema) } : null;
  }

  async digests(query: DigestQuery, options: RestoreCallOptions = {}): Promise<Map<number, RowDigest>> {
    const sql = digestsQuery(query, await this.#logsSchema(options), this.#dialect);
    const buckets = await this.#session.rows<{ bucket: number; rows: number; hash: string }>(sql, options);
    return new Map(buckets.map(({ bucket, rows, hash }) => [bucket, { rows, hash: BigInt(hash) }]));
  }

  async attach(from: string, ids: readonly string[], options: CallOptions = {}): Promise<void> {
    const schema = await this.#logsSchema(options);
    // In the cloud, also if the settings do not say so.
    if (this.#dialect.inserts || schema.engine.startsWith('Shared'))
      await this.#insertAll(checkedTable(from), ids, options);
    else await this.#session.run(attachQuery(checkedTable(from), ids), options);
    await this.#sync(schema, options);
  }

  async #insertAll(from: string, ids: readonly string[], options: CallOptions): Promise<void> {
    const [schema, dialect] = [await this.#logsSchema(options), this.#dialect];
    const query = stagedMinutesQuery(from, ids, schema, dialect);
    const minutes = await this.#session.rows<{ minute: number; rows: number }>(query, options);
    const settings = { ...INSERT_ALL, ...(dialect.cluster !== undefined && DISTRIBUTED_INSERT) };
    for (const slice of slicesOf(minutes))
      await this.#session.run(insertSliceQuery(from, ids, slice, schema, dialect), { ...options, settings });
  }

  countUntil(window: LogWindow, cutoff_ms: number, options: CallOptions = {}): Promise<number> {
    return this.#number(countUntilQuery(window, cutoff_ms, this.#dialect), options);
  }

  async removeUntil(window: LogWindow, cutoff_ms: number, options: CallOptions = {}): Promise<void> {
    const query = removeUntilQuery(window, cutoff_ms, this.#dialect);
    await this.#session.run(query, { ...options, settings: WAIT_FOR_MUTATION });
  }

  async updateCounts(window: LogWindow, options: CallOptions = {}): Promise<void> {
    const { views } = await this.#logsSchema(options);
    if (this.#dialect.cluster !== undefined || !views.some(({ target }) => target === COUNTS_TABLE)) return;
    await this.#session.run(removeExcessCountsQuery(window), { ...options, settings: WAIT_FOR_MUTATION });
    await this.#session.run(addMissingCountsQuery(window), options);
  }

  async clock(options: CallOptions = {}): Promise<number> {
    return (await this.#session.row<{ ms: number }>(clockQuery(), options)).ms;
  }

  async tables(prefix: string, options: CallOptions = {}): Promise<string[]> {
    const query = tablesQuery(prefix, this.#dialect);
    return (await this.#session.rows<{ name: string }>(query, options)).map(({ name }) => name);
  }

  async drop(table: string, options: CallOptions = {}): Promise<void> {
    const query = dropQuery(checkedTable(table), this.#dialect);
    await this.#session.run(query, { ...options, settings: { max_table_size_to_drop: '0' } });
    await this.#untilIdle(table, options);
  }

  /** Elsewhere than on a single server, an insert may still be running after the table it reads was dropped. */
  async #untilIdle(table: string, options: CallOptions): Promise<void> {
    if (!this.#dialect.inserts) return;
    while ((await this.#number(activeStatementsQuery(table, this.#dialect), options)) > 0) {
      await setTimeout(IDLE_POLL_MS, undefined, { signal: options.signal });
    }
  }

  /** The next read may be from another replica. */
  async #sync({ engine }: LogsShape, options: CallOptions): Promise<void> {
    if (this.#dialect.cluster === undefined || !engine.startsWith('Replicated')) return;
    await this.#session.run(syncQuery(this.#dialect), options);
  }

  async freeBytes(options: CallOptions = {}): Promise<number | null> {
    if (this.#dialect.inserts && this.#dialect.cluster === undefined) return null;
    const query = freeQuery(await this.#logsSchema(options));
    const { bytes } = await this.#session.row<{ bytes: number }>(query, options);
    return bytes > 0 ? bytes : null;
  }

  async close(): Promise<void> {
    await this.#encoders.close();
    await this.#session.close();
  }

  async #logsSchema(options: CallOptions): Promise<LogsShape> {
    this.#schema ??= await readLogsShape(this.#session, options);
    return this.#schema;
  }

  async #number(query: Query, options: RestoreCallOptions): Promise<number> {
    return (await this.#session.row<{ rows: number }>(query, options)).rows;
  }
}

/** Table names become part of the statement text. */
function checkedTable(table: string): string {
  if (TABLE.test(table)) return table;
  throw new BifractError('INTERNAL', `Invalid staging table name: ${JSON.stringify(table)}`);
}
