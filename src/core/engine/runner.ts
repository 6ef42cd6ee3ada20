import { asBifractError, BifractError, cancelled, readOnly } from '../contract/errors.ts';
import type { Emit, JobEvent, JobEventMap } from '../contract/events.ts';
import { withAudit } from '../job/audited.ts';
import type { JobContext } from '../job/context.ts';
import { copyRecords } from '../job/copy-records.ts';
import type { JobType } from '../job/job-type.ts';
import { withLock } from '../job/lock.ts';
import type { JobLog } from '../ports/job-bus.ts';
import { maskAll } from '../text/mask.ts';
import type { EngineServices, JobHandle, JobOutcome, StartOptions } from './contract.ts';
import type { JobFeed } from './job-feed.ts';
import { jobId } from './job-id.ts';
import { describeJob, type JobRequest, jobTypeOf, typeOf } from './jobs.ts';
import type { QueueService } from './queue.ts';
import { recoverBefore } from './recovery.ts';

interface Running {
  id: string;
  controller: AbortController;
  log?: JobLog<JobEvent>;
  ended?: boolean;
  outcome: Promise<unknown>;
}

/**
 * Runs jobs in this process: passes their events to the feed of this process and, over the job bus, to other
 * processes; cancels jobs on request.
 */
export class JobRunner {
  readonly #services: EngineServices;
  readonly #feed: Pick<JobFeed, 'add'>;
  readonly #queue: Pick<QueueService, 'wake'>;
  readonly #onFault: (error: unknown) => void;
  readonly #running = new Map<string, Running>();

  /** `queue` is continued after each job; `onFault` receives errors of jobs that ended as `INTERNAL`: their event has no stack. */
  constructor(
    services: EngineServices,
    {
      feed,
      queue,
      onFault = () => undefined,
    }: {
      feed: Pick<JobFeed, 'add'>;
      queue: Pick<QueueService, 'wake'>;
      onFault?: (error: unknown) => void;
    },
  ) {
    this.#services = services;
    this.#feed = feed;
    this.#queue = queue;
    this.#onFault = onFault;
  }

  /** Starts a job. Never throws: failures are reported as the outcome. `warning` is its first event. */
  start<Request extends JobRequest>(
    request: Request,
    { id, must_be_visible = false, warning }: StartOptions & { warning?: string } = {},
  ): JobHandle<Request['kind']> {
    const { promise: outcome, resolve } = Promise.withResolvers<JobOutcome<Request['kind']>>();
    const job: Running = {
      id: id ?? jobId(request.kind, this.#services.now()),
      controller: new AbortController(),
      outcome,
    };
    this.#running.set(job.id, job);
    // The job type of the request made the result.
    resolve(this.#run(job, request, { must_be_visible, warning }) as typeof outcome);
    return { id: job.id, ...describeJob(request), outcome };
  }

  cancel(job: string, reason = cancelled()) {
    this.#running.get(job)?.controller.abort(reason);
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

  async #run(
    job: Running,
    request: JobRequest,
    { must_be_visible, warning }: { must_be_visible: boolean; warning: string | undefined },
  ): Promise<JobOutcome> {
    // Lets the caller subscribe before the first event.
    await Promise.resolve();
    const invisible = await this.#publish(job);
    const reason = invisible && [invisible.message, invisible.hint].filter(Boolean).join('. ');
    const warnings = [warning, reason].filter((text) => text !== undefined);
    const outcome =
      invisible && must_be_visible
        ? this.#fail(job, 'job:failed', invisible)
        : await this.#perform(job, request, warnings);
    job.ended = true;
    await job.log?.close();
    this.#running.delete(job.id);
    this.#wakeQueue(outcome);
    return outcome;
  }

  /** The process that runs the queue may have been killed. After SIGTERM, the machine may be shutting down. */
  #wakeQueue(outcome: JobOutcome): void {
    if (outcome.event === 'job:cancelled' && outcome.error.code === 'TERMINATED') return;
    this.#queue.wake();
  }

  /** Publishes the job on the bus; returns the error if that fails. Read-only jobs are not published. */
  async #publish(job: Running): Promise<BifractError | undefined> {
    const { jobBus, installation } = this.#services;
    if (installation.read_only) return undefined;
    try {
      job.log = await jobBus.publish(job.id, {
        onCancel: () => this.cancel(job.id),
        onJournalError: ({ message }) => {
          if (!job.ended) this.#emit(job, 'job:warning', { message });
        },
      });
      return undefined;
    } catch (error) {
      const { code, message, hint } = asBifractError(error).report();
      return new BifractError(code, `This job is not visible to other consoles: ${message}`, {
        hint,
        cause: error,
      });
    }
  }

