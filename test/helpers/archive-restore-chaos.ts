import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { type ClickhouseServer, startClickhouse } from '../../bin/demo/clickhouse.ts';
import { createInstallDir } from '../../bin/demo/install-dir.ts';
import { type PostgresServer, startPostgres } from '../../bin/demo/postgres.ts';
import { queryClickhouse, queryPostgres } from '../../bin/demo/query.ts';
import { POSTGRES_SCHEMA } from '../../bin/demo/schema.ts';
import { seedRows } from '../../bin/demo/seed-rows.ts';
import { createLogsDatabase } from '../../bin/demo/services.ts';
import type { DemoSupervisor } from '../../bin/demo/supervisor.ts';
import { Dice } from '../fuzz/mutations.ts';
import { type Started, start } from './program.ts';
import { until } from './until.ts';

/** What is disrupted: a process by SIGKILL, or all connections to ClickHouse. */
export type Victim = 'bifract' | 'clickhouse' | 'connections';
const VICTIMS: Victim[] = ['bifract', 'clickhouse', 'connections'];
const FRACTAL = 'c4a05000-0000-4000-8000-000000000001';
const PASSWORD = 'secret';
const RESTORE_LIMIT_MS = 240_000;
/** The restore must succeed within this many repeated calls. */
const MAX_RETRIES = 4;
const RESTART_LIMIT_MS = 60_000;

const SCENES = ['empty', 'half', 'full', 'replace'] as const;

export interface Round {
  scene: (typeof SCENES)[number];
  victim: Victim;
  after_ms: number;
  /** Whether the restore was still running. */
  hit: boolean;
  /** Exit codes of the disrupted call and the ones after it. */
  codes: (number | null)[];
}

/**
 * Disrupts restores of an archive at seeded points. Once the same call succeeds, the fractal must hold exactly the
 * expected rows, including rows that arrived meanwhile, and nothing may be left behind.
 */
export class ArchiveRestoreChaos {
  readonly #supervisor: DemoSupervisor;
  readonly #postgres: PostgresServer;
  readonly #relay: Relay;
  readonly #dir: string;
  readonly #dice: Dice;
  #clickhouse: ClickhouseServer;
  #source = '';
  #full_ms = 0;
  #late = 0;

  private constructor(supervisor: DemoSupervisor, { postgres, clickhouse, relay, dir }: Parts, seed: number) {
    this.#supervisor = supervisor;
    this.#postgres = postgres;
    this.#clickhouse = clickhouse;
    this.#relay = relay;
    this.#dir = dir;
    this.#dice = new Dice(seed);
  }

  static async start(supervisor: DemoSupervisor, seed: number, rows = 20_000): Promise<ArchiveRestoreChaos> {
    const [postgres, clickhouse] = await Promise.all([
      startPostgres(supervisor, PASSWORD),
      startClickhouse(supervisor, PASSWORD),
    ]);
    await queryPostgres(postgres, POSTGRES_SCHEMA);
    await createLogsDatabase(clickhouse, 'logs', 'A');
    const relay = await Relay.open(clickhouse.http_port);
    const dir = await mkdtemp(join(tmpdir(), 'bifract-chaos-'));
    const url = `http://127.0.0.1:${relay.port}`;
    await createInstallDir(
      dir,
      postgres,
      { ...clickhouse, url, database: 'logs' },
      {
        BIFRACT_ARCHIVE_DIR: dir,
        BIFRACT_ARCHIVE_MAX_ERROR_TIME: '60s',
      },
    );
    const chaos = new ArchiveRestoreChaos(supervisor, { postgres, clickhouse, relay, dir }, seed);
    await chaos.#prepare(rows);
    return chaos;
  }

