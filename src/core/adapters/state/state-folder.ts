import { createHash, randomBytes } from 'node:crypto';
import fs from 'node:fs/promises';
import { join } from 'node:path';
import { BifractError } from '../../contract/errors.ts';
import {
  type JobRecord,
  type Leftover,
  type LockOptions,
  type State,
  UNREADABLE,
} from '../../ports/state.ts';
import type { CallOptions } from '../../ports/types.ts';
import { diskError, errno, onDisk } from '../disk/errors.ts';
import { DiskFile, syncFolder } from '../disk/file.ts';
import { withFileLock } from './file-lock.ts';
import { identityOf, isRunning, type ProcessIdentity } from './process-identity.ts';

/** Matches no running process. */
const NO_PROCESS: ProcessIdentity = { pid: 0, start: '', boot: '' };
const JOB_ID = /^[\w-]{1,100}$/;
/** Name of a record that is being written, with the job and the writing process. */
const TEMPORARY = /^\.[\w-]+\.(\d+)\.([0-9a-f]{12})\.[0-9a-f]{12}$/;

interface StoredRecord extends JobRecord {
  process: ProcessIdentity;
  /** Set if the record is in two files: the same in both if they belong together. */
  stamp?: string;
}

/**
 * Records of running jobs, one file each, in `.bifract/jobs` of the installation. A job whose process has ended is
 * interrupted. Processes are identified by PID, start time and boot, because PIDs are reused.
 *
 * The plan of a restore can have megabytes, and its record is saved after every file. So later saves write everything but
 * the plan to a second file (`.now`), which is valid if its stamp is that of the first file.
 */
export class StateFolder implements State {
  readonly #home: string;
  readonly #jobs: string;
  #self: Promise<ProcessIdentity> | undefined;
  /** The plan on disk and its stamp, by job. */
  readonly #plans = new Map<string, { plan: object; stamp: string }>();

  /** The folder is created with the first record; the installation must exist. */
  constructor(install: string) {
    this.#home = join(install, '.bifract');
    this.#jobs = join(this.#home, 'jobs');
  }

  async save(record: JobRecord): Promise<void> {
    await this.#write(record, await this.#ownIdentity());
  }

  saveInterrupted(record: JobRecord): Promise<void> {
    return this.#write(record, NO_PROCESS);
  }

