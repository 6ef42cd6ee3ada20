import { cp, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInstallDir } from '../../bin/demo/install-dir.ts';
import { serverUser } from '../../bin/demo/postgres-programs.ts';
import { type DemoSupervisor, startDemoSupervisor } from '../../bin/demo/supervisor.ts';
import { TEST_CREDENTIALS } from '../helpers/s3/server.ts';
import { BUCKET } from '../helpers/s3/test-server.ts';
import { BIG, FaultyClickhouse, SMALL } from './clickhouse.ts';
import { Disk } from './disk.ts';
import { Reader, rowsOf, type StoredFile } from './inventory.ts';
import { FaultyPostgres } from './postgres.ts';
import { Call, type ProgramOptions } from './program.ts';
import { FaultyS3 } from './s3-server.ts';

/** Where an installation keeps new files. */
export type StorageKind = 'disk' | 's3';

/** The state of the installation at the start of a round. */
export interface Start {
  storage: StorageKind;
  /** All files, all good. */
  files: StoredFile[];
  /** Hash of the live database. */
  database: string;
  /** Names of the backups of older states, oldest first, without folder. */
  older: string[];
  /** Archive of the large fractal, and those of the small one. */
  big: StoredFile;
  small: StoredFile[];
}

/**
 * The servers, and an installation that is reset for each round: three backups of different states of the database, an
 * archive of a large fractal and a split archive of a small one.
 */
export class World {
  readonly supervisor: DemoSupervisor;
  readonly postgres: FaultyPostgres;
  readonly clickhouse: FaultyClickhouse;
  readonly s3: FaultyS3;
  /** The file system of the installation, and the one of PostgreSQL's new databases. */
  readonly disk: Disk;
  readonly server_disk: Disk;
  readonly reader: Reader;
  /** Duration of a backup without disturbance: how fast this machine is now. */
  backup_ms = 0;
  /** A folder for temporary files of the program. */
  readonly #temp: string;
  readonly #starts = new Map<StorageKind, Start>();

  private constructor(
    parts: Pick<World, 'supervisor' | 'postgres' | 'clickhouse' | 's3' | 'disk' | 'server_disk'>,
    temp: string,
  ) {
    this.supervisor = parts.supervisor;
    this.postgres = parts.postgres;
    this.clickhouse = parts.clickhouse;
    this.s3 = parts.s3;
    this.disk = parts.disk;
    this.server_disk = parts.server_disk;
    this.reader = new Reader(parts.postgres);
    this.#temp = temp;
  }

  static async start(): Promise<World> {
    const temp = await mkdtemp(join(tmpdir(), 'bifract-world-'));
    const supervisor = await startDemoSupervisor();
    const [disk, server_disk] = await Promise.all([Disk.mount(), Disk.mount(await serverUser())]);
    const [postgres, clickhouse, s3] = await Promise.all([
      FaultyPostgres.start(supervisor),
      FaultyClickhouse.start(supervisor),
      FaultyS3.start(join(temp, 'bucket')),
    ]);
    const world = new World({ supervisor, postgres, clickhouse, s3, disk, server_disk }, temp);
    if (server_disk.is_mounted) await postgres.putRestoresOn(server_disk.path);
    await postgres.keep('empty');
    return world;
  }

