import { randomUUID } from 'node:crypto';
import type { Readable } from 'node:stream';
import type { ClickHouseClient } from '@clickhouse/client';
import type { ClickHouseConnection } from '../../config/settings.ts';
import { BifractError } from '../../contract/errors.ts';
import type { CallOptions } from '../../ports/types.ts';
import { orAbort, untilAbort } from '../abort.ts';
import { type Dialect, dialectOf } from './cluster.ts';
import {
  clickhouseError,
  isConnectionError,
  isNeverConnected,
  ResponseTail,
  tlsRequired,
  unexpectedResponse,
  unreachable,
} from './errors.ts';
import { type Query, UNLIMITED } from './queries.ts';
import { requiresTls, tlsAgent } from './tls.ts';

/** Disables the library's idle timeout: a sink that retries for an hour must not end the query. */
const IDLE_TIMEOUT_MS = 2 ** 31 - 1;
const KILL_TIMEOUT_MS = 5_000;

export interface StatementOptions extends CallOptions {
  settings?: object;
  /** Memory limit, bytes. */
  max_memory?: number;
}

interface QueryOptions extends StatementOptions {
  /**
   * Time limit, milliseconds; default: none. A query with a limit is not killed after an abort: if the server hangs, the
   * caller would have to wait for that.
   */
  limit_ms?: number;
}

interface Host {
  client: ClickHouseClient;
  /** Origin of the HTTP interface. */
  address: string;
}

/** What reads a response: yields items of it, and returns undefined once it has read all of it. */
type ReadResponse<Item, Rest> = (chunks: AsyncIterable<Buffer>) => AsyncGenerator<Item, Rest | undefined>;

/**
 * Statements on one ClickHouse server or cluster, without limits that a settings profile may impose. Connects with the
 * first statement. Throws `CLICKHOUSE_UNREACHABLE`, `QUERY_FAILED`; after an abort the signal's reason.
 */
export class ClickHouseSession {
  readonly dialect: Dialect;
  readonly #hosts: readonly Host[];
  readonly #user: string;
  #current = 0;

  private constructor(hosts: readonly Host[], user: string, dialect: Dialect) {
    this.#hosts = hosts;
    this.#user = user;
    this.dialect = dialect;
  }

  /** Origin of the HTTP interface, for messages. */
  get address(): string {
    return this.#host.address;
  }

