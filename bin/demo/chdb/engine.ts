import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type * as chdb from 'chdb';
import { killStatement } from './statement.ts';

/** Parts of chdb's native layer that its public API does not offer. */
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

/** Rows and bytes written by an INSERT. */
export interface InsertResult {
  rows: number;
  bytes: number;
}

/** An embedded ClickHouse on a folder, with many connections. Only one process at a time can open a folder. */
export class ChdbEngine {
  readonly version: string;
  readonly timezone: string;
  readonly #chdb: typeof chdb;
  readonly #native: Native;
  readonly #folder: string;
  readonly #admin: Connection;
  readonly #waiting: (() => void)[] = [];
  #free: number;

  /** `module`: resolved path of chdb. `limit`: number of concurrent statements; others wait. */
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
   * Closes an idle connection. The library's own close waits for every running call of the process, and a cancelled query
   * would keep its memory that long, so the native handle is closed first.
   */
  async close(connection: Connection): Promise<void> {
    await new Promise(setImmediate);
    const handle = connection.connection;
    connection.connection = null;
    if (handle) this.#native.CloseConnection(handle);
    Object.assign(connection, { _activeStream: null });
    connection.close();
  }

  async insert(connection: Connection, sql: string, inline: Buffer): Promise<InsertResult> {
    const result = await this.#native.InsertRawAsyncConnection(connection.connection, sql, inline, false);
    return { rows: result.rowsWritten, bytes: result.bytesWritten };
  }

  /** Kills a query by its ID; ignores one that has ended. */
  async kill(id: string): Promise<void> {
    await this.#admin.queryAsync(killStatement(id), { format: 'Null' }).catch(() => {});
  }

  /** Waits for a slot to run a statement, which holds a thread of the pool. Returns the function that releases it. */
  async acquireSlot(): Promise<() => void> {
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