  async stop(): Promise<void> {
    await this.s3.stop();
    await this.supervisor.stop();
    await Promise.all([this.postgres.relay.close(), this.clickhouse.relay.close()]);
    await Promise.all([this.disk.unmount(), this.server_disk.unmount()]);
    await rm(this.#temp, { recursive: true, force: true });
  }

  get dir(): string {
    return join(this.disk.path, 'bifract');
  }

  /** The program's folder for temporary files. */
  get temp_dir(): string {
    return join(this.#temp, 'tmp');
  }

  /** Names in the program's folder for temporary files. */
  tempFiles(): Promise<string[]> {
    return readdir(this.temp_dir);
  }

  call(args: string[], { env, ...options }: Partial<ProgramOptions> = {}): Call {
    // A minimal environment, as cron provides.
    const path = `${this.postgres.server.bin}:/usr/bin:/bin`;
    return new Call(args, { dir: this.dir, env: { PATH: path, TMPDIR: this.temp_dir, ...env }, ...options });
  }

  /** All files, read by a decoder of its own. */
  files(): Promise<StoredFile[]> {
    return this.reader.readAll(this.dir, this.s3);
  }

  /** Resets everything to the start of a round. */
  async reset(storage: StorageKind): Promise<Start> {
    for (const { relay } of [this.postgres, this.clickhouse, this.s3]) relay.reset();
    await this.disk.free();
    await this.#emptyTemp();
    await rm(this.dir, { recursive: true, force: true });
    const start = this.#starts.get(storage) ?? (await this.#build(storage));
    this.#starts.set(storage, start);
    await Promise.all([this.#restoreFiles(storage), this.postgres.reset(storage), this.clickhouse.reset()]);
    return start;
  }

  async #restoreFiles(storage: StorageKind): Promise<void> {
    const options = { recursive: true, preserveTimestamps: true };
    await rm(this.dir, { recursive: true, force: true });
    await cp(join(this.#temp, storage, 'bifract'), this.dir, options);
    const bucket = join(this.#temp, 'bucket');
    await rm(bucket, { recursive: true, force: true });
    // Objects name their files by path, so it is always the same folder.
    await cp(join(this.#temp, storage, 'bucket'), bucket, options);
    await this.s3.open(bucket);
  }

  async #emptyTemp(): Promise<void> {
    await rm(this.temp_dir, { recursive: true, force: true });
    await mkdir(this.temp_dir, { recursive: true });
  }

  /** Makes an installation with the program itself, without disturbance, and keeps a copy. */
  async #build(storage: StorageKind): Promise<Start> {
    const { postgres, clickhouse, s3, dir } = this;
    const bucket = join(this.#temp, 'bucket');
    await rm(bucket, { recursive: true, force: true });
    await s3.open(bucket);
    await Promise.all([postgres.reset('empty'), clickhouse.reset()]);
    const address = { ...postgres.server, host: '127.0.0.1', port: postgres.relay.port };
    await createInstallDir(dir, address, clickhouse.connection, {
      BIFRACT_ARCHIVE_DIR: dir,
      BIFRACT_ARCHIVE_MAX_ERROR_TIME: '20s',
      ...(storage === 's3' ? this.#bucketSettings() : {}),
    });
    await postgres.sql(`INSERT INTO users (username, password_hash) VALUES ('admin', 'x');
      INSERT INTO fractals (id, name, archive_schedule, archive_split, max_archives) VALUES
        ('${BIG}', 'big', 'never', 'none', NULL), ('${SMALL}', 'small', 'daily', 'day', 1);
      CREATE TABLE a AS SELECT i, md5(i::text) AS t FROM generate_series(1, 20000) i; ALTER TABLE a ADD PRIMARY KEY (i);
      CREATE TABLE b (i int REFERENCES a); CREATE VIEW v AS SELECT * FROM a`);
    const older = [await this.#backup()];
    await postgres.sql(
      'DROP VIEW v; INSERT INTO b SELECT i FROM a LIMIT 5000; CREATE TABLE c AS SELECT * FROM a',
    );
    older.push(await this.#backup());
    // Copies to S3 need a file that is not there yet.
    if (storage === 's3') await this.#succeed('copy', older[1] as string, '--to', 'disk', '--move', '--yes');
    await postgres.sql('DELETE FROM b WHERE i > 1000; ALTER TABLE c ADD COLUMN more text');
    await this.#succeed('archive', 'big');
    await this.#succeed('archive', 'small', '--split', 'day');
    const started = performance.now();
    await this.#backup();
    this.backup_ms = performance.now() - started;
    await this.#keepCopy(storage);
    return this.#describe(storage, older);
  }

  async #keepCopy(storage: StorageKind): Promise<void> {
    const options = { recursive: true, preserveTimestamps: true };
    await cp(this.dir, join(this.#temp, storage, 'bifract'), options);
    await cp(join(this.#temp, 'bucket'), join(this.#temp, storage, 'bucket'), options);
    await this.postgres.keep(storage);
  }

  async #describe(storage: StorageKind, older: string[]): Promise<Start> {
    const files = await this.files();
    const bad = files.find(({ problem }) => problem !== undefined);
    if (bad) throw new Error(`${bad.name} is not good: ${bad.problem}`);
    const big = files.find(({ name }) => name.includes(BIG));
    const small = files.filter(({ name }) => name.includes(`archives/${SMALL}`));
    if (!big || small.length < 2) throw new Error('The archives are missing');
    const { rows } = rowsOf([big, ...small]);
    const counted = await this.clickhouse.query(
      `SELECT count() FROM logs WHERE fractal_id IN ('${BIG}', '${SMALL}')`,
    );
    if (rows !== Number(counted)) throw new Error(`${rows} rows archived, ${counted} in ClickHouse`);
    return { storage, files, database: await this.postgres.digest(), older, big, small };
  }

  async #backup(): Promise<string> {
    return String((await this.#succeed('backup')).result?.name);
  }

  async #succeed(...args: string[]): Promise<Call> {
    const call = await this.call(args).ended;
    if (call.code === 0) return call;
    throw new Error(
      `bifract ${args.join(' ')}: ${call.outcome} ${call.stderr} ${call.lines.at(-1)?.error?.message}`,
    );
  }

  #bucketSettings(): Record<string, string> {
    return {
      BIFRACT_S3_BUCKET: BUCKET,
      BIFRACT_S3_ENDPOINT: this.s3.url,
      BIFRACT_S3_ACCESS_KEY: TEST_CREDENTIALS.access_key,
      BIFRACT_S3_SECRET_KEY: TEST_CREDENTIALS.secret_key,
      BIFRACT_S3_PART_MIB: '5',
    };
  }
}
