import { join } from 'node:path';
import { BifractError } from '../../contract/errors.ts';
import type { JobQueue, QueuedRecord } from '../../ports/job-queue.ts';
import type { OpenFolder } from '../files/open-folder.ts';
import { isHeld, withFileLock } from './file-lock.ts';
import { makeState, onState, openState } from './open-state.ts';
import { hasQueuedShape } from './record-shape.ts';
import { replaceState } from './replace-state.ts';

const QUEUE = 'queue.json';
/** Names of the lock files: of a change, and of the process that runs the queue. */
const CHANGE_LOCK = 'queueing';
const RUNNER_LOCK = 'running-queue';
export const QUEUE_LOCKS = [CHANGE_LOCK, RUNNER_LOCK];
/** Far above the size of a full queue. */
const MAX_BYTES = 16 << 20;
const CHANGE_MS = 10_000;
/** Time to take over the lock of a process that has ended. */
const RUNNER_MS = 1_000;

/** The queue of an installation: `.bifract/queue.json`, and a lock for the process that runs it. */
export class QueueFile implements JobQueue {
  readonly #install: string;
  /** For messages. */
  readonly #path: string;

  /** The folder is created with the first job; the installation must exist. */
  constructor(install: string) {
    this.#install = install;
    this.#path = join(install, '.bifract', QUEUE);
  }

  async read(): Promise<QueuedRecord[]> {
    return onState(`Cannot read ${this.#path}`, async () => {
      await using home = await openState(this.#install);
      const text = await home?.read(QUEUE, MAX_BYTES, { sole: true });
      return text ? parseQueue(String(text), this.#path) : [];
    });
  }

  async change(change: (queue: readonly QueuedRecord[]) => readonly QueuedRecord[]): Promise<void> {
    await using home = await onState(`Cannot change ${this.#path}`, () => makeState(this.#install));
    const work = async () => {
      const changed = change(await this.read());
      await onState(`Cannot save ${this.#path}`, () => save(home, changed));
    };
    await withFileLock(home, CHANGE_LOCK, work, { job: 'queue', limit_ms: CHANGE_MS });
  }

  async runAlone(work: () => Promise<void>): Promise<boolean> {
    await using home = await onState(`Cannot lock ${this.#path}`, () => makeState(this.#install));
    let alone = false;
    const run = () => {
      alone = true;
      return work();
    };
    try {
      await withFileLock(home, RUNNER_LOCK, run, { job: 'queue', limit_ms: RUNNER_MS });
    } catch (error) {
      if (alone || !(error instanceof BifractError && error.code === 'BUSY')) throw error;
    }
    return alone;
  }

  async hasRunner(): Promise<boolean> {
    return onState(`Cannot read ${this.#path}`, async () => {
      await using home = await openState(this.#install);
      return home !== undefined && (await isHeld(home, RUNNER_LOCK));
    });
  }
}

/** An empty queue has no file. */
async function save(home: OpenFolder, jobs: readonly QueuedRecord[]): Promise<void> {
  if (jobs.length > 0) await replaceState(home, QUEUE, jobs);
  else if (await home.unlink(QUEUE)) await home.sync();
}

/** The jobs of a file that anyone who may write to the installation can have changed; what is no job is left out. */
function parseQueue(text: string, path: string): QueuedRecord[] {
  let stored: unknown;
  try {
    stored = JSON.parse(text);
  } catch {
    // Reported below.
  }
  if (!Array.isArray(stored)) {
    throw new BifractError('STORAGE_FAILED', `Cannot read ${path}: it is not a list of jobs`, {
      hint: 'Delete the file, then queue the jobs again.',
    });
  }
  const jobs = stored
    .filter(hasQueuedShape)
    .map((job) => ({ ...job, started_at: job.started_at ?? null, problem: job.problem ?? null }));
  return jobs.filter(({ id }, at) => jobs.findIndex((one) => one.id === id) === at);
}
