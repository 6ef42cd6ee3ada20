import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { entryCommand } from '../../bin/demo/entry.ts';
import { makeInstallDir } from '../../bin/demo/install-dir.ts';
import type { Keeper } from '../../bin/demo/keeper.ts';
import { type PostgresServer, startPostgres } from '../../bin/demo/postgres.ts';
import { queryPostgres } from '../../bin/demo/query.ts';
import { dumpDigest } from './dump-text.ts';
import { until } from './processes.ts';

/** Who is killed. */
export type Victim = 'bifract' | 'pg_restore' | 'backend';
const VICTIMS: Victim[] = ['bifract', 'pg_restore', 'backend'];
/** Each restore ends by then, or hangs. */
const LIMIT_MS = 120_000;
const SCRATCH = `SELECT datname FROM pg_database WHERE datname ~ '^bifract_'`;

export interface Round {
  victim: Victim;
  after_ms: number;
  /** Whether there was anybody to kill by then. */
  killed: boolean;
  /** Whether the live database is the backup now. */
  replaced: boolean;
  code: number | null;
}

/**
 * Restores that are broken at points chosen by a seed: kill -9 of bifract, of pg_restore, or of a backend of the server
 * that works for them. The live database must be what it was, or what the backup is, after each.
 */
export class RestoreChaos {
  readonly #server: PostgresServer;
  readonly #dir: string;
  readonly #random: () => number;
  /** The two states of the database, and the backup of each. */
  #states: { digest: string; file: string }[] = [];
  #now = 0;
  #full_ms = 0;

  private constructor(server: PostgresServer, dir: string, seed: number) {
    this.#server = server;
    this.#dir = dir;
    this.#random = seeded(seed);
  }

  static async start(keeper: Keeper, seed: number): Promise<RestoreChaos> {
    const server = await startPostgres(keeper, 'secret');
    const dir = await mkdtemp(join(tmpdir(), 'bifract-chaos-'));
    const nowhere = { url: 'http://127.0.0.1:1', user: 'x', password: 'x', database: 'x' };
    await makeInstallDir(dir, server, nowhere);
    const chaos = new RestoreChaos(server, dir, seed);
    await chaos.#prepare();
    return chaos;
  }

