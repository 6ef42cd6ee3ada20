import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { logsTable } from '../../bin/demo/generations.ts';
import { queryClickhouse, queryPostgres } from '../../bin/demo/query.ts';
import { POSTGRES_SCHEMA } from '../../bin/demo/schema.ts';
import { seedDemo } from '../../bin/demo/seed.ts';
import { LOGS_DATABASE } from '../../bin/demo/services.ts';
import { findPrograms } from '../../src/core/adapters/postgres/tools/pg-tool.ts';
import { type Ended, PROGRAM } from '../helpers/program.ts';
import { until } from '../helpers/until.ts';
import { APP_USER, type DockerEngine, IMAGE } from './engine.ts';

const READY_MS = 60_000;
/** A program that takes longer is stuck. */
const LIMIT_MS = 300_000;

/** One line of `--json`. */
export interface Event {
  event: string;
  result?: Record<string, unknown>;
  error?: { code: string; message: string; hint?: string };
  item?: string;
  phase?: string;
  rows?: number;
  bytes_in?: number;
}

/** A run of the program: its events as they come. */
export interface Running {
  pid: number;
  events: Event[];
  ended: Promise<Ended & { last: Event }>;
}

/** How to run the program. */
interface RunOptions {
  /** Without the PostgreSQL programs of this machine, so that those in the container are used. */
  hide_tools?: boolean;
  env?: Record<string, string>;
}

/** An installation as its server's Compose file makes it: three containers, no published port, archives in a volume. */
export class DockerInstallation {
  readonly dir: string;
  readonly #engine: DockerEngine;
  readonly #postgres_password = randomBytes(12).toString('hex');
  readonly #clickhouse_password = randomBytes(12).toString('hex');
  #hiding: string[] = [];

  private constructor(engine: DockerEngine, dir: string) {
    this.#engine = engine;
    this.dir = dir;
  }

  /** Starts the containers and fills both databases with the demo's records and rows. */
  static async start(engine: DockerEngine, dir: string): Promise<DockerInstallation> {
    const installation = new DockerInstallation(engine, dir);
    installation.#writeFiles();
    installation.#hiding = await hidingMounts(dir);
    installation.compose('up', '--detach');
    await installation.ready();
    await installation.#fill();
    return installation;
  }

  stop(): void {
    this.compose('down', '--volumes', '--timeout', '2');
  }

  /** The output of `docker compose`. */
  compose(...args: string[]): string {
    return this.#engine.docker(['compose', ...args], this.dir);
  }

  docker(...args: string[]): string {
    return this.#engine.docker(args, this.dir);
  }

  /** Waits until both databases answer. */
  async ready(): Promise<void> {
    await until(() => this.sql('SELECT 1').catch(() => undefined), READY_MS, 'PostgreSQL answers');
    await until(() => this.clickhouse('SELECT 1').catch(() => undefined), READY_MS, 'ClickHouse answers');
  }

