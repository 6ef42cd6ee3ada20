import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdtemp, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';
import { entryCommand } from '../../bin/demo/entry.ts';
import { createInstallDir } from '../../bin/demo/install-dir.ts';
import { type PostgresServer, startPostgres } from '../../bin/demo/postgres.ts';
import { serverUser } from '../../bin/demo/postgres-programs.ts';
import { queryPostgres } from '../../bin/demo/query.ts';
import type { DemoSupervisor } from '../../bin/demo/supervisor.ts';
import { dumpDigest } from './dump-text.ts';
import { isRunning } from './processes.ts';
import { until } from './until.ts';

/** What is disrupted: a process is killed, the file is damaged while it is read, or the server's disk fills up. */
export type Victim = 'bifract' | 'pg_restore' | 'backend' | 'file' | 'disk';
const VICTIMS: Victim[] = ['bifract', 'pg_restore', 'backend', 'file'];
/** A restore that takes longer hangs. */
const RESTORE_LIMIT_MS = 120_000;
const DISK_MIB = 160;
const run = promisify(execFile);
const SCRATCH = `SELECT datname FROM pg_database WHERE datname ~ '^bifract_'`;

export interface Round {
  victim: Victim;
  after_ms: number;
  /** Whether there was still something to disrupt. */
  broken: boolean;
  /** Whether the live database was replaced by the backup. */
  replaced: boolean;
  code: number | null;
}

/**
 * Disrupts restores at seeded points: kill -9 of bifract, of pg_restore, or of a PostgreSQL backend; a flipped bit in
 * the file while it is read; a full disk under the server. Afterwards the live database must be unchanged or equal to
 * the backup.
 */
export class RestoreChaos {
  readonly #server: PostgresServer;
  readonly #dir: string;
  readonly #random: () => number;
  readonly #disk: SmallDisk | undefined;
  /** The two states of the database, and the backup of each. */
  #states: { digest: string; file: string }[] = [];
  #now = 0;
  #full_ms = 0;

  private constructor(server: PostgresServer, dir: string, seed: number, disk: SmallDisk | undefined) {
    this.#server = server;
    this.#dir = dir;
    this.#random = seeded(seed);
    this.#disk = disk;
  }

  /** `disk`: also fill up a disk, which needs root and a mount. */
  static async start(supervisor: DemoSupervisor, seed: number, { disk = false } = {}): Promise<RestoreChaos> {
    const server = await startPostgres(supervisor, 'secret');
    const dir = await mkdtemp(join(tmpdir(), 'bifract-chaos-'));
    const nowhere = { url: 'http://127.0.0.1:1', user: 'x', password: 'x', database: 'x' };
    await createInstallDir(dir, server, nowhere);
    const chaos = new RestoreChaos(server, dir, seed, disk ? await SmallDisk.mount() : undefined);
    try {
      await chaos.#prepare();
      return chaos;
    } catch (error) {
      await chaos.#disk?.unmount();
      throw error;
    }
  }

