import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { setTimeout } from 'node:timers/promises';
import type { ClickHouseClient } from '@clickhouse/client';
import { BifractError } from '../errors.ts';
import type { LogWindow } from '../ports/log-database.ts';
import type {
  LoadOptions,
  LogRestore,
  RestoreCallOptions,
  StagedPart,
  StagedPartition,
} from '../ports/log-restore.ts';
import type { CallOptions } from '../ports/types.ts';
import { orAbort, untilAbort } from './abort.ts';
import { type ClickHouseConnection, openClient } from './clickhouse-client.ts';
import { type Forms, formsOf, syncQuery, TO_SHARDS, workingQuery } from './clickhouse-cluster.ts';
import { clickhouseError } from './clickhouse-errors.ts';
import { type Query, UNLIMITED } from './clickhouse-query.ts';
import {
  absentQuery,
  attachQuery,
  clockQuery,
  countQuery,
  countUntilQuery,
  createQuery,
  dropQuery,
  excessQuery,
  freeQuery,
  LENIENT,
  LOADING,
  type LogsShape,
  loadQuery,
  minutesQuery,
  partitionsQuery,
  removeUntilQuery,
  shapeQuery,
  shareQuery,
  slicesOf,
  surplusQuery,
  tablesQuery,
} from './clickhouse-restore-query.ts';

const TABLE = /^[a-z][a-z0-9_]{0,150}$/;
/** A mutation that is awaited, wherever it runs. */
const AWAITED = { lightweight_deletes_sync: '2', mutations_sync: '2' } as const;
const KILL_TIMEOUT_MS = 5_000;
const IDLE_POLL_MS = 200;

/** The way of rows into the log database at the address. Connects at the first question. */
export async function connectLogRestore(
  connection: ClickHouseConnection,
  forms = formsOf(connection.cluster),
): Promise<LogRestore> {
  const { client, address, user } = await openClient(connection);
  return new ClickHouseRestore(client, address, user, forms);
}

class ClickHouseRestore implements LogRestore {
  readonly #client: ClickHouseClient;
  readonly #address: string;
  readonly #user: string;
  readonly #forms: Forms;
  #shape: LogsShape | undefined;

  constructor(client: ClickHouseClient, address: string, user: string, forms: Forms) {
    this.#client = client;
    this.#address = address;
    this.#user = user;
    this.#forms = forms;
  }

  async create(table: string, options: CallOptions = {}): Promise<void> {
    await this.#run(createQuery(checked(table), await this.#logs(options), this.#forms), {}, options);
  }

