import pg from 'pg';
import type { PostgresServer } from '../../bin/demo/postgres.ts';

/** An exclusive lock on a table: backups wait until it is released. */
export class LockedTable {
  readonly #client: pg.Client;

  private constructor(client: pg.Client) {
    this.#client = client;
  }

  static async hold(server: PostgresServer, table: string): Promise<LockedTable> {
    const { host, port, user, password, database } = server;
    const client = new pg.Client({ host, port, user, password, database });
    await client.connect();
    await client.query('BEGIN');
    await client.query(`LOCK TABLE ${table} IN ACCESS EXCLUSIVE MODE`);
    return new LockedTable(client);
  }

  async release(): Promise<void> {
    await this.#client.end();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.release();
  }
}
