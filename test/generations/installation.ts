import { after } from 'node:test';
import pg from 'pg';
import type { Generation } from '../../bin/demo/generations.ts';
import type { InstallDir } from '../../bin/demo/install-dir.ts';
import { seedRows } from '../../bin/demo/seed-rows.ts';
import { readInstallation } from '../../bin/installation.ts';
import { makeServices } from '../../bin/wiring.ts';
import type { EngineServices } from '../../src/core/engine/contract.ts';
import { createEngine } from '../../src/core/engine/create-engine.ts';
import type { Engine } from '../../src/core/index.ts';
import { relayClickhouse } from '../helpers/clickhouse-relay.ts';
import { type Ended, ndjson, type Started, start } from '../helpers/program.ts';
import { type TestServices, testServices } from '../helpers/services.ts';

export const WEB = 'b0000000-0000-4000-8000-000000000001';
export const OTHER = 'b0000000-0000-4000-8000-000000000002';
/** One key, so that each installation can read the files of the others. */
const KEY = '5a'.repeat(32);
const DAY_MS = 86_400_000;

type Ports = Pick<EngineServices, 'catalog' | 'logs' | 'logRestore'>;
type Port = keyof Ports;

/** An installation of one release with rows of the last days, an engine on it, and what it sends to the databases. */
export interface GenerationInstallation {
  /** Changes with an upgrade. */
  generation: Generation;
  services: TestServices;
  dir: InstallDir;
  engine: Engine;
  ports: Ports;
  /** Methods of the ports that were called. */
  called: Record<Port, Set<string>>;
  relay: Awaited<ReturnType<typeof relayClickhouse>>;
  /** Rows of `WEB`, in the five days before today. */
  rows: number;
  from: Date;
  to: Date;
  /** Opens another engine, as a program that starts now. */
  reopen(): Promise<Engine>;
  /** Starts the built program. */
  bifract(...args: string[]): Started;
  /** Runs the built program with `--json`; returns its last line. */
  program(...args: string[]): Promise<{ code: number | null; last: ProgramEnd; ended: Ended }>;
  /** Row count and hash over all columns of a fractal's rows in the logs. */
  digest(fractal_id?: string): Promise<string>;
  /** Minutes whose count in `logs_histogram` differs from the logs; none on releases without it. */
  differentCounts(): Promise<number>;
  /** Removes rows and counts, as the server's retention does. */
  clear(where?: string): Promise<void>;
}

export interface ProgramEnd {
  event?: string;
  result?: Record<string, unknown>;
  error?: { code: string; message: string };
}

/** `extra` is added to its `.env`. */
export async function makeInstallation(
  generation: Generation,
  { rows = 1_200, extra = {} }: { rows?: number; extra?: Record<string, string> } = {},
): Promise<GenerationInstallation> {
  const services = await testServices(generation);
  const relay = await relayClickhouse(services.clickhouse.url);
  const own = await services.installation({
    BIFRACT_BACKUP_ENCRYPTION_KEY: KEY,
    BIFRACT_ARCHIVE_DIR: '.',
    CLICKHOUSE_URL: relay.url,
    ...extra,
  });
  const { engine, ports, called } = await openEngine(own.dir);
  const to = new Date(Math.floor(Date.now() / DAY_MS) * DAY_MS);
  const from = new Date(to.getTime() - 4.5 * DAY_MS);
  await services.sql('INSERT INTO fractals (id, name) VALUES ($1, $2), ($3, $4)', [
    WEB,
    'web',
    OTHER,
    'other',
  ]);
  const spec = { kind: 'mixed', seed: 3, from, to, generation } as const;
  const { clickhouse } = services;
  for (const [fractal_id, count] of rows === 0
    ? []
    : ([
        [WEB, rows],
        [OTHER, 100],
      ] as const))
    await seedRows(clickhouse, clickhouse.database, { ...spec, fractal_id, rows: count });
  const bifract = (...args: string[]) => start([...args, '--dir', own.dir]);
  const engines = [engine];
  after(async () => {
    for (const one of engines) await one.close();
    await relay.close();
  });
  const installation: GenerationInstallation = {
    ...{ generation, services, dir: own, engine, ports, called, relay, rows, from, to, bifract },
    reopen: async () => {
      const opened = await openEngine(own.dir);
      engines.push(opened.engine);
      return Object.assign(installation, opened).engine;
    },
    program: async (...args) => {
      const ended = await bifract(...args, '--json').ended;
      return { code: ended.code, last: ndjson<ProgramEnd>(ended).at(-1) ?? {}, ended };
    },
    digest: async (fractal_id = WEB) =>
      services.ch(
        `SELECT count(), sum(cityHash64(${await digestColumns(services)})) FROM logs WHERE fractal_id = {fractal:String}`,
        { fractal: fractal_id },
      ),
    differentCounts: async () =>
      installation.generation < 'C' ? 0 : Number(await services.ch(DIFFERENT_COUNTS)),
    clear: async (where = '1') => {
      await services.ch(`ALTER TABLE logs DELETE WHERE ${where} SETTINGS mutations_sync = 2`);
      if (installation.generation < 'C') return;
      await services.ch('TRUNCATE TABLE logs_histogram');
      await services.ch(
        'INSERT INTO logs_histogram SELECT fractal_id, toStartOfMinute(timestamp) AS minute, count() FROM logs GROUP BY ALL',
      );
    },
  };
  return installation;
}