  async stop(): Promise<void> {
    await this.#relay.close();
    await rm(this.#dir, { recursive: true, force: true });
  }

  async round(): Promise<Round> {
    const scene = SCENES[this.#dice.below(SCENES.length)] as (typeof SCENES)[number];
    const victim = VICTIMS[this.#dice.below(VICTIMS.length)] as Victim;
    const after_ms = this.#dice.below(Math.round(this.#full_ms));
    const expected = await this.#setUp(scene);
    let running = this.#restore(scene);
    await wait(after_ms);
    const hit = running.child.exitCode === null;
    await this.#insertLateRow();
    await this.#disrupt(victim, running);
    const codes = [await ended(running)];
    while (codes.at(-1) !== 0 && codes.length <= MAX_RETRIES) {
      running = this.#restore(scene);
      codes.push(await ended(running));
    }
    const what = `${scene}, ${victim} at ${after_ms} ms, exits ${codes.join(', ')}`;
    if (codes.at(-1) !== 0) throw new Error(`Restore still fails: ${what}: ${(await running.ended).stderr}`);
    await this.#compare(expected, what);
    return { scene, victim, after_ms, hit, codes };
  }

  /** Fills the tables for a scene. Returns the digest expected after the restore, without late rows. */
  async #setUp(scene: Round['scene']): Promise<string> {
    await this.#ch('TRUNCATE TABLE logs');
    const some = { empty: '0', half: 'cityHash64(log_id, rand()) % 2', full: '1', replace: 'rand() % 3 = 0' }[
      scene
    ];
    await this.#ch(`INSERT INTO logs SELECT * FROM base WHERE ${some}`);
    const extra = "concat('extra ', raw_log), log_id, fields, fractal_id, now64(3)";
    if (scene !== 'empty')
      await this.#ch(`INSERT INTO logs SELECT timestamp, ${extra} FROM base WHERE rand() % 50 = 0`);
    await this.#ch(
      "INSERT INTO logs SELECT timestamp, raw_log, log_id, fields, 'foreign', ingest_timestamp FROM base LIMIT 500",
    );
    const kept = scene === 'replace' ? '0' : "startsWith(raw_log, 'extra ')";
    return this.#digest(
      `(SELECT * FROM base UNION ALL SELECT * FROM logs WHERE fractal_id = '${FRACTAL}' AND ${kept})`,
    );
  }

