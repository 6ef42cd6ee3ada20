import { type ClickhouseServer, startClickhouse } from '../../bin/demo/clickhouse.ts';
import { queryClickhouse } from '../../bin/demo/query.ts';
import { seedRows } from '../../bin/demo/seed-rows.ts';
import { createLogsDatabase, LOGS_DATABASE } from '../../bin/demo/services.ts';
import type { DemoSupervisor } from '../../bin/demo/supervisor.ts';
import { until } from '../helpers/until.ts';
import { Relay } from './relay.ts';

const PASSWORD = 'secret';
const RESTART_LIMIT_MS = 60_000;
/** So many that a restore sends several blocks. */
const BIG_ROWS = 300_000;
const SMALL_ROWS = 6_000;
/** Rows of a third fractal, which no job works on. */
const OTHER_ROWS = 500;

/** Fractals: a large one to restore, a small one to archive. Each has months, that is partitions, of its own. */
export const BIG = 'f0000000-0000-4000-8000-00000000000b';
export const SMALL = 'f0000000-0000-4000-8000-00000000000a';
const OTHER = 'f0000000-0000-4000-8000-00000000000c';
const BIG_MONTHS = ['202601', '202602', '202603'];

/** A ClickHouse engine behind a relay; it can be killed and started again on its data. */
export class FaultyClickhouse {
  readonly relay: Relay;
  readonly #supervisor: DemoSupervisor;
  #server: ClickhouseServer;
  #expected = '';

  private constructor(supervisor: DemoSupervisor, server: ClickhouseServer, relay: Relay) {
    this.#supervisor = supervisor;
    this.#server = server;
    this.relay = relay;
  }

  static async start(supervisor: DemoSupervisor): Promise<FaultyClickhouse> {
    const server = await startClickhouse(supervisor, PASSWORD);
    const clickhouse = new FaultyClickhouse(supervisor, server, await Relay.open(server.http_port));
    await createLogsDatabase(server, LOGS_DATABASE, 'A');
    await clickhouse.#fill();
    return clickhouse;
  }

  /** Address and login for the program. */
  get connection() {
    const { user, password } = this.#server;
    return { url: `http://127.0.0.1:${this.relay.port}`, user, password, database: LOGS_DATABASE };
  }

  /** Address of the server itself. */
  get direct_url(): string {
    return this.#server.url;
  }

  /** Runs a statement, not through the relay. */
  async query(sql: string): Promise<string> {
    return (await queryClickhouse(this.#server, LOGS_DATABASE, sql)).trim();
  }

  async kill(): Promise<void> {
    if (this.#server.pid !== undefined) process.kill(this.#server.pid, 'SIGKILL');
    await this.#server.ended;
    this.relay.cut();
  }

  async restart(): Promise<void> {
    // The data folder is locked until the old process is gone.
    const start = () => startClickhouse(this.#supervisor, PASSWORD).catch(() => undefined);
    this.#server = await until(start, RESTART_LIMIT_MS, 'ClickHouse restarts');
    this.relay.target = this.#server.http_port;
  }

  /** Makes the table as it was at first, if it is not. */
  async reset(): Promise<void> {
    for (const table of await this.stagingTables()) await this.query(`DROP TABLE ${table} SYNC`);
    if ((await this.digest()) === this.#expected) return;
    await this.query('TRUNCATE TABLE logs');
    const months = await this.query(
      "SELECT DISTINCT partition_id FROM system.parts WHERE table = 'base' AND active",
    );
    for (const month of months.split('\n'))
      await this.query(`ALTER TABLE logs ATTACH PARTITION ID '${month}' FROM base`);
  }

  async stagingTables(): Promise<string[]> {
    const names = await this.query(
      "SELECT name FROM system.tables WHERE database = currentDatabase() AND name NOT IN ('logs', 'base')",
    );
    return names.split('\n').filter(Boolean);
  }

  /** What is wrong with the rows: missing, doubled or changed ones; undefined if nothing is. */
  async difference(): Promise<string | undefined> {
    const now = await this.digest();
    return now === this.#expected ? undefined : `${summary(now)}, expected ${summary(this.#expected)}`;
  }

  /** Removes the rows of the large fractal: all, one month, half of one month, or none. */
  async removeRows(which: 'all' | 'month' | 'half' | 'none'): Promise<void> {
    const [first = '', second = ''] = BIG_MONTHS;
    const months = which === 'all' ? BIG_MONTHS : which === 'month' ? [second] : [];
    for (const month of months) await this.query(`ALTER TABLE logs DROP PARTITION ID '${month}'`);
    if (which === 'half')
      await this.query(
        `ALTER TABLE logs DELETE IN PARTITION ID '${first}' WHERE cityHash64(log_id) % 2 = 0 SETTINGS mutations_sync = 2`,
      );
  }

  /** A row that is ingested while jobs run. It must be there once, and is not part of the digest. */
  async addLateRow(): Promise<void> {
    await this.query(
      `INSERT INTO logs SELECT timestamp, 'late', 'late', '{}', '${BIG}', now64(3) + 3600 FROM base WHERE fractal_id = '${BIG}' LIMIT 1`,
    );
  }

  async lateRows(): Promise<number> {
    return Number(await this.query("SELECT count() FROM logs WHERE log_id = 'late'"));
  }

  async removeLateRows(): Promise<void> {
    await this.query("ALTER TABLE logs DELETE WHERE log_id = 'late' SETTINGS mutations_sync = 2");
  }

  /** Number of rows and hash of all columns, per fractal. */
  async digest(): Promise<string> {
    // Only small fractals are hashed with all fields: their text is slow.
    const fields = `if(fractal_id = '${BIG}', toString(fields.n), toJSONString(fields))`;
    return this.query(
      `SELECT fractal_id, count(), sum(cityHash64(timestamp, raw_log, log_id, ingest_timestamp, ${fields}))
       FROM logs WHERE log_id <> 'late' GROUP BY fractal_id ORDER BY fractal_id`,
    );
  }

  async #fill(): Promise<void> {
    const small = { kind: 'mixed', rows: SMALL_ROWS, seed: 5, fractal_id: SMALL } as const;
    const span = { from: new Date('2026-05-01T20:00:00Z'), to: new Date('2026-05-03T04:00:00Z') };
    await seedRows(this.#server, LOGS_DATABASE, { ...small, ...span });
    const other = { ...small, rows: OTHER_ROWS, fractal_id: OTHER };
    await seedRows(this.#server, LOGS_DATABASE, {
      ...other,
      from: new Date('2026-06-01'),
      to: new Date('2026-06-02'),
    });
    // Ninety days from the start of January. A row in a hundred is there twice.
    await this.query(`INSERT INTO logs SELECT fromUnixTimestamp64Milli(1767225600000 + intDiv(n, 10) * 259000),
      concat('line ', toString(n), ' ', hex(sipHash128(n))), lower(hex(sipHash128(n, 1))),
      concat('{"n":"', toString(n), '"}'), '${BIG}', fromUnixTimestamp64Milli(1767225600000 + n)
      FROM (SELECT number - (number % 100 = 42) AS n FROM numbers(${BIG_ROWS}))`);
    await this.query('CREATE TABLE base AS logs');
    await this.query('INSERT INTO base SELECT * FROM logs');
    await this.query('OPTIMIZE TABLE base FINAL');
    this.#expected = await this.digest();
  }
}

function summary(digest: string): string {
  return digest
    .split('\n')
    .map((line) => line.split('\t'))
    .map(([fractal = '', count = '0', hash = '']) => `${fractal.slice(-1)}: ${count} (${hash.slice(-5)})`)
    .join(' ');
}