async function openEngine(dir: string) {
  const services = makeServices(await readInstallation(dir, {}), { read_only: false });
  const called = { catalog: new Set<string>(), logs: new Set<string>(), logRestore: new Set<string>() };
  const counting = <Name extends Port>(name: Name) =>
    (async () => counted(await services[name](), called[name])) as EngineServices[Name];
  const ports = { catalog: counting('catalog'), logs: counting('logs'), logRestore: counting('logRestore') };
  return { engine: createEngine({ ...services, ...ports }), ports, called };
}

function counted<Target extends object>(target: Target, names: Set<string>): Target {
  return new Proxy(target, {
    get: (_, name) => {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== 'function') return value;
      names.add(String(name));
      return value.bind(target);
    },
  });
}

/** All columns that are stored. The server removes original lines after 7 days, at any time. */
async function digestColumns({ ch, clickhouse }: TestServices): Promise<string> {
  const text = await ch(
    `SELECT name FROM system.columns WHERE database = '${clickhouse.database}' AND table = 'logs' AND default_kind IN ('', 'DEFAULT') ORDER BY position`,
  );
  const names = text.trim().split('\n');
  return names
    .map((name) => {
      if (name === 'fields') return 'toJSONString(fields)';
      return name === 'raw_log' && names.includes('norm_log')
        ? `if(timestamp > now() - INTERVAL 6 DAY, raw_log, '')`
        : name;
    })
    .join(', ');
}

const DIFFERENT_COUNTS = `SELECT countIf(n != c) FROM (
    SELECT fractal_id, minute, sum(rows) AS n, sum(counts) AS c FROM (
      SELECT fractal_id, toStartOfMinute(timestamp) AS minute, 1 AS rows, 0 AS counts FROM logs
      UNION ALL SELECT fractal_id, minute, 0, cnt FROM logs_histogram) GROUP BY fractal_id, minute)`;

/** Statements of this process that PostgreSQL has refused, and its error codes. */
export function recordPostgresFailures(): { sql: string; code: string }[] {
  const failures: { sql: string; code: string }[] = [];
  const { prototype } = pg.Client as unknown as { prototype: { query(...args: unknown[]): unknown } };
  const { query } = prototype;
  prototype.query = function (this: unknown, ...args: unknown[]) {
    const result = query.apply(this, args);
    if (result instanceof Promise)
      result.catch((error: { code?: string }) =>
        failures.push({ sql: JSON.stringify(args[0]), code: String(error.code) }),
      );
    return result;
  };
  after(() => {
    prototype.query = query;
  });
  return failures;
}