  async #perform(job: Running, request: JobRequest, warnings: readonly string[]): Promise<JobOutcome> {
    const { signal } = job.controller;
    const emit: Emit = (event, payload) => void this.#emit(job, event, payload);
    emit('job:started', { ...describeJob(request), by: this.#services.owner() });
    for (const message of warnings) emit('job:warning', { message });
    try {
      const context = { id: job.id, signal, emit, now: () => this.#services.now() };
      const result = await perform(this.#services, request, context);
      return this.#emit(job, 'job:done', { result: { ...result } }) as JobOutcome;
    } catch (thrown) {
      const reason = endReason(thrown, signal, jobTypeOf(request)?.cancelledHint);
      if (reason.code === 'INTERNAL') this.#onFault(thrown);
      return this.#fail(job, signal.aborted ? 'job:cancelled' : 'job:failed', reason);
    }
  }

  #fail(job: Running, event: 'job:failed' | 'job:cancelled', error: BifractError): JobOutcome {
    return this.#emit(job, event, { error: error.report() }) as JobOutcome;
  }

  #emit<Name extends keyof JobEventMap>(job: Running, event: Name, payload: JobEventMap[Name]): JobEvent {
    const time = this.#services.now().toISOString();
    const stamped = { event, job: job.id, time, ...maskAll(payload) } as unknown as JobEvent;
    job.log?.add(stamped);
    this.#feed.add(stamped);
    return stamped;
  }
}

/** Runs a job and returns its summary. Recovers interrupted jobs first. */
async function perform(services: EngineServices, request: JobRequest, context: JobContext): Promise<object> {
  const type = typeOf(request);
  if (type.readsOnly) return type.run(services, request, context);
  if (services.installation.read_only) throw readOnly();
  // Without a key no job begins that would change something.
  await services.key();
  if (!type.locks) return performAfterRecovery(services, request, type, context);
  return withLock(services.state, context, () => performAfterRecovery(services, request, type, context));
}

async function performAfterRecovery(
  services: EngineServices,
  request: JobRequest,
  type: JobType<object, object>,
  context: JobContext,
): Promise<object> {
  const warn = (message: string) => context.emit('job:warning', { message });
  await recoverBefore(services, request, { signal: context.signal, warn });
  const run = (own: JobContext) => type.run(services, request, own);
  const what = type.destroys(request);
  try {
    if (!what) return await run(context);
    const title = type.title(request);
    return await withAudit(services.audit, { kind: request.kind, title, what }, context, run);
  } finally {
    // Also after a failure: it may have changed some.
    if (type.changesRecords) await copyRecords(services, warn);
  }
}

/**
 * The first reason wins: an error thrown while unwinding is dropped unless it carries the same code. The end of a
 * cancelled job has a hint that says what it left behind.
 */
function endReason(thrown: unknown, signal: AbortSignal, hint: string | undefined): BifractError {
  if (!signal.aborted) return asBifractError(thrown);
  const reason = asBifractError(signal.reason);
  const end = thrown instanceof BifractError && thrown.code === reason.code ? thrown : reason;
  return end.hint === undefined ? new BifractError(end.code, end.message, { hint, cause: end }) : end;
}
