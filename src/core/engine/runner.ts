import { randomBytes } from 'node:crypto';
import { asBifractError, BifractError, cancelled } from '../contract/errors.ts';
import type { Emit, JobEvent, JobEventMap } from '../contract/events.ts';
import { stampOf } from '../policy/names.ts';
import type { JobPublisher } from '../ports/job-bus.ts';
import type { JobHandle, JobOutcome, StartOptions } from './contract.ts';
import type { JobRequest } from './jobs.ts';
import { perform, startedEvent } from './perform.ts';
import type { EngineServices } from './services.ts';

interface Running {
  id: string;
  controller: AbortController;
  publisher?: JobPublisher<JobEvent>;
  ended?: boolean;
  outcome: Promise<JobOutcome>;
}

/**
 * Runs jobs in this process: stamps their events, passes them to local listeners and, over the job bus, to
 * other processes; cancels jobs on request.
 */
export class JobRunner {
  readonly #services: EngineServices;
  readonly #onFault: (error: unknown) => void;
  readonly #listeners = new Set<(event: JobEvent) => void>();
  readonly #running = new Map<string, Running>();

  /** `onFault` receives errors of jobs that ended as `INTERNAL`: their event has no stack. */
  constructor(services: EngineServices, onFault: (error: unknown) => void = () => undefined) {
    this.#services = services;
    this.#onFault = onFault;
  }

  /** Starts a job. Never throws: failures are reported as the outcome. */
  start(request: JobRequest, { id, must_be_visible: must_be_seen = false }: StartOptions = {}): JobHandle {
    const { promise: outcome, resolve } = Promise.withResolvers<JobOutcome>();
    const job: Running = {
      id: id ?? jobId(request.kind, this.#services.now()),
      controller: new AbortController(),
      outcome,
    };
    this.#running.set(job.id, job);
    resolve(this.#run(job, request, must_be_seen));
    return { id: job.id, kind: request.kind, outcome };
  }

  cancel(job: string, reason = cancelled()) {
    this.#running.get(job)?.controller.abort(reason);
  }

  subscribe(listener: (event: JobEvent) => void) {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  /** Whether the job runs in this process. */
  isRunning(job: string): boolean {
    return this.#running.has(job);
  }

  outlives() {
    return false;
  }

  /** Cancels running jobs and waits for their clean-up. */
  async shutdown(reason: BifractError): Promise<void> {
    const running = [...this.#running.values()];
    for (const { controller } of running) controller.abort(reason);
    await Promise.all(running.map(({ outcome }) => outcome));
  }

  async #run(job: Running, request: JobRequest, must_be_seen: boolean): Promise<JobOutcome> {
    // Lets the caller subscribe before the first event.
    await Promise.resolve();
    const publishError = await this.#publish(job);
    const outcome =
      publishError && must_be_seen
        ? this.#finish(job, 'job:failed', publishError)
        : await this.#perform(job, request, publishError?.message);
    job.ended = true;
    await job.publisher?.close();
    this.#running.delete(job.id);
    return outcome;
  }

  /** Publishes the job on the bus; returns the error if that fails. Read-only jobs are not published. */
  async #publish(job: Running): Promise<BifractError | undefined> {
    const { jobBus: board, installation } = this.#services;
    if (installation.read_only) return undefined;
    try {
      job.publisher = await board.publish(job.id, {
        onCancel: () => this.cancel(job.id),
        onJournalError: ({ message }) => {
          if (!job.ended) this.#emit(job, 'job:warning', { message });
        },
      });
      return undefined;
    } catch (error) {
      const { code, message, hint } = asBifractError(error).report();
      return new BifractError(code, `Other processes cannot see this job: ${message}`, {
        hint,
        cause: error,
      });
    }
  }

  async #perform(job: Running, request: JobRequest, warning?: string): Promise<JobOutcome> {
    const { signal } = job.controller;
    const emit: Emit = (event, payload) => void this.#emit(job, event, payload);
    emit('job:started', { ...startedEvent(request), by: this.#services.owner() });
    if (warning !== undefined) emit('job:warning', { message: warning });
    try {
      const context = { id: job.id, signal, emit, now: () => this.#services.now() };
      const result = await perform(this.#services, request, context);
      return this.#emit(job, 'job:done', { result: { ...result } }) as JobOutcome;
    } catch (thrown) {
      const reason = endReason(thrown, signal);
      if (reason.code === 'INTERNAL') this.#onFault(thrown);
      return this.#finish(job, signal.aborted ? 'job:cancelled' : 'job:failed', reason);
    }
  }

  #finish(job: Running, event: 'job:failed' | 'job:cancelled', error: BifractError): JobOutcome {
    return this.#emit(job, event, { error: error.report() }) as JobOutcome;
  }

  #emit<Name extends keyof JobEventMap>(job: Running, event: Name, payload: JobEventMap[Name]): JobEvent {
    const time = this.#services.now().toISOString();
    const stamped = { event, job: job.id, time, ...payload } as unknown as JobEvent;
    job.publisher?.add(stamped);
    for (const listener of this.#listeners) {
      try {
        listener(stamped);
      } catch {
        // A failing listener must not affect the job.
      }
    }
    return stamped;
  }
}

/** The first reason wins: an error thrown while unwinding is dropped unless it carries the same code. */
function endReason(thrown: unknown, signal: AbortSignal): BifractError {
  if (!signal.aborted) return asBifractError(thrown);
  const reason = asBifractError(signal.reason);
  return thrown instanceof BifractError && thrown.code === reason.code ? thrown : reason;
}

/** Id of a new job: kind, time, random suffix. */
export function jobId(kind: string, now: Date): string {
  return `${kind}-${stampOf(now)}-${randomBytes(3).toString('hex')}`;
}