  /** Call once the server has stopped. */
  async stop(): Promise<void> {
    await this.#disk?.unmount();
    await rm(this.#dir, { recursive: true, force: true });
  }

  /** One disrupted restore. Throws if the live database is neither unchanged nor equal to the backup. */
  async round(): Promise<Round> {
    const victims: Victim[] = this.#disk ? [...VICTIMS, 'disk'] : VICTIMS;
    const victim = victims[Math.floor(this.#random() * victims.length)] as Victim;
    const after_ms = Math.round(this.#random() * this.#full_ms);
    const other = this.#states[1 - this.#now] as { digest: string; file: string };
    const safety = this.#random() < 0.5 ? [] : ['--no-safety-backup'];
    const path = join(this.#dir, 'backups', other.file);
    await copyFile(path, `${path}.good`);
    const child = this.#bifract('restore', other.file, '--yes', '--quiet', ...safety);
    const ended = once(child, 'exit') as Promise<[number | null]>;
    await wait(after_ms);
    const broken = await this.#disrupt(victim, child, path);
    const [code] = await Promise.race([ended, wait(RESTORE_LIMIT_MS, [-1] as [number], { ref: false })]);
    if (code === -1) throw new Error(`Restore hangs after ${victim} at ${after_ms} ms`);
    await this.#disk?.free();
    await rename(`${path}.good`, path);
    const digest = await this.#settledDigest();
    const replaced = digest === other.digest;
    const before = this.#states[this.#now]?.digest;
    if (!replaced && digest !== before)
      throw new Error(
        `The live database is neither unchanged nor the backup after ${victim} at ${after_ms} ms`,
      );
    if (code === 0 && broken && victim === 'pg_restore')
      throw new Error(`Exit 0 although pg_restore was killed at ${after_ms} ms`);
    if (code === 0 && !replaced) throw new Error(`Exit 0 without a restore (${victim} at ${after_ms} ms)`);
    if (replaced) this.#now = 1 - this.#now;
    return { victim, after_ms, broken, replaced, code };
  }

  /** Checks that a restore without disruption works, and that nothing is left of the disrupted ones. */
  async finish(): Promise<void> {
    const other = this.#states[1 - this.#now] as { digest: string; file: string };
    await this.#run('restore', other.file, '--yes', '--no-safety-backup');
    if ((await this.#settledDigest()) !== other.digest) throw new Error('The last restore had no effect');
    const left = (await this.#sql<{ datname: string }>(SCRATCH)).map(({ datname }) => datname);
    const databases = left.filter((name) => name !== this.#server.database);
    const records = await readdir(join(this.#dir, '.bifract/jobs'));
    const files = await readdir(join(this.#dir, 'backups'));
    const unfinished = files.filter((name) => !name.endsWith('.bifract-backup'));
    const all = [...databases, ...records, ...unfinished];
    if (all.length > 0) throw new Error(`Left behind: ${all.join(', ')}`);
  }

  async #prepare(): Promise<void> {
    // New databases are created in template0's tablespace: their files go to the small disk, the server's log does not.
    if (this.#disk) await this.#sql(`CREATE TABLESPACE small LOCATION '${this.#disk.path}'`);
    if (this.#disk) await this.#sql('ALTER DATABASE template0 SET TABLESPACE small');
    await this.#sql(`CREATE TABLE a AS SELECT i, md5(i::text) AS t FROM generate_series(1, 60000) i;
      ALTER TABLE a ADD PRIMARY KEY (i); CREATE TABLE b (i int REFERENCES a); CREATE VIEW v AS SELECT * FROM a`);
    await this.#keepState();
    await this.#sql(
      'DROP VIEW v; INSERT INTO b SELECT i FROM a LIMIT 5000; CREATE TABLE c AS SELECT * FROM a',
    );
    await this.#keepState();
    this.#now = 1;
    const started = performance.now();
    await this.#run('restore', this.#states[0]?.file ?? '', '--yes', '--no-safety-backup');
    this.#full_ms = performance.now() - started;
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
      // A minimal environment, as cron provides.
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
    if (code !== 0) throw new Error(`bifract ${args.join(' ')} exited with ${code}: ${err}`);
    return out;
  }

  async #disrupt(victim: Victim, child: ChildProcess, path: string): Promise<boolean> {
    if (victim === 'file') return this.#damage(path);
    if (victim === 'disk') return (await this.#disk?.fill()) ?? false;
    if (victim === 'bifract') return child.kill('SIGKILL');
    // The process may not have started yet.
    const outcome = await until(
      async () => {
        if (child.exitCode !== null) return 'exited';
        const pids = victim === 'backend' ? await this.#backends() : await pgRestorePids(child.pid ?? 0);
        const pid = pids[Math.floor(this.#random() * pids.length)];
        if (pid === undefined || !(await isRunning(pid))) return undefined;
        try {
          return process.kill(pid, 'SIGKILL') && 'killed';
        } catch {
          // It has exited by itself.
          return undefined;
        }
      },
      RESTORE_LIMIT_MS,
      `${victim} runs or the restore ends`,
    );
    return outcome === 'killed';
  }

  /** Flips one bit, in place. */
  async #damage(path: string): Promise<boolean> {
    await using handle = await open(path, 'r+');
    const at = Math.floor(this.#random() * (await stat(path)).size);
    const { buffer } = await handle.read(Buffer.alloc(1), 0, 1, at);
    buffer[0] = (buffer[0] ?? 0) ^ 1;
    await handle.write(buffer, 0, 1, at);
    return true;
  }

  /** Connects to another database: the live one may be being renamed. */
  async #backends(): Promise<number[]> {
    const maintenance = { ...this.#server, database: 'postgres' };
    const rows = await queryPostgres<{ pid: string }>(
      maintenance,
      `SELECT pid FROM pg_stat_activity WHERE application_name IN ('pg_restore', 'bifract-console')`,
    );
    return rows.map(({ pid }) => Number(pid));
  }

  /** Waits until the server is up again and idle: it restarts after a backend is killed. */
  async #settledDigest(): Promise<string> {
    let digest = '';
    await until(
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
      'the server responds',
    );
    return digest;
  }

  #sql<Row extends Record<string, unknown> = Record<string, string>>(text: string): Promise<Row[]> {
    return queryPostgres<Row>({ ...this.#server, database: this.#server.database }, text);
  }
}

/** A small file system in memory. */
class SmallDisk {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  static async mount(): Promise<SmallDisk> {
    const path = await mkdtemp(join(tmpdir(), 'bifract-disk-'));
    const user = await serverUser();
    await run('mount', [
      '-t',
      'tmpfs',
      '-o',
      `size=${DISK_MIB}m,uid=${user?.uid},gid=${user?.gid},mode=700`,
      'tmpfs',
      path,
    ]);
    return new SmallDisk(path);
  }

  /** Uses up all free space. */
  async fill(): Promise<boolean> {
    await using handle = await open(join(this.path, 'filler'), 'w');
    const piece = Buffer.alloc(1 << 20);
    try {
      for (;;) await handle.write(piece);
    } catch {
      return true;
    }
  }

  async free(): Promise<void> {
    await rm(join(this.path, 'filler'), { force: true });
  }

  async unmount(): Promise<void> {
    await run('umount', [this.path]);
    await rm(this.path, { recursive: true });
  }
}

/** The pg_restore children of a process that are restoring (not `--version`). */
async function pgRestorePids(pid: number): Promise<number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
  const children = text.split(' ').filter(Boolean).map(Number);
  const commands = await Promise.all(
    children.map((child) => readFile(`/proc/${child}/cmdline`, 'utf8').catch(() => '')),
  );
  return children.filter((_, at) => /pg_restore\0.*--exit-on-error/.test(commands[at] ?? ''));
}

/** Seeded random numbers from 0 to 1 (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let value = Math.imul(state ^ (state >>> 15), state | 1);
    value ^= value + Math.imul(value ^ (value >>> 7), value | 61);
    return ((value ^ (value >>> 14)) >>> 0) / 2 ** 32;
  };
}