  /** Inserts a row while the restore runs. */
  async #insertLateRow(): Promise<void> {
    this.#late++;
    await this.#ch(
      `INSERT INTO logs SELECT timestamp, 'late ${this.#late}', 'late', '{}', fractal_id, now64(3) + 3600 FROM base LIMIT 1`,
    );
  }

  async #disrupt(victim: Victim, running: Started): Promise<void> {
    if (victim === 'bifract') running.child.kill('SIGKILL');
    else if (victim === 'connections') this.#relay.cut();
    else {
      process.kill(this.#clickhouse.pid as number, 'SIGKILL');
      await this.#clickhouse.ended;
      this.#relay.cut();
      this.#clickhouse = await this.#restartClickhouse();
      this.#relay.target = this.#clickhouse.http_port;
    }
  }

  async #restartClickhouse(): Promise<ClickhouseServer> {
    // The data folder is locked until the old process is gone.
    return until(
      async () => {
        try {
          const server = await startClickhouse(this.#supervisor, PASSWORD);
          await queryClickhouse(server, 'logs', 'SELECT count() FROM logs');
          return server;
        } catch {
          return undefined;
        }
      },
      RESTART_LIMIT_MS,
      'ClickHouse restarts',
    );
  }

  async #compare(expected: string, what: string): Promise<void> {
    const own = `(SELECT * FROM logs WHERE fractal_id = '${FRACTAL}' AND log_id <> 'late')`;
    const now = await this.#digest(own);
    if (now !== expected) throw new Error(`Rows differ: ${what}: ${now}, expected ${expected}`);
    const late = await this.#ch("SELECT count() FROM logs WHERE log_id = 'late'");
    if (late !== '1') throw new Error(`${late} late rows, expected 1: ${what}`);
    const foreign = await this.#ch("SELECT count() FROM logs WHERE fractal_id = 'foreign'");
    if (foreign !== '500') throw new Error(`${foreign} rows of the other fractal, expected 500: ${what}`);
    const tables = await this.#ch("SELECT name FROM system.tables WHERE name LIKE 'bifract_restore_%'");
    const records = await readdir(join(this.#dir, '.bifract/jobs'));
    const left = [tables, ...records.filter((name) => name.endsWith('.json'))].filter(Boolean);
    if (left.length > 0) throw new Error(`Left behind: ${left.join(', ')}: ${what}`);
    const unfinished = await queryPostgres<{ id: string }>(
      this.#postgres,
      "SELECT id FROM archives WHERE status <> 'completed'",
    );
    if (unfinished.length > 0) throw new Error(`${unfinished.length} records are not completed: ${what}`);
  }

  async #prepare(rows: number): Promise<void> {
    await queryPostgres(this.#postgres, `INSERT INTO fractals (id, name) VALUES ('${FRACTAL}', 'chaos')`);
    const [from, to] = [new Date('2026-01-10'), new Date('2026-04-20')];
    await seedRows(this.#clickhouse, 'logs', { fractal_id: FRACTAL, kind: 'mixed', rows, seed: 3, from, to });
    await this.#ch('CREATE TABLE base AS logs');
    await this.#ch('INSERT INTO base SELECT * FROM logs');
    const archived = start(['archive', 'chaos', '--split', 'week', '--json', '--dir', this.#dir]);
    const { code, stdout, stderr } = await archived.ended;
    if (code !== 0) throw new Error(`archive exited with ${code}: ${stderr}`);
    const [group] = await queryPostgres<{ id: string }>(this.#postgres, 'SELECT id FROM archive_groups');
    this.#source = group?.id ?? String(stdout);
    await this.#setUp('empty');
    const started = performance.now();
    const exit = await ended(this.#restore('empty'));
    if (exit !== 0) throw new Error(`Restore without disruption exited with ${exit}`);
    this.#full_ms = performance.now() - started;
  }

  #restore(scene: Round['scene']): Started {
    const replace = scene === 'replace' ? ['--replace'] : [];
    return start(['restore-archive', this.#source, '--yes', '--quiet', ...replace, '--dir', this.#dir]);
  }

  #digest(rows: string): Promise<string> {
    return this.#ch(
      `SELECT count(), sum(cityHash64(timestamp, raw_log, log_id, toJSONString(fields), ingest_timestamp)) FROM ${rows}`,
    );
  }

  /** Queries ClickHouse directly, not through the relay. */
  async #ch(sql: string): Promise<string> {
    let response = '';
    await until(
      async () => {
        try {
          response = await queryClickhouse(this.#clickhouse, 'logs', sql);
          return true;
        } catch (error) {
          if (error instanceof TypeError) return false;
          throw error;
        }
      },
      60_000,
      'ClickHouse responds',
    );
    return response.trim();
  }
}

interface Parts {
  postgres: PostgresServer;
  clickhouse: ClickhouseServer;
  relay: Relay;
  dir: string;
}

async function ended({ ended: end, child }: Started): Promise<number | null> {
  const late = wait(RESTORE_LIMIT_MS, undefined, { ref: false });
  const result = await Promise.race([end, late]);
  if (result) return result.code;
  child.kill('SIGKILL');
  throw new Error('Restore hangs');
}

/** Forwards connections, and cuts them on demand. */
class Relay {
  target: number;
  readonly port: number;
  readonly #server: Server;
  readonly #sockets: Set<Socket>;

  private constructor(server: Server, sockets: Set<Socket>, target: number) {
    this.#server = server;
    this.#sockets = sockets;
    this.target = target;
    this.port = (server.address() as AddressInfo).port;
  }

  static async open(target: number): Promise<Relay> {
    const sockets = new Set<Socket>();
    const server = createServer((client) => {
      const upstream = connect(relay.target, '127.0.0.1');
      for (const [one, other] of [
        [client, upstream],
        [upstream, client],
      ] as const) {
        sockets.add(one);
        one.on('error', () => other.destroy());
        one.on('close', () => {
          sockets.delete(one);
          other.destroy();
        });
        one.pipe(other);
      }
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const relay = new Relay(server, sockets, target);
    return relay;
  }

  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