  sql(text: string): Promise<Record<string, string | null>[]> {
    return queryPostgres(this.#postgres(), text);
  }

  clickhouse(text: string, database = 'default'): Promise<string> {
    return queryClickhouse(this.#clickhouse(), database, text);
  }

  /** The rows of each table of the database `bifract`, by name. */
  async counts(): Promise<Record<string, number>> {
    const tables = await this.sql(`SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables
      WHERE schemaname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1`);
    const parts = tables.map(({ name }) => `SELECT '${name}' AS name, count(*) AS rows FROM ${name}`);
    const rows = await this.sql(parts.join(' UNION ALL '));
    return Object.fromEntries(rows.map(({ name, rows: count }) => [name, Number(count)]));
  }

  /** Starts the program on this installation, with `--json`. */
  start(args: string[], { hide_tools = false, env = {} }: RunOptions = {}): Running {
    const command = [process.execPath, PROGRAM, ...args, '--dir', this.dir, '--json'];
    const [program = '', ...rest] = hide_tools ? [...this.#hiding, ...command] : command;
    const child = spawn(program, rest, {
      env: { ...process.env, ...this.#engine.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const events: Event[] = [];
    return { pid: child.pid ?? 0, events, ended: collect(child, events) };
  }

  run(args: string[], options?: RunOptions): Running['ended'] {
    return this.start(args, options).ended;
  }

  /** Whether a program of PostgreSQL can be started on this machine with `hide_tools`. */
  canRun(program: string): boolean {
    const [command = '', ...rest] = [...this.#hiding, program, '--version'];
    try {
      execFileSync(command, rest, { stdio: 'ignore' });
      return true;
    } catch {
      return false;
    }
  }

  #postgres() {
    const host = this.#address('bifract-postgres');
    return { host, port: 5432, user: 'bifract', password: this.#postgres_password, database: 'bifract' };
  }

  #clickhouse() {
    const url = `http://${this.#address('bifract-clickhouse')}:8123`;
    return { url, user: 'default', password: this.#clickhouse_password };
  }

  #address(container: string): string {
    const format = '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}';
    return this.docker('inspect', '--format', format, container).trim();
  }

  #writeFiles(): void {
    mkdirSync(join(this.dir, 'backups'), { recursive: true, mode: 0o700 });
    const variables = {
      BIFRACT_BACKUP_ENCRYPTION_KEY: randomBytes(32).toString('hex'),
      POSTGRES_DB: 'bifract',
      POSTGRES_USER: 'bifract',
      POSTGRES_PASSWORD: this.#postgres_password,
      CLICKHOUSE_PASSWORD: this.#clickhouse_password,
    };
    const lines = Object.entries(variables).map(([name, value]) => `${name}=${value}\n`);
    writeFileSync(join(this.dir, '.env'), lines.join(''), { mode: 0o600 });
    // JSON is YAML.
    writeFileSync(join(this.dir, 'docker-compose.yml'), JSON.stringify(COMPOSE_FILE, undefined, 2));
  }

  async #fill(): Promise<void> {
    await this.clickhouse(`CREATE DATABASE ${LOGS_DATABASE}`);
    await this.clickhouse(logsTable('A'), LOGS_DATABASE);
    await this.sql(POSTGRES_SCHEMA);
    const target = {
      postgres: this.#postgres(),
      clickhouse: this.#clickhouse(),
      logs_database: LOGS_DATABASE,
      generation: 'A' as const,
    };
    await seedDemo(target);
  }
}

const ROOT = join(import.meta.dirname, '../..');
const NETWORK = ['bifract-network'];

/** The services as the server names them. The variables come from `.env`. */
const COMPOSE_FILE = {
  version: '3.7',
  services: {
    postgres: {
      image: IMAGE,
      container_name: 'bifract-postgres',
      command: ['/entry.sh'],
      stop_signal: 'SIGINT',
      environment: Object.fromEntries(
        ['POSTGRES_DB', 'POSTGRES_USER', 'POSTGRES_PASSWORD'].map((name) => [name, `\${${name}}`]),
      ),
      volumes: [
        `${join(import.meta.dirname, 'postgres-entry.sh')}:/entry.sh:ro`,
        'postgres-data:/var/lib/postgresql/data',
      ],
      networks: NETWORK,
    },
    clickhouse: {
      image: IMAGE,
      container_name: 'bifract-clickhouse',
      command: ['/srv/node', '/srv/bifract/dist/chdb-server.js'],
      environment: {
        TZ: 'UTC',
        UV_THREADPOOL_SIZE: '64',
        CHDB_MODULE: '/srv/bifract/node_modules/chdb/index.js',
        CHDB_PATH: '/var/lib/clickhouse/data',
        CHDB_TEMP: '/tmp/pipes',
        CHDB_HOST: '0.0.0.0',
        CHDB_PORT: '8123',
        // biome-ignore lint/suspicious/noTemplateCurlyInString: Compose syntax
        CHDB_PASSWORD: '${CLICKHOUSE_PASSWORD}',
      },
      volumes: [
        `${realpathSync(process.execPath)}:/srv/node:ro`,
        `${join(ROOT, 'dist')}:/srv/bifract/dist:ro`,
        `${realpathSync(join(ROOT, 'node_modules'))}:/srv/bifract/node_modules:ro`,
        'clickhouse-data:/var/lib/clickhouse',
      ],
      networks: NETWORK,
    },
    bifract: {
      image: IMAGE,
      container_name: 'bifract-app',
      command: ['sleep', 'infinity'],
      stop_signal: 'SIGKILL',
      user: `${APP_USER}:${APP_USER}`,
      volumes: ['bifract-archives:/archives'],
      networks: NETWORK,
    },
  },
  volumes: { 'postgres-data': {}, 'clickhouse-data': {}, 'bifract-archives': {} },
  networks: { 'bifract-network': {} },
};

/**
 * A command that runs another one in a mount namespace in which every pg_dump and pg_restore of this machine is an empty
 * file that cannot be started.
 */
async function hidingMounts(dir: string): Promise<string[]> {
  const nothing = join(dirname(dir), 'nothing');
  writeFileSync(nothing, '', { mode: 0o644 });
  const found = [...(await findPrograms('pg_dump')), ...(await findPrograms('pg_restore'))];
  const paths = [...new Set(found.map(({ path }) => realpathSync(path)))];
  const mounts = paths.map((path) => `mount --bind '${nothing}' '${path}' && `).join('');
  return ['unshare', '--mount', 'sh', '-c', `${mounts}exec "$0" "$@"`];
}

function collect(child: ChildProcess, events: Event[]): Running['ended'] {
  const stuck = setTimeout(() => child.kill('SIGKILL'), LIMIT_MS);
  const out: Buffer[] = [];
  let stderr = '';
  let rest = '';
  child.stderr?.on('data', (data: Buffer) => {
    stderr += data.toString();
  });
  child.stdout?.on('data', (data: Buffer) => {
    out.push(data);
    const lines = (rest + data.toString()).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (line) events.push(JSON.parse(line) as Event);
  });
  return new Promise((resolve) => {
    child.on('close', (code, signal) => {
      clearTimeout(stuck);
      const last = events.at(-1) ?? { event: 'none' };
      resolve({ code, signal, stdout: Buffer.concat(out), stderr, last });
    });
  });
}

/** The processes that a process started, and those which they started, outermost first. */
export function descendants(pid: number): { pid: number; command: string }[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean);
  return children.map(Number).flatMap((child) => {
    const command = readFileSync(`/proc/${child}/cmdline`, 'utf8').split('\0').join(' ').trim();
    return [{ pid: child, command }, ...descendants(child)];
  });
}