  async stop(): Promise<void> {
    await rm(this.#dir, { recursive: true, force: true });
  }

  /** One restore, broken. Throws where the live database is neither the one nor the other. */
  async round(): Promise<Round> {
    const victim = VICTIMS[Math.floor(this.#random() * VICTIMS.length)] as Victim;
    const after_ms = Math.round(this.#random() * this.#full_ms);
    const other = this.#states[1 - this.#now] as { digest: string; file: string };
    const safety = this.#random() < 0.5 ? [] : ['--no-safety-backup'];
    const child = this.#bifract('restore', other.file, '--yes', '--quiet', ...safety);
    const ended = once(child, 'exit') as Promise<[number | null]>;
    await wait(after_ms);
    const killed = await this.#kill(victim, child);
    const [code] = await Promise.race([ended, wait(LIMIT_MS, [-1] as [number], { ref: false })]);
    if (code === -1) throw new Error(`A restore hangs after the death of ${victim} at ${after_ms} ms`);
    const digest = await this.#settledDigest();
    const replaced = digest === other.digest;
    const before = this.#states[this.#now]?.digest;
    if (!replaced && digest !== before)
      throw new Error(`The live database is neither the one nor the other after ${victim} at ${after_ms} ms`);
    if (code === 0 && !replaced) throw new Error(`Exit 0 without a restore (${victim} at ${after_ms} ms)`);
    if (replaced) this.#now = 1 - this.#now;
    return { victim, after_ms, killed, replaced, code };
  }

  /** A restore that nobody disturbs works, and nothing of the dead ones is left. */
  async finish(): Promise<void> {
    const other = this.#states[1 - this.#now] as { digest: string; file: string };
    await this.#run('restore', other.file, '--yes', '--no-safety-backup');
    if ((await this.#settledDigest()) !== other.digest) throw new Error('The last restore did not restore');
    const left = (await this.#sql<{ datname: string }>(SCRATCH)).map(({ datname }) => datname);
    const databases = left.filter((name) => name !== this.#server.database);
    const notes = await readdir(join(this.#dir, '.bifract/jobs'));
    const files = await readdir(join(this.#dir, 'backups'));
    const unfinished = files.filter((name) => !name.endsWith('.bifract-backup'));
    const all = [...databases, ...notes, ...unfinished];
    if (all.length > 0) throw new Error(`Left behind: ${all.join(', ')}`);
  }

  async #prepare(): Promise<void> {
    await this.#sql(`CREATE TABLE a AS SELECT i, md5(i::text) AS t FROM generate_series(1, 60000) i;
      ALTER TABLE a ADD PRIMARY KEY (i); CREATE TABLE b (i int REFERENCES a); CREATE VIEW v AS SELECT * FROM a`);
    await this.#keepState();
    await this.#sql(
      'DROP VIEW v; INSERT INTO b SELECT i FROM a LIMIT 5000; CREATE TABLE c AS SELECT * FROM a',
    );
    await this.#keepState();
    this.#now = 1;
    const began = performance.now();
    await this.#run('restore', this.#states[0]?.file ?? '', '--yes', '--no-safety-backup');
    this.#full_ms = performance.now() - began;
    this.#now = 0;
  }

  async #keepState(): Promise<void> {
    const out = await this.#run('backup', '--json');
    const { result } = JSON.parse(out.trimEnd().split('\n').at(-1) ?? '') as { result: { name: string } };
    this.#states.push({ digest: await this.#settledDigest(), file: result.name });
  }

  #bifract(...args: string[]): ChildProcess {
    const { command, args: own } = entryCommand('bifract');
    return spawn(command, [...own, ...args, '--dir', this.#dir], {
      stdio: ['ignore', 'pipe', 'pipe'],
      // What cron gives a job: hardly anything.
      env: { PATH: `${this.#server.bin}:/usr/bin:/bin` },
    });
  }

  async #run(...args: string[]): Promise<string> {
    const child = this.#bifract(...args);
    let [out, err] = ['', ''];
    child.stdout?.on('data', (data) => {
      out += data;
    });
    child.stderr?.on('data', (data) => {
      err += data;
    });
    const [code] = (await once(child, 'close')) as [number | null];
    if (code !== 0) throw new Error(`bifract ${args.join(' ')} ended with ${code}: ${err}`);
    return out;
  }

  async #kill(victim: Victim, child: ChildProcess): Promise<boolean> {
    if (victim === 'bifract') return child.kill('SIGKILL');
    // One that is not there yet may come: the later the point, the later it is waited for.
    while (child.exitCode === null) {
      const pids = victim === 'backend' ? await this.#backends() : await programs(child.pid ?? 0);
      const pid = pids[Math.floor(this.#random() * pids.length)];
      try {
        if (pid !== undefined) return process.kill(pid, 'SIGKILL');
      } catch {
        // It has ended by itself.
      }
      await wait(5);
    }
    return false;
  }

  async #backends(): Promise<number[]> {
    const rows = await this.#sql<{ pid: string }>(
      `SELECT pid FROM pg_stat_activity WHERE application_name IN ('pg_restore', 'bifract-console')`,
    );
    return rows.map(({ pid }) => Number(pid));
  }

  /** The server starts again after the death of a backend; what was being committed may come a moment later. */
  async #settledDigest(): Promise<string> {
    let digest = '';
    await until(
      'the server answers',
      async () => {
        try {
          const busy = await this.#sql(
            `SELECT 1 FROM pg_stat_activity WHERE application_name IN ('pg_restore', 'bifract-console') AND state <> 'idle'`,
          );
          digest = busy.length > 0 ? '' : await dumpDigest(this.#server, this.#server.database);
          return digest !== '';
        } catch {
          return false;
        }
      },
      60_000,
    );
    return digest;
  }

  #sql<Row extends Record<string, unknown> = Record<string, string>>(text: string): Promise<Row[]> {
    return queryPostgres<Row>({ ...this.#server, database: this.#server.database }, text);
  }
}

/** The pg_restore that a process has started, if it has one just now. */
async function programs(pid: number): Promise<number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
  const children = text.split(' ').filter(Boolean).map(Number);
  const names = await Promise.all(
    children.map((child) => readFile(`/proc/${child}/comm`, 'utf8').catch(() => '')),
  );
  return children.filter((_, at) => names[at]?.trim() === 'pg_restore');
}

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let value = Math.imul(state ^ (state >>> 15), state | 1);
    value ^= value + Math.imul(value ^ (value >>> 7), value | 61);
    return ((value ^ (value >>> 14)) >>> 0) / 2 ** 32;
  };
}
