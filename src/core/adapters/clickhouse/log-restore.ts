import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { setTimeout } from 'node:timers/promises';
import type { ClickHouseClient } from '@clickhouse/client';
import { BifractError } from '../../contract/errors.ts';
import type { LogWindow } from '../../ports/log-database.ts';
import type {
  LoadOptions,
  LogRestore,
  RestoreCallOptions,
  StagedPart,
  StagedPartition,
} from '../../ports/log-restore.ts';
import type { CallOptions } from '../../ports/types.ts';
import { orAbort, untilAbort } from '../abort.ts';
import { type ClickHouseConnection, openClient } from './client.ts';
import { activeStatementsQuery, DISTRIBUTED_INSERT, type Dialect, dialectOf, syncQuery } from './cluster.ts';
import { clickhouseError } from './errors.ts';
import { type Query, UNLIMITED } from './queries.ts';
import {
  attachQuery,
  clockQuery,
  clonePartitionQuery,
  countExcessQuery,
  countQuery,
  countUntilQuery,
  createQuery,
  dropQuery,
  freeQuery,
  insertAbsentQuery,
  insertExcessQuery,
  LENIENT_SETTINGS,
  LOAD_SETTINGS,
  type LogsSchema,
  loadQuery,
  minutesQuery,
  partitionsQuery,
  removeUntilQuery,
  schemaQuery,
  slicesOf,
  tablesQuery,
} from './restore-queries.ts';

const TABLE = /^[a-z][a-z0-9_]{0,150}$/;
/** Waits for mutations on all replicas. */
const WAIT_FOR_MUTATION = { lightweight_deletes_sync: '2', mutations_sync: '2' } as const;
const KILL_TIMEOUT_MS = 5_000;
const IDLE_POLL_MS = 200;

/** Opens the log database for restoring. Connects with the first query. */
export async function connectLogRestore(
  connection: ClickHouseConnection,
  dialect = dialectOf(connection.cluster),
): Promise<LogRestore> {
  const { client, address, user } = await openClient(connection);
  return new ClickHouseRestore(client, address, user, dialect);
}

class ClickHouseRestore implements LogRestore {
  readonly #client: ClickHouseClient;
  readonly #address: string;
  readonly #user: string;
  readonly #dialect: Dialect;
  #schema: LogsSchema | undefined;

  constructor(client: ClickHouseClient, address: string, user: string, dialect: Dialect) {
    this.#client = client;
    this.#address = address;
    this.#user = user;
    this.#dialect = dialect;
  }

  async create(table: string, options: CallOptions = {}): Promise<void> {
    await this.#run(
      createQuery(checkedTable(table), await this.#logsSchema(options), this.#dialect),
      {},
      options,
    );
  }

  async load(
    table: string,
    fractal_id: string,
    lines: AsyncIterable<Buffer>,
    options: LoadOptions = {},
  ): Promise<void> {
    const query = loadQuery(checkedTable(table), fractal_id, await this.#logsSchema(options));
    const source = new Source(lines);
    const values = Readable.from(source, { objectMode: false, highWaterMark: 1 });
    try {
      await this.#run(
        query,
        options.lenient ? { ...LOAD_SETTINGS, ...LENIENT_SETTINGS } : LOAD_SETTINGS,
        options,
        values,
      );
    } catch (error) {
      // A failing source breaks the connection: report the cause, not the broken connection.
      source.throwIfFailed();
      throw error;
    } finally {
      values.destroy();
    }
    source.throwIfFailed();
  }

  async count(table: string, options: CallOptions = {}): Promise<number> {
    return this.#number(countQuery(checkedTable(table), this.#dialect), options);
  }

