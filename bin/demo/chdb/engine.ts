import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type * as chdb from 'chdb';
import { killStatement } from './statement.ts';

/** The parts of chdb's native layer that its own interface does not offer. */
interface Native {
  InsertRawAsyncConnection(
    handle: unknown,
    sql: string,
    data: Buffer,
    count: boolean,
  ): Promise<{ rowsWritten: number; bytesWritten: number }>;
  CloseConnection(handle: unknown): void;
}

export type Connection = chdb.Session;

/** Rows and bytes that an INSERT wrote. */
export interface Written {
  rows: number;
  bytes: number;
}

/** One embedded ClickHouse over a folder, with many connections; only one process at a time can open a folder. */
export class ChdbEngine {
  readonly version: string;
  readonly timezone: string;
  readonly #chdb: typeof chdb;
  readonly #native: Native;
  readonly #folder: string;
  readonly #admin: Connection;
  readonly #waiting: (() => void)[] = [];
  #free: number;

  /** `module`: the resolved path of chdb. `limit`: how many statements run at once; more wait. */
  constructor(module: string, folder: string, limit: number) {
    const require = createRequire(import.meta.url);
    this.#chdb = require(module) as typeof chdb;
    const loader = require(join(dirname(module), 'dist/loader.js')) as { loadNative(): Native };
    this.#native = loader.loadNative();
    this.#folder = folder;
    this.#free = limit;
    this.#admin = this.open();
    const [version = '', timezone = ''] = this.#admin
      .query('SELECT version(), timezone()', 'TSV')
      .trim()
      .split('\t');
    this.version = version;
    this.timezone = timezone;
  }

  open(): Connection {
    return new this.#chdb.Session(this.#folder);
  }

  /**
   * Closes a connection on which nothing runs. The library's own close waits for every running call of the whole
   * process, and a cancelled query would keep its memory for as long: so the handle is closed first.
   */
  async close(connection: Connection): Promise<void> {
    await new Promise(setImmediate);
    const handle = connection.connection;
    connection.connection = null;
    if (handle) this.#native.CloseConnection(handle);
    Object.assign(connection, { _activeStream: null });
    connection.close();
  }

  async insert(connection: Connection, sql: string, inline: Buffer): Promise<Written> {
    const result = await this.#native.InsertRawAsyncConnection(connection.connection, sql, inline, false);
    return { rows: result.rowsWritten, bytes: result.bytesWritten };
  }

  /** Ends a query by its id; one that has ended already is none to end. */
  async kill(id: string): Promise<void> {
    await this.#admin.queryAsync(killStatement(id), { format: 'Null' }).catch(() => {});
  }

  /** Waits for a place among the running statements: each one holds a thread of the pool. Give it back after. */
  async place(): Promise<() => void> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    return () => {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#free++;
    };
  }

  end(): void {
    this.#admin.close();
  }
}
