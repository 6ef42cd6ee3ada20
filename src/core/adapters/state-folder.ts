import { createHash, randomBytes } from 'node:crypto';
import fs from 'node:fs/promises';
import { join } from 'node:path';
import { BifractError } from '../errors.ts';
import type { JobNote, State } from '../ports/state.ts';
import type { CallOptions } from '../ports/types.ts';
import { diskError, errno, onDisk } from './disk-errors.ts';
import { DiskFile, syncFolder } from './disk-file.ts';
import { alone } from './lone-work.ts';
import { identityOf, isRunning, type ProcessIdentity } from './process-identity.ts';

/** No process has this id. */
const NOBODY: ProcessIdentity = { pid: 0, start: '', boot: '' };
const JOB_ID = /^[\w-]{1,100}$/;
/** A note that is being written: the job, and the process that writes. */
const TEMPORARY = /^\.[\w-]+\.(\d+)\.([0-9a-f]{12})\.[0-9a-f]{12}$/;

interface StoredNote extends JobNote {
  process: ProcessIdentity;
  /** Of a note in two files: what tells that they belong together. */
  stamp?: string;
}

/**
 * Notes of running jobs, a file each, in `.bifract/jobs` of the installation. A note whose process has ended
 * is of a dead job: processes are told apart by id, start time and boot, for ids are used again.
 *
 * The plan of a restore can be megabytes, and its note is kept anew with every file: from the second time on, all but the plan
 * is kept in a file of its own (`.now`), which counts where it bears the stamp of the first one.
 */
export class StateFolder implements State {
  readonly #home: string;
  readonly #jobs: string;
  #self: Promise<ProcessIdentity> | undefined;
  /** What is kept of jobs' plans, and under which stamps. */
  readonly #plans = new Map<string, { plan: object; stamp: string }>();

  /** The folder is made with the first note; the installation itself must be there. */
  constructor(install: string) {
    this.#home = join(install, '.bifract');
    this.#jobs = join(this.#home, 'jobs');
  }

  async note(note: JobNote): Promise<void> {
    await this.#keep(note, await this.#own());
  }

  leave(note: JobNote): Promise<void> {
    return this.#keep(note, NOBODY);
  }

  async #keep(note: JobNote, owner: ProcessIdentity): Promise<void> {
    const { path, stored, plan } = this.#divide(note, owner);
    await onDisk(`Cannot note the job in ${this.#jobs}`, async () => {
      for (const folder of [this.#home, this.#jobs]) await makeFolder(folder);
      await replace(path, join(this.#jobs, temporary(note.id, await this.#own())), stored);
      await syncFolder(this.#jobs);
      if (plan) this.#plans.set(note.id, plan);
    });
  }

  /** What is to be written for a note, and where; and the plan that stands there from then on. */
  #divide(
    note: JobNote,
    process: ProcessIdentity,
  ): { path: string; stored: object; plan?: { plan: object; stamp: string } } {
    const path = this.#path(note.id);
    const { restoring } = note;
    if (!restoring) return { path, stored: { ...note, process } };
    const kept = this.#plans.get(note.id);
    if (kept?.plan === restoring.plan) {
      const { plan: _, ...rest } = restoring;
      return { path: nowOf(path), stored: { ...note, restoring: rest, process, stamp: kept.stamp } };
    }
    const stamp = randomBytes(6).toString('hex');
    return { path, stored: { ...note, process, stamp }, plan: { plan: restoring.plan, stamp } };
  }

  #own(): Promise<ProcessIdentity> {
    this.#self ??= identityOf(process.pid).then((own) => own ?? { pid: process.pid, start: '', boot: '' });
    return this.#self;
  }

  async tidy(): Promise<void> {
    const names = await this.#files();
    for (const name of names) {
      if (name.endsWith('.now') && !names.includes(name.replace(/now$/, 'json')))
        await fs.rm(join(this.#jobs, name), { force: true });
      const [, pid, mark] = TEMPORARY.exec(name) ?? [];
      const writer = pid === undefined ? undefined : await identityOf(Number(pid));
      if (pid === undefined || (writer && markOf(writer) === mark)) continue;
      await fs.rm(join(this.#jobs, name), { force: true });
    }
  }

  async forget(id: string): Promise<void> {
    const path = this.#path(id);
    await onDisk(`Cannot forget the job in ${this.#jobs}`, async () => {
      await fs.rm(path, { force: true });
      await fs.rm(nowOf(path), { force: true });
    });
    this.#plans.delete(id);
  }

  live(): Promise<JobNote[]> {
    return this.#select(true);
  }

  dead(): Promise<JobNote[]> {
    return this.#select(false);
  }

  alone<T>(work: () => Promise<T>, { signal }: CallOptions = {}): Promise<T> {
    return alone(join(this.#home, 'recovering'), work, signal);
  }

  async #select(running: boolean): Promise<JobNote[]> {
    const notes: JobNote[] = [];
    for (const { process: owner, stamp: _, ...note } of await this.#all()) {
      if ((await isRunning(owner)) === running) notes.push(note);
    }
    return notes.sort((a, b) => (a.started_at < b.started_at ? -1 : 1));
  }

  async #all(): Promise<StoredNote[]> {
    const files = (await this.#files()).filter((name) => /^[\w-]+\.json$/.test(name));
    const notes = await Promise.all(files.map((name) => readWhole(join(this.#jobs, name))));
    return notes.filter((note) => note !== undefined);
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
    throw new BifractError('INTERNAL', `Not an id of a job: ${JSON.stringify(id)}`);
  }
}

function temporary(id: string, writer: ProcessIdentity): string {
  return `.${id}.${writer.pid}.${markOf(writer)}.${randomBytes(6).toString('hex')}`;
}

/** Tells a process from others of its id, in a file's name. */
function markOf({ start, boot }: ProcessIdentity): string {
  return createHash('sha256').update(`${start} ${boot}`).digest('hex').slice(0, 12);
}

async function makeFolder(path: string): Promise<void> {
  await fs.mkdir(path, { mode: 0o700 }).catch((error: unknown) => {
    if (errno(error) !== 'EEXIST') throw error;
  });
}

async function replace(path: string, temporary: string, note: object): Promise<void> {
  const file = await DiskFile.create(temporary, undefined);
  try {
    await file.write(Buffer.from(`${JSON.stringify(note)}\n`));
    await file.finish();
    await fs.rename(temporary, path);
  } catch (error) {
    await file.remove();
    throw error;
  }
}

/** What a note has come to, though its plan was kept once and the rest many times. */
async function readWhole(path: string): Promise<StoredNote | undefined> {
  const first = await readNote(path);
  if (first?.stamp === undefined || !first.restoring) return first;
  const now = await readNote(nowOf(path));
  if (now?.stamp !== first.stamp || !now.restoring) return first;
  return { ...now, restoring: { ...now.restoring, plan: first.restoring.plan } };
}

function nowOf(path: string): string {
  return path.replace(/json$/, 'now');
}

/** A note that another process forgets just now, or that is none, is no note. */
async function readNote(path: string): Promise<StoredNote | undefined> {
  try {
    const note = JSON.parse(await fs.readFile(path, 'utf8')) as Partial<StoredNote>;
    return note.id !== undefined && note.process !== undefined ? (note as StoredNote) : undefined;
  } catch (error) {
    if (error instanceof SyntaxError || errno(error) === 'ENOENT') return undefined;
    throw diskError(`Cannot read ${path}`, error);
  }
}