  async partitions(table: string, options: CallOptions = {}): Promise<StagedPartition[]> {
    const query = partitionsQuery(checkedTable(table), await this.#logsSchema(options), this.#dialect);
    return this.#rows<StagedPartition>(query, options);
  }

  async clonePartition(
    from: string,
    to: string,
    partition: string,
    options: CallOptions = {},
  ): Promise<void> {
    await this.#run(
      clonePartitionQuery(checkedTable(from), checkedTable(to), partition, this.#dialect),
      {},
      options,
    );
  }

  async insertMissing(part: StagedPart, to: string, options: RestoreCallOptions = {}): Promise<void> {
    checkedTable(part.table);
    const [schema, dialect] = [await this.#logsSchema(options), this.#dialect];
    const query = minutesQuery(part, schema, dialect);
    const minutes = await this.#rows<{ minute: number; rows: number }>(query, options);
    for (const slice of slicesOf(minutes)) {
      await this.#run(insertAbsentQuery(part, slice, checkedTable(to), schema, dialect), {}, options);
      if ((await this.#number(countExcessQuery(part, slice, schema, dialect), options)) > 0)
        await this.#run(insertExcessQuery(part, slice, to, schema, dialect), {}, options);
    }
  }

  async attach(from: string, partition: string, options: CallOptions = {}): Promise<void> {
    const schema = await this.#logsSchema(options);
    await this.#run(
      attachQuery(checkedTable(from), partition, schema, this.#dialect),
      this.#insertSettings,
      options,
    );
    await this.#sync(schema, options);
  }

  countUntil(window: LogWindow, cutoff_ms: number, options: CallOptions = {}): Promise<number> {
    return this.#number(countUntilQuery(window, cutoff_ms, this.#dialect), options);
  }

  async removeUntil(window: LogWindow, cutoff_ms: number, options: CallOptions = {}): Promise<void> {
    await this.#run(removeUntilQuery(window, cutoff_ms, this.#dialect), WAIT_FOR_MUTATION, options);
  }

  async clock(options: CallOptions = {}): Promise<number> {
    const [row] = await this.#rows<{ ms: number }>(clockQuery(), options);
    return Number(row?.ms);
  }

  async tables(prefix: string, options: CallOptions = {}): Promise<string[]> {
    return (await this.#rows<{ name: string }>(tablesQuery(prefix, this.#dialect), options)).map(
      ({ name }) => name,
    );
  }

  async drop(table: string, options: CallOptions = {}): Promise<void> {
    await this.#run(dropQuery(checkedTable(table), this.#dialect), { max_table_size_to_drop: '0' }, options);
    await this.#untilIdle(table, options);
  }

  /** On a cluster, an insert may still be running after the table it reads was dropped. */
  async #untilIdle(table: string, options: CallOptions): Promise<void> {
    if (this.#dialect.cluster === undefined) return;
    while ((await this.#number(activeStatementsQuery(table, this.#dialect), options)) > 0) {
      await setTimeout(IDLE_POLL_MS, undefined, { signal: options.signal });
    }
  }

  get #insertSettings(): object {
    return this.#dialect.cluster === undefined ? {} : DISTRIBUTED_INSERT;
  }

  /** The next read may be from another replica. */
  async #sync({ engine }: LogsSchema, options: CallOptions): Promise<void> {
    if (this.#dialect.cluster === undefined || !engine.startsWith('Replicated')) return;
    await this.#run(syncQuery(this.#dialect), {}, options);
  }

  async freeBytes(options: CallOptions = {}): Promise<number | null> {
    const [row] = await this.#rows<{ bytes: number }>(freeQuery(await this.#logsSchema(options)), options);
    return row && row.bytes > 0 ? row.bytes : null;
  }

  async close(): Promise<void> {
    await this.#client.close();
  }

  async #logsSchema(options: CallOptions): Promise<LogsSchema> {
    if (this.#schema) return this.#schema;
    const [schema] = await this.#rows<LogsSchema>(schemaQuery(), options);
    if (!schema) {
      throw new BifractError(
        'QUERY_FAILED',
        `ClickHouse at ${this.#address} has no logs table to restore into`,
        {
          hint: 'Check CLICKHOUSE_DB, and check that the Bifract server has created its tables.',
        },
      );
    }
    this.#schema = schema;
    return schema;
  }

  async #number(query: Query, options: CallOptions): Promise<number> {
    const [row] = await this.#rows<{ rows: number }>(query, options);
    return row?.rows ?? 0;
  }

  async #rows<Row>(query: Query, options: CallOptions): Promise<Row[]> {
    const text = await this.#run(query, {}, options);
    return text
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Row);
  }

  /** Runs a statement and returns its output. */
  async #run(
    { sql, params }: Query,
    settings: object,
    { signal, max_memory }: RestoreCallOptions,
    values?: Readable,
  ): Promise<string> {
    const query_id = randomUUID();
    const memory = max_memory === undefined ? {} : { max_memory_usage: String(max_memory) };
    const parts: Buffer[] = [];
    try {
      signal?.throwIfAborted();
      const call = {
        query: sql,
        query_params: params,
        clickhouse_settings: { ...UNLIMITED, ...settings, ...memory },
        query_id,
        abort_signal: signal,
      };
      const { stream } = await orAbort(this.#client.exec(values ? { ...call, values } : call), signal);
      for await (const part of untilAbort<Buffer>(stream, signal)) parts.push(part);
    } catch (error) {
      if (signal?.aborted) await this.#kill(query_id);
      signal?.throwIfAborted();
      throw clickhouseError(error, this.#address, this.#user);
    }
    return Buffer.concat(parts).toString('utf8');
  }

  /** Closing the connection does not stop a statement that modifies data. */
  async #kill(query_id: string): Promise<void> {
    const command = this.#client.command({
      query: `KILL QUERY${this.#dialect.onCluster} WHERE query_id = {id:String} ASYNC`,
      query_params: { id: query_id },
      abort_signal: AbortSignal.timeout(KILL_TIMEOUT_MS),
    });
    await command.catch(() => undefined);
  }
}

/**
 * Wraps the lines to load and remembers their error. Has no `throw` method: an aborted stream would throw the connection's
 * error into the source, where it would look like an error of the source.
 */
class Source implements AsyncIterable<Buffer> {
  readonly #iterator: AsyncIterator<Buffer>;
  #failure: { error: unknown } | undefined;

  constructor(lines: AsyncIterable<Buffer>) {
    this.#iterator = lines[Symbol.asyncIterator]();
  }

  /** Throws the error of the source, if it failed. */
  throwIfFailed(): void {
    if (this.#failure) throw this.#failure.error;
  }

  [Symbol.asyncIterator](): AsyncIterator<Buffer> {
    return { next: () => this.#next(), return: () => this.#return() };
  }

  async #next(): Promise<IteratorResult<Buffer>> {
    try {
      return await this.#iterator.next();
    } catch (error) {
      this.#failure = { error };
      throw error;
    }
  }

  async #return(): Promise<IteratorResult<Buffer>> {
    await this.#iterator.return?.();
    return { done: true, value: undefined };
  }
}

/** Table names become part of the statement text. */
function checkedTable(table: string): string {
  if (TABLE.test(table)) return table;
  throw new BifractError('INTERNAL', `Invalid staging table name: ${JSON.stringify(table)}`);
}
