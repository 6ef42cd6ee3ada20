import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { type ClickhouseServer, startClickhouse } from '../../bin/demo/clickhouse.ts';
import { makeInstallDir } from '../../bin/demo/install-dir.ts';
import type { Keeper } from '../../bin/demo/keeper.ts';
import { type PostgresServer, startPostgres } from '../../bin/demo/postgres.ts';
import { queryClickhouse, queryPostgres } from '../../bin/demo/query.ts';
import { POSTGRES_SCHEMA } from '../../bin/demo/schema.ts';
import { seedRows } from '../../bin/demo/seed-rows.ts';
import { makeLogsDatabase } from '../../bin/demo/services.ts';
import { Dice } from '../fuzz/mutations.ts';
import { type Started, start } from './program.ts';
import { until } from './until.ts';

/** Who is hit: by SIGKILL, or by the loss of all its connections. */
export type Victim = 'bifract' | 'clickhouse' | 'connections';
const VICTIMS: Victim[] = ['bifract', 'clickhouse', 'connections'];
const FRACTAL = 'c4a05000-0000-4000-8000-000000000001';
const PASSWORD = 'secret';
const LIMIT_MS = 240_000;
/** Calls after the broken one until it has worked. */
const CALLS = 4;

const SCENES = ['empty', 'half', 'full', 'replace'] as const;

export interface Round {
  scene: (typeof SCENES)[number];
  victim: Victim;
  after_ms: number;
  /** Whether there was still somebody to hit. */
  hit: boolean;
  /** Exit codes of the broken call and those after it. */
  codes: (number | null)[];
}

/**
 * Restores of an archive that are broken at points chosen by a seed. After the same call has worked, the fractal must hold
 * exactly what it is to hold, rows that arrived meanwhile among it, and nothing must be left behind.
 */
export class ArchiveRestoreChaos {
  readonly #keeper: Keeper;
  readonly #postgres: PostgresServer;
  readonly #relay: Relay;
  readonly #dir: string;
  readonly #dice: Dice;
  #clickhouse: ClickhouseServer;
  #source = '';
  #full_ms = 0;
  #late = 0;

  private constructor(keeper: Keeper, { postgres, clickhouse, relay, dir }: Parts, seed: number) {
    this.#keeper = keeper;
    this.#postgres = postgres;
    this.#clickhouse = clickhouse;
    this.#relay = relay;
    this.#dir = dir;
    this.#dice = new Dice(seed);
  }

  static async start(keeper: Keeper, seed: number, rows = 20_000): Promise<ArchiveRestoreChaos> {
    const [postgres, clickhouse] = await Promise.all([
      startPostgres(keeper, PASSWORD),
      startClickhouse(keeper, PASSWORD),
    ]);
    await queryPostgres(postgres, POSTGRES_SCHEMA);
    await makeLogsDatabase(clickhouse, 'logs');
    const relay = await Relay.open(clickhouse.http_port);
    const dir = await mkdtemp(join(tmpdir(), 'bifract-chaos-'));
    const url = `http://127.0.0.1:${relay.port}`;
    await makeInstallDir(
      dir,
      postgres,
      { ...clickhouse, url, database: 'logs' },
      {
        BIFRACT_ARCHIVE_DIR: dir,
        BIFRACT_ARCHIVE_MAX_ERROR_TIME: '60s',
      },
    );
    const chaos = new ArchiveRestoreChaos(keeper, { postgres, clickhouse, relay, dir }, seed);
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
    const expected = await this.#set(scene);
    let running = this.#restore(scene);
    await wait(after_ms);
    const hit = running.child.exitCode === null;
    await this.#arrive();
    await this.#strike(victim, running);
    const codes = [await ended(running)];
    while (codes.at(-1) !== 0 && codes.length <= CALLS) {
      running = this.#restore(scene);
      codes.push(await ended(running));
    }
    const what = `${scene}, ${victim} at ${after_ms} ms, exits ${codes.join(', ')}`;
    if (codes.at(-1) !== 0) throw new Error(`It never works again: ${what}: ${(await running.ended).stderr}`);
    await this.#compare(expected, what);
    return { scene, victim, after_ms, hit, codes };
  }

  /** What the fractal holds before, and so what it is to hold after; rows that arrive come on top. */
  async #set(scene: Round['scene']): Promise<string> {
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

