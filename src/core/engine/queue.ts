import { asBifractError, BifractError, readOnly } from '../contract/errors.ts';
import type { JobDescription, JobEvent } from '../contract/events.ts';
import type { JobBus } from '../ports/job-bus.ts';
import type { JobLauncher, JobOwner } from '../ports/job-launcher.ts';
import type { JobQueue, QueuedRecord } from '../ports/job-queue.ts';
import type { Services } from '../ports/services.ts';
import type { Timestamp } from '../ports/types.ts';
import { jobId } from './job-id.ts';
import { describeJob, type JobRequest, jobTypeOf, typeOf } from './jobs.ts';

/** A job that waits for those before it. */
export interface QueuedJob extends JobDescription {
  /** Its id when it runs, too. */
  id: string;
  /** 1 is the next one; 0 one that is starting or running, until it has left the queue. */
  position: number;
  queued_at: Timestamp;
  by: JobOwner;
  /** Why it could not be started when its turn came; it is tried again. */
  problem: { code: string; message: string; hint: string } | null;
}

/** Where to move a queued job. */
export const QUEUE_MOVES = ['first', 'up', 'down', 'last'] as const;
export type QueueMove = (typeof QUEUE_MOVES)[number];

/** Jobs that run one after another. All processes of the installation share the queue. */
export interface QueueControl {
  /** The jobs in the queue, the next one first; before it one that is starting or running. */
  queuedJobs(): Promise<QueuedJob[]>;
  /**
   * Puts a job at the end of the queue; it runs when all before it have ended, however they end. Resolves with its id
   * once it is on disk. `USAGE` if this kind cannot be queued, `BUSY` if the queue is full.
   */
  enqueue(request: JobRequest): Promise<string>;
  /** Resolves when the process that runs the queue has been started as far as needed; if that failed, the next job has a `problem`. */
  queueStarted(): Promise<void>;
  /** Removes a job from the queue. False if it is not there, or has started. */
  removeQueued(id: string): Promise<boolean>;
  /** Moves a job in the queue. `NOT_FOUND` if it is not there, or has started. */
  moveQueued(id: string, to: QueueMove): Promise<void>;
}

const MAX_JOBS = 1_000;

/** What the queue needs of the services. */
export type QueueServices = Pick<Services, 'installation' | 'now' | 'owner'> & {
  readonly queue: JobQueue;
  readonly jobBus: JobBus<JobEvent>;
  readonly launcher: JobLauncher;
};

/** The queue of an installation. */
export class QueueService implements QueueControl {
  readonly #services: QueueServices;
  readonly #waking = new Set<Promise<void>>();

  constructor(services: QueueServices) {
    this.#services = services;
  }

  async queuedJobs(): Promise<QueuedJob[]> {
    const records = await this.#services.queue.read();
    const waiting = records.filter(isWaiting);
    return records.map((record) => viewOf(record, waiting.indexOf(record) + 1));
  }

  async enqueue(request: JobRequest): Promise<string> {
    this.#mustBeWritable();
    const { queue, now, owner } = this.#services;
    if (!typeOf(request).readRequest) {
      throw new BifractError('USAGE', `Jobs of kind ${request.kind} cannot be queued`);
    }
    const id = jobId(request.kind, now());
    const record = {
      id,
      request,
      queued_at: now().toISOString(),
      by: owner(),
      started_at: null,
      problem: null,
    };
    await queue.change((jobs) => {
      if (jobs.length >= MAX_JOBS) throw queueFull();
      return [...jobs, record];
    });
    this.wake();
    return id;
  }

  async removeQueued(id: string): Promise<boolean> {
    this.#mustBeWritable();
    let removed = false;
    await this.#services.queue.change((jobs) => {
      const rest = jobs.filter((job) => job.id !== id || !isWaiting(job));
      removed = rest.length < jobs.length;
      return rest;
    });
    return removed;
  }

  async moveQueued(id: string, to: QueueMove): Promise<void> {
    this.#mustBeWritable();
    await this.#services.queue.change((jobs) => {
      const waiting = jobs.filter(isWaiting);
      const from = waiting.findIndex((job) => job.id === id);
      if (from < 0) throw notQueued(id);
      const target = { first: 0, up: Math.max(0, from - 1), down: from + 1, last: waiting.length }[to];
      const [job] = waiting.splice(from, 1);
      waiting.splice(target, 0, job as QueuedRecord);
      return [...jobs.filter((one) => !isWaiting(one)), ...waiting];
    });
  }

  /** Starts the process that runs the queue, if there is a job in it and no such process. Does not wait for that. */
  wake(): void {
    const waking = this.#wake().finally(() => this.#waking.delete(waking));
    this.#waking.add(waking);
  }

  async queueStarted(): Promise<void> {
    await Promise.all(this.#waking);
  }

  async #wake(): Promise<void> {
    const { queue, launcher, installation } = this.#services;
    if (installation.read_only) return;
    try {
      if ((await queue.read()).length === 0 || (await queue.hasRunner())) return;
      await launcher.startQueue();
    } catch (error) {
      await this.#noteProblem(asBifractError(error)).catch(() => undefined);
    }
  }

  async #noteProblem(error: BifractError): Promise<void> {
    await this.#services.queue.change(([next, ...jobs]) =>
      next ? [{ ...next, problem: problemOf(error) }, ...jobs] : [],
    );
  }

  #mustBeWritable(): void {
    if (this.#services.installation.read_only) throw readOnly();
  }
}

/** The request of a queued job; undefined if this version cannot run it, or somebody has changed it. */
export function queuedRequest({ request }: QueuedRecord): JobRequest | undefined {
  return jobTypeOf(request)?.readRequest?.(request) as JobRequest | undefined;
}

export function problemOf(error: BifractError): NonNullable<QueuedRecord['problem']> {
  const { code, message, hint = '' } = error.report();
  return { code, message, hint };
}

function isWaiting({ started_at }: QueuedRecord): boolean {
  return started_at === null;
}

function viewOf(record: QueuedRecord, position: number): QueuedJob {
  const { id, queued_at, by, problem } = record;
  return { ...describeQueued(record), id, position, queued_at, by, problem };
}

/** Describes a queued job, also one that cannot run. */
export function describeQueued(record: QueuedRecord): JobDescription {
  const request = queuedRequest(record);
  return request ? describeJob(request) : { kind: record.request.kind, title: record.id };
}

function queueFull(): BifractError {
  return new BifractError('BUSY', `The queue is full: ${MAX_JOBS} jobs are waiting`, {
    hint: 'See them with `bifract jobs`, and remove some with `bifract cancel`.',
  });
}

function notQueued(id: string): BifractError {
  return new BifractError('NOT_FOUND', `Job ${id} is not waiting in the queue`, {
    hint: 'See what is waiting with `bifract jobs`.',
  });
}
