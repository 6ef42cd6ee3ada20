import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { BifractError } from '../../contract/errors.ts';
import {
  CHECKS_KEPT,
  type FileCheck,
  type JobRecord,
  type KnownFolder,
  type Leftover,
  type LockOptions,
  type State,
  UNREADABLE,
} from '../../ports/state.ts';
import type { CallOptions } from '../../ports/types.ts';
import { WrongType } from '../files/errors.ts';
import { OpenFolder } from '../files/open-folder.ts';
import { removeStaleLock, withFileLock } from './file-lock.ts';
import { ListFile } from './list-file.ts';
import { makeState, onState, openState } from './open-state.ts';
import { isRunning, ownIdentity, type ProcessIdentity } from './process-identity.ts';
import { QUEUE_LOCKS } from './queue-file.ts';
import { hasCheckShape, hasFolderShape, hasLeftoverShape, hasRecordShape } from './record-shape.ts';
import { replaceState } from './replace-state.ts';
import { removeAbandoned } from './temporary-files.ts';

/** Matches no running process. */
const NO_PROCESS: ProcessIdentity = { pid: 0, start: '', boot: '' };
/** Far above the size of any record. */
const MAX_BYTES = 256 << 20;
/** Names of the lock files: of recovery, and of jobs that change files or records. */
const RECOVERY_LOCK = 'recovering';
const CHANGE_LOCK = 'changing';
const LOCKS = [RECOVERY_LOCK, CHANGE_LOCK, 'checks.json.lock', 'folders.json.lock'];
const JOB_ID = /^[\w-]{1,100}$/;
/** Files with such a name are ours, whatever is in them: the kind of a job, when it started, and a random part. */
const RECORD_FILE = /^[a-z]+(?:-[a-z]+)*-\d{8}-\d{6}-[0-9a-f]{6}\.json$/;

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
  readonly #install: string;
  /** For messages. */
  readonly #jobs: string;
  /** The plan on disk and its stamp, by job. */
  readonly #plans = new Map<string, { plan: object; stamp: string }>();
  readonly #leftovers: ListFile<Leftover>;
  readonly #checks: ListFile<FileCheck>;
  readonly #folders: ListFile<KnownFolder>;
  /** Checks of this process that are not saved; undefined if they are. */
  #unsaved: FileCheck[] | undefined;

  /**
   * The folder is created with the first record; the installation must exist. With `read_only`, checks are kept in memory
   * only, and folders are not noted.
   */
  constructor(install: string, { read_only = false }: { read_only?: boolean } = {}) {
    this.#install = install;
    this.#leftovers = new ListFile(install, 'leftovers.json', hasLeftoverShape);
    this.#checks = new ListFile(install, 'checks.json', hasCheckShape);
    this.#folders = new ListFile(install, 'folders.json', hasFolderShape);
    if (read_only) this.#unsaved = [];
    this.#jobs = join(install, '.bifract', 'jobs');
  }

  async save(record: JobRecord): Promise<void> {
    await this.#write(record, await ownIdentity());
  }

  saveInterrupted(record: JobRecord): Promise<void> {
    return this.#write(record, NO_PROCESS);
  }

  async #write(record: JobRecord, owner: ProcessIdentity): Promise<void> {
    const { file, stored, plan } = this.#split(record, owner);
    await onState(`Cannot save the job record in ${this.#jobs}`, async () => {
      await using jobs = await makeState(this.#install, 'jobs');
      await replaceState(jobs, file, stored);
      if (plan) this.#plans.set(record.id, plan);
    });
  }

  /** What to write for a record, and where; and the plan that is on disk afterwards. */
  #split(
    record: JobRecord,
    process: ProcessIdentity,
  ): { file: string; stored: object; plan?: { plan: object; stamp: string } } {
    const file = fileOf(record.id);
    const { restoring } = record;
    if (!restoring) return { file, stored: { ...record, process } };
    const saved = this.#plans.get(record.id);
    if (saved?.plan === restoring.plan) {
      const { plan: _, ...rest } = restoring;
      return {
        file: progressFile(file),
        stored: { ...record, restoring: rest, process, stamp: saved.stamp },
      };
    }
    const stamp = randomBytes(6).toString('hex');
    return { file, stored: { ...record, process, stamp }, plan: { plan: restoring.plan, stamp } };
  }

  async cleanUp(): Promise<void> {
    await onState(`Cannot clean up ${this.#jobs}`, async () => {
      await using install = await OpenFolder.open(this.#install);
      await using home = await openState(this.#install);
      await using jobs = await openState(this.#install, 'jobs');
      for (const folder of [install, home, jobs]) if (folder) await removeAbandoned(folder);
      for (const name of [...LOCKS, ...QUEUE_LOCKS]) if (home) await removeStaleLock(home, name);
      const names = jobs ? await filesIn(jobs) : [];
      for (const name of names) {
        if (name.endsWith('.now') && !names.includes(name.replace(/now$/, 'json'))) await jobs?.unlink(name);
      }
    });
  }

  async remove(id: string): Promise<void> {
    const file = fileOf(id);
    await onState(`Cannot remove the job record in ${this.#jobs}`, async () => {
      await using jobs = await openState(this.#install, 'jobs');
      await jobs?.unlink(file);
      await jobs?.unlink(progressFile(file));
    });
    this.#plans.delete(id);
  }

  running(): Promise<JobRecord[]> {
    return this.#select(true);
  }

  interrupted(): Promise<JobRecord[]> {
    return this.#select(false);
  }

  leftovers(): Promise<Leftover[]> {
    return this.#leftovers.read();
  }

  saveLeftovers(leftovers: readonly Leftover[]): Promise<void> {
    return this.#leftovers.write(leftovers);
  }

  async checks(): Promise<FileCheck[]> {
    return withChecks(await this.#checks.read(), this.#unsaved ?? []);
  }

  async addChecks(checks: readonly FileCheck[]): Promise<void> {
    if (this.#unsaved) this.#unsaved = withChecks(this.#unsaved, checks);
    else await this.#checks.update((saved) => withChecks(saved, checks));
  }

  folders(): Promise<KnownFolder[]> {
    return this.#folders.read();
  }

  async changeFolders(change: (known: KnownFolder[]) => KnownFolder[]): Promise<void> {
    if (!this.#unsaved) await this.#folders.update(change);
  }

  exclusive<T>(work: () => Promise<T>, { signal }: CallOptions = {}): Promise<T> {
    return this.#underLock(RECOVERY_LOCK, work, { signal });
  }

  locked<T>(job: string, work: () => Promise<T>, options: LockOptions = {}): Promise<T> {
    return this.#underLock(CHANGE_LOCK, work, { ...options, job });
  }

  async #underLock<T>(
    name: string,
    work: () => Promise<T>,
    options: LockOptions & { job?: string },
  ): Promise<T> {
    await using home = await onState(`Cannot lock ${this.#jobs}`, () => makeState(this.#install));
    return await withFileLock(home, name, work, options);
  }

  async #select(running: boolean): Promise<JobRecord[]> {
    const records: JobRecord[] = [];
    for (const { process: owner, stamp: _, ...record } of await this.#all(running)) {
      if ((await isRunning(owner)) === running) records.push(record);
    }
    return records.sort((a, b) => (a.started_at < b.started_at ? -1 : 1));
  }

  /** An unreadable record may belong to a running job, so only recovery continues without it. */
  async #all(strict: boolean): Promise<StoredRecord[]> {
    return onState(`Cannot read ${this.#jobs}`, async () => {
      await using jobs = await openState(this.#install, 'jobs');
      if (!jobs) return [];
      const files = (await filesIn(jobs)).filter((name) => /^[\w-]+\.json$/.test(name));
      const records = await Promise.all(
        files.map((name) =>
          readRecord(jobs, name).catch((error: unknown) => {
            if (strict) throw error;
            return unreadable(name);
          }),
        ),
      );
      return records.filter((record) => record !== undefined);
    });
  }
}

/** Names of the regular files: nothing else in the folder is a record. */
async function filesIn(folder: OpenFolder): Promise<string[]> {
  return (await folder.entries()).filter((entry) => entry.isFile()).map(({ name }) => name);
}

function fileOf(id: string): string {
  if (JOB_ID.test(id)) return `${id}.json`;
  throw new BifractError('INTERNAL', `Invalid job ID: ${JSON.stringify(id)}`);
}

/** The oldest first. */
function withChecks(saved: readonly FileCheck[], added: readonly FileCheck[]): FileCheck[] {
  const all = new Map(saved.map((check) => [`${check.kind} ${check.path}`, check]));
  for (const check of added) {
    const id = `${check.kind} ${check.path}`;
    all.delete(id);
    all.set(id, check);
  }
  return [...all.values()].slice(-CHECKS_KEPT);
}

/** Reads a record from one or both of its files. One that no version can have written is unreadable. */
async function readRecord(folder: OpenFolder, name: string): Promise<StoredRecord | undefined> {
  const record = await readFiles(folder, name);
  if (!record || hasRecordShape(record)) return record;
  const { id, started_at, process: owner } = record;
  return { id, kind: UNREADABLE, started_at, process: owner };
}

function unreadable(name: string): StoredRecord {
  return { id: name.replace(/\.json$/, ''), kind: UNREADABLE, started_at: '', process: NO_PROCESS };
}

async function readFiles(folder: OpenFolder, name: string): Promise<StoredRecord | undefined> {
  const first = await readRecordFile(folder, name);
  if (first?.stamp === undefined || !first.restoring) return first;
  const now = await readRecordFile(folder, progressFile(name));
  if (now?.stamp !== first.stamp || !now.restoring) return first;
  return { ...now, restoring: { ...now.restoring, plan: first.restoring.plan } };
}

function progressFile(name: string): string {
  return name.replace(/json$/, 'now');
}

/**
 * Undefined if the file was removed by another process, or is somebody else's: not a record of the job it is named
 * after. If it can only be ours, it is unreadable.
 */
async function readRecordFile(folder: OpenFolder, name: string): Promise<StoredRecord | undefined> {
  try {
    const text = await folder.read(name, MAX_BYTES, { sole: true });
    if (!text) return undefined;
    const record = JSON.parse(String(text)) as Partial<StoredRecord> | null;
    if (record && isRecord(record) && name.startsWith(`${record.id}.`)) return record;
  } catch (error) {
    if (!(error instanceof SyntaxError || error instanceof WrongType)) throw error;
  }
  return RECORD_FILE.test(name) ? unreadable(name) : undefined;
}

function isRecord(value: Partial<StoredRecord>): value is StoredRecord {
  const { id, kind, started_at, process: owner } = value;
  if (typeof id !== 'string' || typeof kind !== 'string') return false;
  if (typeof started_at !== 'string' || Number.isNaN(Date.parse(started_at))) return false;
  return typeof owner?.pid === 'number';
}
