import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { createInstallDir } from '../../bin/demo/install-dir.ts';

import { type PostgresAddress, queryPostgres } from '../../bin/demo/query.ts';
import { openS3Storage } from '../../src/core/adapters/s3/storage.ts';
import type { Storage } from '../../src/core/ports/storage.ts';
import { type Ended, ndjson, type Started, start } from './program.ts';
import { Random } from './s3/random.ts';
import { TEST_CREDENTIALS } from './s3/server.ts';
import { BUCKET, startS3Server, testS3Settings } from './s3/test-server.ts';
import { LIMIT_MS, until } from './until.ts';

const NOWHERE = { url: 'http://127.0.0.1:1', user: 'x', password: 'x', database: 'x' };
/** Enough for several parts. */
const RANDOM_MIB = 18;
const PART_MIB = 5;
const MAX_PARTS = 3;
const SETTLE_MS = 50;

export interface UploadRound {
  command: 'backup' | 'copy';
  /** When it was killed: some time after its start, or when a part arrived. */
  moment: string;
  /** Whether the program exited before it could be killed. */
  ended: boolean;
  /** Uploads left open by the kill. */
  open: number;
  /** Whether the object was stored. */
  stored: boolean;
}

/**
 * Kills uploads of the built program, to a bucket on disk, at seeded points. No incomplete object may be listed, and
 * unfinished uploads must be found and removed by the next job.
 */
export class UploadChaos {
  readonly #lab: Awaited<ReturnType<typeof startS3Server>>;
  readonly #storage: Storage;
  readonly #dir: string;
  readonly #random: Random;
  readonly #full_ms = { backup: 0, copy: 0 };
  /** A backup in the folder to copy. */
  #local = '';

  private constructor(lab: Awaited<ReturnType<typeof startS3Server>>, dir: string, seed: number) {
    this.#lab = lab;
    this.#storage = openS3Storage(testS3Settings(lab.server.url));
    this.#dir = dir;
    this.#random = new Random(seed);
  }

  /** Adds a table that hardly compresses to the database. */
  static async start(postgres: PostgresAddress, seed: number): Promise<UploadChaos> {
    const lab = await startS3Server();
    const dir = await mkdtemp(join(tmpdir(), 'bifract-upload-chaos-'));
    await createInstallDir(dir, postgres, NOWHERE, {
      BIFRACT_S3_BUCKET: BUCKET,
      BIFRACT_S3_ENDPOINT: lab.server.url,
      BIFRACT_S3_ACCESS_KEY: TEST_CREDENTIALS.access_key,
      BIFRACT_S3_SECRET_KEY: TEST_CREDENTIALS.secret_key,
      BIFRACT_S3_PART_MIB: String(PART_MIB),
    });
    const chaos = new UploadChaos(lab, dir, seed);
    await chaos.#prepare(postgres);
    return chaos;
  }

  async stop(): Promise<void> {
    await this.#lab.stop();
    await rm(this.#dir, { recursive: true, force: true });
  }

  /** Kills one upload, then checks and removes what it left. Throws if a check fails. */
  async round(): Promise<UploadRound> {
    const command = this.#random.chance(0.5) ? 'backup' : 'copy';
    const program = start(this.#arguments(command));
    const moment = this.#random.chance(0.5)
      ? await this.#killAtPart(program, this.#random.int(1, MAX_PARTS))
      : await this.#killAfter(program, this.#random.int(0, this.#full_ms[command]));
    const ended = (await program.ended).signal === null;
    await this.#settle();
    const open = this.#open();
    const names = await this.#names();
    // `verify` repairs nothing and rejects incomplete files.
    if (names.length > 0) await this.#succeed('verify', ...names);
    await this.#checkCleanUp();
    for (const name of names) await this.#storage.delete(name);
    return { command, moment, ended, open, stored: names.length > 0 };
  }

  async #killAfter(program: Started, ms: number): Promise<string> {
    await wait(ms);
    program.child.kill('SIGKILL');
    return `at ${ms} ms`;
  }

  /** Kills the program when it sends that part. */
  async #killAtPart(program: Started, part: number): Promise<string> {
    const { server } = this.#lab;
    server.fault = ({ operation, part: number }) => {
      if (operation === 'upload-part' && number === part) program.child.kill('SIGKILL');
      return undefined;
    };
    await program.ended;
    server.fault = undefined;
    return `at part ${part}`;
  }

  /** Waits until the service has processed what it received before the kill. */
  async #settle(): Promise<void> {
    let before = -1;
    await until(
      async () => {
        const now = this.#open();
        if (now === before) return true;
        before = now;
        await wait(SETTLE_MS);
        return false;
      },
      LIMIT_MS,
      'the number of open uploads is stable',
    );
  }

  /** Checks that unfinished uploads are listed, and removed by `clean`. */
  async #checkCleanUp(): Promise<void> {
    const before = this.#open();
    const orphans = ndjson<{ kind: string; actions: string[] }>(
      await this.#succeed('list', 'orphans', '--json'),
    );
    if (before > 0 && orphans.length === 0) throw new Error(`${before} open uploads, but no orphan listed`);
    await this.#succeed('clean', '--yes');
    if (this.#open() > 0) throw new Error(`${this.#open()} uploads still open`);
  }

  /** Open uploads, without their markers, which are empty and may remain for a day. */
  #open(): number {
    const uploads = [...(this.#lab.server.buckets.get(BUCKET)?.uploads.values() ?? [])];
    return uploads.filter(({ key }) => !key.startsWith('.bifract-uploads/')).length;
  }

  async #names(): Promise<string[]> {
    return (await Array.fromAsync(this.#storage.list(''))).map(({ name }) => name);
  }

  #arguments(command: 'backup' | 'copy'): string[] {
    const args = command === 'backup' ? ['backup'] : ['copy', this.#local, '--to', 's3'];
    return [...args, '--json', '--dir', this.#dir];
  }

  async #prepare(postgres: PostgresAddress): Promise<void> {
    await queryPostgres(postgres, 'CREATE TABLE noise (bytes bytea)');
    for (let mib = 0; mib < RANDOM_MIB; mib++)
      await queryPostgres(postgres, 'INSERT INTO noise VALUES ($1)', [randomBytes(1 << 20)]);
    this.#full_ms.backup = await this.#timed('backup');
    [this.#local = ''] = await this.#names();
    await this.#succeed('copy', this.#local, '--to', 'disk', '--move', '--yes');
    this.#full_ms.copy = await this.#timed('copy');
    await this.#storage.delete(this.#local);
  }

  async #timed(command: 'backup' | 'copy'): Promise<number> {
    const started = performance.now();
    await this.#succeed(...this.#arguments(command).slice(0, -2));
    return Math.round(performance.now() - started);
  }

  async #succeed(...args: string[]): Promise<Ended> {
    const ended = await start([...args, '--dir', this.#dir]).ended;
    if (ended.code === 0) return ended;
    throw new Error(`bifract ${args.join(' ')} exited with ${ended.code}: ${ended.stderr}${ended.stdout}`);
  }
}
