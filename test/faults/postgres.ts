import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type PostgresServer, startPostgres } from '../../bin/demo/postgres.ts';
import { serverUser } from '../../bin/demo/postgres-programs.ts';
import { queryPostgres } from '../../bin/demo/query.ts';
import { POSTGRES_SCHEMA } from '../../bin/demo/schema.ts';
import type { DemoSupervisor } from '../../bin/demo/supervisor.ts';
import { dumpText } from '../helpers/dump-text.ts';
import { isRunning } from '../helpers/processes.ts';
import { until } from '../helpers/until.ts';
import { Relay } from './relay.ts';

const RESTART_LIMIT_MS = 60_000;
/** Bytes in the database that do not compress, so that an upload of its backup has several parts. */
const NOISE_MIB = 6;
export const SCRATCH = '^bifract_(restore|drill|replaced)_';
/** What jobs write themselves is compared record by record. */
const OWN_TABLES = /^COPY public\.(archives|archive_groups) .*\n(?:.*\n)*?\\\.\n/gm;

export type Row = Record<string, string>;

/** A PostgreSQL server behind a relay; it can be stopped at once and started again. */
export class FaultyPostgres {
  readonly server: PostgresServer;
  readonly relay: Relay;
  readonly #supervisor: DemoSupervisor;
  #pid = 0;
  #starts = 0;

  private constructor(supervisor: DemoSupervisor, server: PostgresServer, relay: Relay) {
    this.#supervisor = supervisor;
    this.server = server;
    this.relay = relay;
  }

  static async start(supervisor: DemoSupervisor): Promise<FaultyPostgres> {
    const server = await startPostgres(supervisor, 'secret');
    const postgres = new FaultyPostgres(supervisor, server, await Relay.open(server.port));
    postgres.#pid = await postgres.#postmaster();
    await postgres.#keepCommits();
    await postgres.sql(POSTGRES_SCHEMA);
    await postgres.sql('CREATE TABLE noise (bytes bytea)');
    for (let mib = 0; mib < NOISE_MIB; mib++)
      await queryPostgres(server, 'INSERT INTO noise VALUES ($1)', [randomBytes(1 << 20)]);
    return postgres;
  }

  /** Runs a statement in the live database, or in another one; not through the relay. */
  sql<T extends Row = Row>(text: string, database = this.server.database): Promise<T[]> {
    return queryPostgres<T>({ ...this.server, database }, text);
  }

  /** Like `pg_ctl stop -m immediate`. */
  async kill(): Promise<void> {
    process.kill(this.#pid, 'SIGQUIT');
    await until(async () => !(await isRunning(this.#pid)), RESTART_LIMIT_MS, 'PostgreSQL has stopped');
  }

  async restart(): Promise<void> {
    const [command = '', ...args] = this.#command;
    const started = await this.#supervisor.start({
      name: `postgres-again-${++this.#starts}`,
      command,
      args,
      env: { PATH: process.env.PATH ?? '', LC_ALL: 'C', TZ: 'UTC' },
      user: await serverUser(),
      stop_signal: 'SIGQUIT',
    });
    this.#pid = started.pid;
    await this.settled();
  }

  /** Waits until the server accepts statements; it restarts itself when a backend is killed. */
  async settled(): Promise<void> {
    const asks = () =>
      this.sql('SELECT 1', 'postgres').then(
        () => true,
        () => false,
      );
    await until(asks, RESTART_LIMIT_MS, 'PostgreSQL responds');
  }

  /** Puts the files of new databases, which restores make, on that disk. */
  async putRestoresOn(path: string): Promise<void> {
    await this.sql(`CREATE TABLESPACE small LOCATION '${path}'`, 'postgres');
    await this.sql('ALTER DATABASE template0 SET TABLESPACE small', 'postgres');
  }

  /** Keeps the live database as a template. */
  async keep(template: string): Promise<void> {
    await this.sql(`CREATE DATABASE ${template} TEMPLATE ${this.server.database}`, 'postgres');
  }

  /** Makes the live database a copy of `template`, and drops what jobs left. */
  async reset(template: string): Promise<void> {
    for (const name of await this.scratch()) await this.sql(`DROP DATABASE ${name} WITH (FORCE)`, 'postgres');
    await this.sql(`DROP DATABASE IF EXISTS ${this.server.database} WITH (FORCE)`, 'postgres');
    await this.sql(`CREATE DATABASE ${this.server.database} TEMPLATE ${template}`, 'postgres');
  }

  async scratch(): Promise<string[]> {
    const rows = await this.sql(`SELECT datname FROM pg_database WHERE datname ~ '${SCRATCH}'`, 'postgres');
    return rows.map(({ datname = '' }) => datname);
  }

  /** Process IDs of the backends that serve the program. */
  async backends(): Promise<number[]> {
    const rows = await this.sql(
      `SELECT pid FROM pg_stat_activity WHERE application_name ~ '^(bifract|pg_dump|pg_restore)'`,
      'postgres',
    );
    return rows.map(({ pid }) => Number(pid));
  }

  /** A hash of everything in the live database but the records of archives; `missing` if there is none. */
  async digest(): Promise<string> {
    const names = await this.sql('SELECT datname FROM pg_database', 'postgres');
    if (!names.some(({ datname }) => datname === this.server.database)) return 'missing';
    return digestOf(await dumpText(this.server, this.server.database, WITHOUT_OWN_RECORDS));
  }

  /** The same of a dump in custom format; throws if pg_restore cannot read it. */
  digestOfDump(dump: Buffer): Promise<string> {
    return new Promise((resolve, reject) => {
      const program = join(this.server.bin, 'pg_restore');
      const child = execFile(
        program,
        ['-f', '-', ...WITHOUT_OWN_RECORDS],
        { maxBuffer: 2 ** 30 },
        (error, text) => (error ? reject(error) : resolve(digestOf(text))),
      );
      child.stdin?.on('error', () => {});
      child.stdin?.end(dump);
    });
  }

  #command: string[] = [];

  /** A commit must survive a stop: the demo's settings do not promise that. */
  async #keepCommits(): Promise<void> {
    const command = await readFile(`/proc/${this.#pid}/cmdline`, 'utf8');
    this.#command = command
      .split('\0')
      .filter(Boolean)
      .map((word) => word.replace('synchronous_commit=off', 'synchronous_commit=on'));
    await this.kill();
    await this.restart();
  }

  async #postmaster(): Promise<number> {
    const text = await readFile(join(this.#supervisor.dir, 'postgres/postmaster.pid'), 'utf8');
    return Number(text.split('\n')[0]);
  }
}

/** Copies of the records of archives, which jobs update at any time. */
const WITHOUT_OWN_RECORDS = ['--exclude-schema=bifract_console'];

function digestOf(text: string): string {
  const relevant = text
    .replaceAll(/^\\(un)?restrict .*$/gm, '')
    .replaceAll(OWN_TABLES, '')
    .replaceAll(/^(CREATE|ALTER|COMMENT ON) SCHEMA bifract_console.*$/gm, '')
    .replaceAll(/^--.*\n/gm, '')
    // PostgreSQL spells a list of varchar values differently once it has been restored.
    .replaceAll(/^.* = ANY \(.*$/gm, (line) => line.replaceAll(/::(character varying|text)(\[\])?|[()]/g, ''))
    .replaceAll(/\n+/g, '\n');
  return createHash('sha256').update(relevant).digest('hex').slice(0, 16);
}