  async #write(record: JobRecord, owner: ProcessIdentity): Promise<void> {
    const { path, stored, plan } = this.#split(record, owner);
    await onDisk(`Cannot save the job record in ${this.#jobs}`, async () => {
      for (const folder of [this.#home, this.#jobs]) await makeFolder(folder);
      await replace(path, join(this.#jobs, temporary(record.id, await this.#ownIdentity())), stored);
      await syncFolder(this.#jobs);
      if (plan) this.#plans.set(record.id, plan);
    });
  }

  /** What to write for a record, and where; and the plan that is on disk afterwards. */
  #split(
    record: JobRecord,
    process: ProcessIdentity,
  ): { path: string; stored: object; plan?: { plan: object; stamp: string } } {
    const path = this.#path(record.id);
    const { restoring } = record;
    if (!restoring) return { path, stored: { ...record, process } };
    const saved = this.#plans.get(record.id);
    if (saved?.plan === restoring.plan) {
      const { plan: _, ...rest } = restoring;
      return {
        path: progressPath(path),
        stored: { ...record, restoring: rest, process, stamp: saved.stamp },
      };
    }
    const stamp = randomBytes(6).toString('hex');
    return { path, stored: { ...record, process, stamp }, plan: { plan: restoring.plan, stamp } };
  }

  #ownIdentity(): Promise<ProcessIdentity> {
    this.#self ??= identityOf(process.pid).then(
      (identity) => identity ?? { pid: process.pid, start: '', boot: '' },
    );
    return this.#self;
  }

  async cleanUp(): Promise<void> {
    const names = await this.#files();
    for (const name of names) {
      if (name.endsWith('.now') && !names.includes(name.replace(/now$/, 'json')))
        await fs.rm(join(this.#jobs, name), { force: true });
      const [, pid, hash] = TEMPORARY.exec(name) ?? [];
      const writer = pid === undefined ? undefined : await identityOf(Number(pid));
      if (pid === undefined || (writer && fingerprint(writer) === hash)) continue;
      await fs.rm(join(this.#jobs, name), { force: true });
    }
  }

  async remove(id: string): Promise<void> {
    const path = this.#path(id);
    await onDisk(`Cannot remove the job record in ${this.#jobs}`, async () => {
      await fs.rm(path, { force: true });
      await fs.rm(progressPath(path), { force: true });
    });
    this.#plans.delete(id);
  }

  running(): Promise<JobRecord[]> {
    return this.#select(true);
  }

  interrupted(): Promise<JobRecord[]> {
    return this.#select(false);
  }

  async leftovers(): Promise<Leftover[]> {
    try {
      const stored: unknown = JSON.parse(await fs.readFile(this.#leftovers, 'utf8'));
      return Array.isArray(stored) ? stored : [];
    } catch (error) {
      if (error instanceof SyntaxError || errno(error) === 'ENOENT') return [];
      throw diskError(`Cannot read ${this.#leftovers}`, error);
    }
  }

  async saveLeftovers(leftovers: readonly Leftover[]): Promise<void> {
    await onDisk(`Cannot save ${this.#leftovers}`, async () => {
      await makeFolder(this.#home);
      const temporary = `${this.#leftovers}.${randomBytes(6).toString('hex')}`;
      await replace(this.#leftovers, temporary, leftovers);
    });
  }

  get #leftovers(): string {
    return join(this.#home, 'leftovers.json');
  }

  exclusive<T>(work: () => Promise<T>, { signal }: CallOptions = {}): Promise<T> {
    return withFileLock(join(this.#home, 'recovering'), work, { signal });
  }

  async locked<T>(job: string, work: () => Promise<T>, options: LockOptions = {}): Promise<T> {
    await onDisk(`Cannot create ${this.#home}`, () => makeFolder(this.#home));
    return withFileLock(join(this.#home, 'changing'), work, { ...options, job });
  }

  async #select(running: boolean): Promise<JobRecord[]> {
    const records: JobRecord[] = [];
    for (const { process: owner, stamp: _, ...record } of await this.#all(running)) {
      if ((await isRunning(owner)) === running) records.push(record);
    }
    return records.sort((a, b) => (a.started_at < b.started_at ? -1 : 1));
  }

  /** A record that cannot be read may be of a running job, so only recovery goes on without it. */
  async #all(strict: boolean): Promise<StoredRecord[]> {
    const files = (await this.#files()).filter((name) => /^[\w-]+\.json$/.test(name));
    const records = await Promise.all(
      files.map((name) =>
        readRecord(join(this.#jobs, name)).catch((error: unknown) => {
          if (strict) throw error;
          return { id: name.replace(/\.json$/, ''), kind: UNREADABLE, started_at: '', process: NO_PROCESS };
        }),
      ),
    );
    return records.filter((record) => record !== undefined);
  }

  async #files(): Promise<string[]> {
    try {
      return await fs.readdir(this.#jobs);
    } catch (error) {
      if (errno(error) === 'ENOENT') return [];
      throw diskError(`Cannot read ${this.#jobs}`, error);
    }
  }

  #path(id: string): string {
    if (JOB_ID.test(id)) return join(this.#jobs, `${id}.json`);
    throw new BifractError('INTERNAL', `Invalid job ID: ${JSON.stringify(id)}`);
  }
}

function temporary(id: string, writer: ProcessIdentity): string {
  return `.${id}.${writer.pid}.${fingerprint(writer)}.${randomBytes(6).toString('hex')}`;
}

/** Distinguishes processes with the same PID in a file name. */
function fingerprint({ start, boot }: ProcessIdentity): string {
  return createHash('sha256').update(`${start} ${boot}`).digest('hex').slice(0, 12);
}

async function makeFolder(path: string): Promise<void> {
  await fs.mkdir(path, { mode: 0o700 }).catch((error: unknown) => {
    if (errno(error) !== 'EEXIST') throw error;
  });
}

async function replace(path: string, temporary: string, record: object): Promise<void> {
  const file = await DiskFile.create(temporary, undefined);
  try {
    await file.write(Buffer.from(`${JSON.stringify(record)}\n`));
    await file.finish();
    await fs.rename(temporary, path);
  } catch (error) {
    await file.remove();
    throw error;
  }
}

/** Reads a record from one or both of its files. */
async function readRecord(path: string): Promise<StoredRecord | undefined> {
  const first = await readRecordFile(path);
  if (first?.stamp === undefined || !first.restoring) return first;
  const now = await readRecordFile(progressPath(path));
  if (now?.stamp !== first.stamp || !now.restoring) return first;
  return { ...now, restoring: { ...now.restoring, plan: first.restoring.plan } };
}

function progressPath(path: string): string {
  return path.replace(/json$/, 'now');
}

/** Undefined if the file is not a record, or was removed by another process. */
async function readRecordFile(path: string): Promise<StoredRecord | undefined> {
  try {
    const record = JSON.parse(await fs.readFile(path, 'utf8')) as Partial<StoredRecord>;
    return record.id !== undefined && record.process !== undefined ? (record as StoredRecord) : undefined;
  } catch (error) {
    if (error instanceof SyntaxError || errno(error) === 'ENOENT') return undefined;
    throw diskError(`Cannot read ${path}`, error);
  }
}