  async load(
    table: string,
    fractal_id: string,
    lines: AsyncIterable<Buffer>,
    options: LoadOptions = {},
  ): Promise<void> {
    const query = loadQuery(checked(table), fractal_id, await this.#logs(options));
    const source = new Source(lines);
    const values = Readable.from(source, { objectMode: false, highWaterMark: 1 });
    try {
      await this.#run(query, options.lenient ? { ...LOADING, ...LENIENT } : LOADING, options, values);
    } catch (error) {
      // A source that fails breaks the connection; what ClickHouse says of that is no news.
      source.mustBeSound();
      throw error;
    } finally {
      values.destroy();
    }
    source.mustBeSound();
  }

  async count(table: string, options: CallOptions = {}): Promise<number> {
    return this.#number(countQuery(checked(table), this.#forms), options);
  }

  async partitions(table: string, options: CallOptions = {}): Promise<StagedPartition[]> {
    const query = partitionsQuery(checked(table), await this.#logs(options), this.#forms);
    return this.#rows<StagedPartition>(query, options);
  }

  async share(from: string, to: string, partition: string, options: CallOptions = {}): Promise<void> {
    await this.#run(shareQuery(checked(from), checked(to), partition, this.#forms), {}, options);
  }

  async difference(part: StagedPart, to: string, options: RestoreCallOptions = {}): Promise<void> {
    checked(part.table);
    const [shape, forms] = [await this.#logs(options), this.#forms];
    const query = minutesQuery(part, shape, forms);
    const minutes = await this.#rows<{ minute: number; rows: number }>(query, options);
    for (const slice of slicesOf(minutes)) {
      await this.#run(absentQuery(part, slice, checked(to), shape, forms), {}, options);
      if ((await this.#number(surplusQuery(part, slice, shape, forms), options)) > 0)
        await this.#run(excessQuery(part, slice, to, shape, forms), {}, options);
    }
  }

  async attach(from: string, partition: string, options: CallOptions = {}): Promise<void> {
    const shape = await this.#logs(options);
    await this.#run(attachQuery(checked(from), partition, shape, this.#forms), this.#toShards, options);
    await this.#sync(shape, options);
  }

  countUntil(window: LogWindow, cutoff_ms: number, options: CallOptions = {}): Promise<number> {
    return this.#number(countUntilQuery(window, cutoff_ms, this.#forms), options);
  }

  async removeUntil(window: LogWindow, cutoff_ms: number, options: CallOptions = {}): Promise<void> {
    await this.#run(removeUntilQuery(window, cutoff_ms, this.#forms), AWAITED, options);
  }

  async clock(options: CallOptions = {}): Promise<number> {
    const [row] = await this.#rows<{ ms: number }>(clockQuery(), options);
    return Number(row?.ms);
  }

  async tables(prefix: string, options: CallOptions = {}): Promise<string[]> {
    return (await this.#rows<{ name: string }>(tablesQuery(prefix, this.#forms), options)).map(
      ({ name }) => name,
    );
  }

  async drop(table: string, options: CallOptions = {}): Promise<void> {
    await this.#run(dropQuery(checked(table), this.#forms), { max_table_size_to_drop: '0' }, options);
    await this.#untilIdle(table, options);
  }

  /** On a cluster, an insert may go on for a while when the table that it reads has gone. */
  async #untilIdle(table: string, options: CallOptions): Promise<void> {
    if (this.#forms.cluster === undefined) return;
    while ((await this.#number(workingQuery(table, this.#forms), options)) > 0) {
      await setTimeout(IDLE_POLL_MS, undefined, { signal: options.signal });
    }
  }

  get #toShards(): object {
    return this.#forms.cluster === undefined ? {} : TO_SHARDS;
  }

  /** What was written to one replica may be read from another. */
  async #sync({ engine }: LogsShape, options: CallOptions): Promise<void> {
    if (this.#forms.cluster === undefined || !engine.startsWith('Replicated')) return;
    await this.#run(syncQuery(this.#forms), {}, options);
  }

  async freeBytes(options: CallOptions = {}): Promise<number | null> {
    const [row] = await this.#rows<{ bytes: number }>(freeQuery(await this.#logs(options)), options);
    return row && row.bytes > 0 ? row.bytes : null;
  }

  async close(): Promise<void> {
    await this.#client.close();
  }

  async #logs(options: CallOptions): Promise<LogsShape> {
    if (this.#shape) return this.#shape;
    const [shape] = await this.#rows<LogsShape>(shapeQuery(), options);
    if (!shape) {
      throw new BifractError(
        'QUERY_FAILED',
        `ClickHouse at ${this.#address} has no table logs to restore into`,
        {
          hint: 'Check CLICKHOUSE_DB, and that the Bifract server has made its tables.',
        },
      );
    }
    this.#shape = shape;
    return shape;
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

  /** Runs a statement to its end, and returns what it answers. */
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

  /** A closed connection ends no statement that changes something. */
  async #kill(query_id: string): Promise<void> {
    const command = this.#client.command({
      query: `KILL QUERY${this.#forms.on} WHERE query_id = {id:String} ASYNC`,
      query_params: { id: query_id },
      abort_signal: AbortSignal.timeout(KILL_TIMEOUT_MS),
    });
    await command.catch(() => undefined);
  }
}

/**
 * Lines on their way, which remember what they failed of. Has no `throw`: a stream that is broken off would throw the
 * connection's error into its source, where it would look like the source's own.
 */
class Source implements AsyncIterable<Buffer> {
  readonly #iterator: AsyncIterator<Buffer>;
  #failure: { error: unknown } | undefined;

  constructor(lines: AsyncIterable<Buffer>) {
    this.#iterator = lines[Symbol.asyncIterator]();
  }

  /** Throws what the source failed of. */
  mustBeSound(): void {
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

/** Names of tables are ours, and written into statements. */
function checked(table: string): string {
  if (TABLE.test(table)) return table;
  throw new BifractError('INTERNAL', `Not the name of a table of ours: ${JSON.stringify(table)}`);
}