  /** A row comes in, while all goes on. */
  async #arrive(): Promise<void> {
    this.#late++;
    await this.#ch(
      `INSERT INTO logs SELECT timestamp, 'late ${this.#late}', 'late', '{}', fractal_id, now64(3) + 3600 FROM base LIMIT 1`,
    );
  }

  async #strike(victim: Victim, running: Started): Promise<void> {
    if (victim === 'bifract') running.child.kill('SIGKILL');
    else if (victim === 'connections') this.#relay.cut();
    else {
      process.kill(this.#clickhouse.pid as number, 'SIGKILL');
      await this.#clickhouse.ended;
      this.#relay.cut();
      this.#clickhouse = await this.#again();
      this.#relay.target = this.#clickhouse.http_port;
    }
  }

  /** The data folder is free once the old process is gone. */
  async #again(): Promise<ClickhouseServer> {
    for (let tries = 0; ; tries++) {
      try {
        const server = await startClickhouse(this.#keeper, PASSWORD);
        await queryClickhouse(server, 'logs', 'SELECT count() FROM logs');
        return server;
      } catch (error) {
        if (tries > 20) throw error;
        await wait(100);
      }
    }
  }

  async #compare(expected: string, what: string): Promise<void> {
    const own = `(SELECT * FROM logs WHERE fractal_id = '${FRACTAL}' AND log_id <> 'late')`;
    const now = await this.#digest(own);
    if (now !== expected) throw new Error(`The rows differ: ${what}: ${now} for ${expected}`);
    const late = await this.#ch("SELECT count() FROM logs WHERE log_id = 'late'");
    if (late !== '1') throw new Error(`${late} rows for the one that arrived: ${what}`);
    const foreign = await this.#ch("SELECT count() FROM logs WHERE fractal_id = 'foreign'");
    if (foreign !== '500') throw new Error(`${foreign} rows of another fractal for 500: ${what}`);
    const tables = await this.#ch("SELECT name FROM system.tables WHERE name LIKE 'bifract_restore_%'");
    const notes = await readdir(join(this.#dir, '.bifract/jobs'));
    const left = [tables, ...notes.filter((name) => name.endsWith('.json'))].filter(Boolean);
    if (left.length > 0) throw new Error(`Left behind: ${left.join(', ')}: ${what}`);
    const records = await queryPostgres<{ id: string }>(
      this.#postgres,
      "SELECT id FROM archives WHERE status <> 'completed'",
    );
    if (records.length > 0) throw new Error(`${records.length} records are not completed: ${what}`);
  }

  async #prepare(rows: number): Promise<void> {
    await queryPostgres(this.#postgres, `INSERT INTO fractals (id, name) VALUES ('${FRACTAL}', 'chaos')`);
    const [from, to] = [new Date('2026-01-10'), new Date('2026-04-20')];
    await seedRows(this.#clickhouse, 'logs', { fractal_id: FRACTAL, kind: 'mixed', rows, seed: 3, from, to });
    await this.#ch('CREATE TABLE base AS logs');
    await this.#ch('INSERT INTO base SELECT * FROM logs');
    const archived = start(['archive', 'chaos', '--split', 'week', '--json', '--dir', this.#dir]);
    const { code, stdout, stderr } = await archived.ended;
    if (code !== 0) throw new Error(`archive ended with ${code}: ${stderr}`);
    const [group] = await queryPostgres<{ id: string }>(this.#postgres, 'SELECT id FROM archive_groups');
    this.#source = group?.id ?? String(stdout);
    await this.#set('empty');
    const began = performance.now();
    const exit = await ended(this.#restore('empty'));
    if (exit !== 0) throw new Error(`A restore that nobody disturbs ends with ${exit}`);
    this.#full_ms = performance.now() - began;
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

  /** Not by way of the relay. */
  async #ch(sql: string): Promise<string> {
    let answer = '';
    await until(
      async () => {
        try {
          answer = await queryClickhouse(this.#clickhouse, 'logs', sql);
          return true;
        } catch (error) {
          if (error instanceof TypeError) return false;
          throw error;
        }
      },
      60_000,
      'ClickHouse answers',
    );
    return answer.trim();
  }
}

interface Parts {
  postgres: PostgresServer;
  clickhouse: ClickhouseServer;
  relay: Relay;
  dir: string;
}

async function ended({ ended: end, child }: Started): Promise<number | null> {
  const late = wait(LIMIT_MS, undefined, { ref: false });
  const result = await Promise.race([end, late]);
  if (result) return result.code;
  child.kill('SIGKILL');
  throw new Error('A restore hangs');
}

/** Passes connections on, and breaks them when told to. */
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
    const server = createServer((near) => {
      const far = connect(relay.target, '127.0.0.1');
      for (const [one, other] of [
        [near, far],
        [far, near],
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