  get #host(): Host {
    return this.#hosts[this.#current] as Host;
  }

  static async open(
    connection: ClickHouseConnection,
    dialect = dialectOf(connection),
  ): Promise<ClickHouseSession> {
    const { ClickHouseLogLevel, createClient } = await import('@clickhouse/client');
    const { user, password = '', database } = connection;
    const hosts = [connection.url, ...(connection.other_urls ?? [])].map((address) => {
      const url = new URL(address);
      const client = createClient({
        url,
        username: user,
        password,
        database,
        http_agent: tlsAgent({ ...connection, url: url.href }),
        application: 'bifract-console',
        request_timeout: IDLE_TIMEOUT_MS,
        // Client and server share a host or network: compression would only slow ClickHouse down.
        compression: { request: false, response: false },
        log: { level: ClickHouseLogLevel.OFF },
      });
      return { client, address: url.origin };
    });
    return new ClickHouseSession(hosts, user, dialect);
  }

  /** Runs a query with a small result. */
  async rows<Row>(query: Query, options: QueryOptions = {}): Promise<Row[]> {
    const response = await this.#send(query, options);
    const lines = response.toString('utf8').split('\n').filter(Boolean);
    return lines.map((line) => {
      const row = parseRow(line);
      if (row === undefined) throw unexpectedResponse(new ResponseTail([response]));
      return row as Row;
    });
  }

  /** Runs a query with one row; throws if it is missing. */
  async row<Row>(query: Query, options: QueryOptions = {}): Promise<Row> {
    const [row] = await this.rows<Row>(query, options);
    if (row === undefined) throw unexpectedResponse(new ResponseTail([]));
    return row;
  }

  /** Runs a statement without a result. `values` is the body of an insert. */
  async run(statement: Query, options: StatementOptions = {}, values?: Readable): Promise<void> {
    await this.#send(statement, options, values);
  }

  /** Yields what `read` makes of the response. The query is killed unless it is read to the end. */
  async *stream<Item, Rest>(
    query: Query,
    options: StatementOptions,
    read: ReadResponse<Item, Rest>,
  ): AsyncGenerator<Item, Rest | undefined> {
    const { signal } = options;
    const query_id = randomUUID();
    let ended = false;
    try {
      const chunks = await this.#open(query, query_id, options);
      const rest = yield* read(untilAbort(chunks, signal));
      ended = rest === undefined;
      return rest;
    } catch (error) {
      signal?.throwIfAborted();
      throw await this.#error(error);
    } finally {
      if (!ended) await this.#kill(query_id);
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#hosts.map(({ client }) => client.close()));
  }

  /** Returns the response. */
  async #send(statement: Query, options: QueryOptions, values?: Readable): Promise<Buffer> {
    const { signal, limit_ms } = options;
    const timeout = limit_ms === undefined ? undefined : AbortSignal.timeout(limit_ms);
    const either = signal && timeout ? AbortSignal.any([signal, timeout]) : (signal ?? timeout);
    const query_id = randomUUID();
    const parts: Buffer[] = [];
    try {
      const chunks = await this.#open(statement, query_id, { ...options, signal: either }, values);
      for await (const part of untilAbort(chunks, either)) parts.push(part);
    } catch (error) {
      if (signal?.aborted && !timeout) await this.#kill(query_id);
      signal?.throwIfAborted();
      if (timeout?.aborted)
        throw unreachable(this.address, `no response within ${Number(limit_ms) / 1000} seconds`, error);
      throw await this.#error(error);
    }
    return Buffer.concat(parts);
  }

  async #open(
    { sql, params }: Query,
    query_id: string,
    { signal, settings, max_memory }: StatementOptions,
    values?: Readable,
  ): Promise<AsyncIterable<Buffer>> {
    signal?.throwIfAborted();
    const memory = max_memory === undefined ? {} : { max_memory_usage: String(max_memory) };
    const call = {
      query: sql,
      query_params: params,
      clickhouse_settings: { ...UNLIMITED, ...this.dialect.settings, ...settings, ...memory },
      query_id,
      abort_signal: signal,
    };
    for (let tried = 1; ; tried++) {
      const host = this.#host;
      try {
        return (await orAbort(host.client.exec(values ? { ...call, values } : call), signal)).stream;
      } catch (error) {
        if (signal?.aborted || !isConnectionError(error)) throw error;
        this.#leave(host);
        // What may have been run, or sent in part, is for the caller to repeat.
        const repeatable = !values && (isNeverConnected(error) || /^\s*SELECT\b/.test(sql));
        if (tried >= this.#hosts.length || !repeatable) throw await this.#error(error, host.address);
      }
    }
  }

  /** Sends what follows to the next host, unless another statement has already moved on. */
  #leave(host: Host): void {
    if (this.#host === host) this.#current = (this.#current + 1) % this.#hosts.length;
  }

  /**
   * Closing the connection is not enough: a statement that changes data continues, and a query ends only when ClickHouse
   * next writes to it.
   */
  async #kill(query_id: string): Promise<void> {
    const command = this.#host.client.command({
      query: `KILL QUERY${this.dialect.onCluster} WHERE query_id = {id:String} ASYNC`,
      query_params: { id: query_id },
      abort_signal: AbortSignal.timeout(KILL_TIMEOUT_MS),
    });
    await command.catch(() => undefined);
  }

  async #error(error: unknown, address = this.address): Promise<Error> {
    if (error instanceof BifractError) return error;
    if (await requiresTls(address, error)) return tlsRequired(address, error);
    return clickhouseError(error, address, this.#user);
  }
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
