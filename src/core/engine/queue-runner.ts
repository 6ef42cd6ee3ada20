import { setTimeout as wait } from 'node:timers/promises';
import { asBifractError, BifractError } from '../contract/errors.ts';
import type { JobEvent } from '../contract/events.ts';
import type { QueuedRecord } from '../ports/job-queue.ts';
import { describeQueued, problemOf, type QueueServices, queuedRequest } from './queue.ts';

/** Pauses before a job whose process could not be started is tried again; after the last one, the next runner tries. */
const RETRY_MS = [1_000, 5_000, 30_000];
/** A shutdown of the machine ends the job and the runner, in any order. */
const SHUTDOWN_MS = 2_000;

/**
 * Runs the queue until it is empty: starts the process of the next job, waits until the job has ended, and removes it
 * from the queue. One process of the installation does this at a time; in another one nothing happens.
 *
 * It may be killed at any moment. A job stays in the queue until it has ended, and has started if it has a journal, which
 * is created by exactly one process. So a later runner neither loses it nor starts it twice.
 */
export class QueueRunner {
  readonly #services: QueueServices;
  readonly #signal: AbortSignal;
  readonly #started: () => void;
  #failures = 0;

  /** The signal stops the runner, and no job. `started` is called once it is known whether this process is the one. */
  constructor(services: QueueServices, { signal, started }: { signal: AbortSignal; started(): void }) {
    this.#services = services;
    this.#signal = signal;
    this.#started = started;
  }

  /** Rejects with the reason of the signal, or if a job cannot be started; it is then still in the queue. */
  async run(): Promise<void> {
    const { queue } = this.#services;
    // What was added while this process was about to end has seen a runner, and started none.
    while ((await queue.read()).length > 0) {
      if (!(await queue.runAlone(() => this.#runAll()))) break;
    }
    this.#started();
  }

  async #runAll(): Promise<void> {
    this.#started();
    for (let job = await this.#claim(); job; job = await this.#claim()) {
      if (!(await this.#start(job))) continue;
      const end = await this.#end(job.id);
      await this.#change((jobs) => jobs.filter(({ id }) => id !== job.id));
      if (end?.event === 'job:cancelled' && end.error.code === 'TERMINATED') await this.#pause(SHUTDOWN_MS);
    }
  }

  /** The next job; from now on it cannot be moved or removed. */
  async #claim(): Promise<QueuedRecord | undefined> {
    this.#signal.throwIfAborted();
    let claimed: QueuedRecord | undefined;
    await this.#change(([next, ...rest]) => {
      claimed = next && { ...next, started_at: this.#services.now().toISOString() };
      return claimed ? [claimed, ...rest] : [];
    });
    return claimed;
  }

  /** Starts the process of a job, if it was not started before. False if it must be tried again. */
  async #start(job: QueuedRecord): Promise<boolean> {
    const { launcher } = this.#services;
    if (await this.#hasJournal(job)) return true;
    const request = queuedRequest(job);
    if (!request) return this.#refuse(job);
    try {
      await launcher.start(job.id, { request, by: job.by });
    } catch (thrown) {
      // A runner that was killed may have started it at the same time.
      if (!(await this.#hasJournal(job))) return this.#unclaim(job, asBifractError(thrown));
    }
    this.#failures = 0;
    return true;
  }

  async #hasJournal({ id }: QueuedRecord): Promise<boolean> {
    return (await this.#services.jobBus.ids()).includes(id);
  }

  /** Reports a job that cannot run as failed, so that it does not hold up the others. */
  async #refuse(job: QueuedRecord): Promise<true> {
    const { jobBus, now, owner } = this.#services;
    const log = await jobBus.publish(job.id, { onCancel: () => undefined, onJournalError: () => undefined });
    const stamp = { job: job.id, time: now().toISOString() };
    const error = new BifractError('UNSUPPORTED', 'This version cannot run the job that was queued', {
      hint: 'Start it again.',
    });
    const by = { ...job.by, pid: owner().pid };
    log.add({ event: 'job:started', ...stamp, ...describeQueued(job), by });
    log.add({ event: 'job:failed', ...stamp, error: error.report() });
    await log.close();
    return true;
  }

  async #unclaim(job: QueuedRecord, error: BifractError): Promise<false> {
    const problem = problemOf(error);
    await this.#change((jobs) =>
      jobs.map((one) => (one.id === job.id ? { ...one, started_at: null, problem } : one)),
    );
    const pause = RETRY_MS[this.#failures++];
    if (pause === undefined) throw error;
    await this.#pause(pause);
    return false;
  }

  /** The final event of a job; undefined if its journal is gone. */
  async #end(id: string): Promise<JobEvent | undefined> {
    let last: JobEvent | undefined;
    try {
      for await (const event of this.#services.jobBus.follow(id, { signal: this.#signal })) last = event;
    } catch (error) {
      this.#signal.throwIfAborted();
      if (!(error instanceof BifractError && error.code === 'NOT_FOUND')) throw error;
    }
    return last;
  }

  #change(change: (jobs: readonly QueuedRecord[]) => readonly QueuedRecord[]): Promise<void> {
    return this.#services.queue.change(change);
  }

  async #pause(ms: number): Promise<void> {
    await wait(ms, undefined, { signal: this.#signal }).catch(() => this.#signal.throwIfAborted());
  }
}
