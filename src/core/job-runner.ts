import { randomBytes } from 'node:crypto';
import type { JobHandle, JobOutcome, JobRequest, StartOptions } from './engine.ts';
import { asBifractError, BifractError, cancelled } from './errors.ts';
import type { Emit, JobEvent, JobEventMap, JobKind } from './events.ts';
import { perform, started } from './perform.ts';
import { stampOf } from './policy/names.ts';
import type { Publication } from './ports/job-board.ts';
import type { Services } from './services.ts';

interface Running {
  id: string;
  controller: AbortController;
  publication?: Publication;
  ended?: boolean;
  outcome: Promise<JobOutcome>;
}

/**
 * Runs jobs in this process: stamps what they emit, hands it to whoever listens here and, over the board of the
 * installation, in other processes; ends them when asked.
 */
export class JobRunner {
  readonly #services: Services;
  readonly #onFault: (error: unknown) => void;
  readonly #listeners = new Set<(event: JobEvent) => void>();
  readonly #running = new Map<string, Running>();

  /** `onFault` gets what a job threw that ended as `INTERNAL`: its event tells no stack. */
  constructor(services: Services, onFault: (error: unknown) => void = () => undefined) {
    this.#services = services;
    this.#onFault = onFault;
  }

  /** Starts a job. Never throws: whatever goes wrong is the job's own end. */
  start(request: JobRequest, { id, must_be_seen = false }: StartOptions = {}): JobHandle {
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

  /** Whether a job runs here. */
  runs(job: string): boolean {
    return this.#running.has(job);
  }

  outlives() {
    return false;
  }

  /** Ends what runs, and waits for it to clean up. */
  async end(reason: BifractError): Promise<void> {
    const running = [...this.#running.values()];
    for (const { controller } of running) controller.abort(reason);
    await Promise.all(running.map(({ outcome }) => outcome));
  }

  async #run(job: Running, request: JobRequest, must_be_seen: boolean): Promise<JobOutcome> {
    // The caller gets its handle, and can subscribe, before the first event.
    await Promise.resolve();
    const hidden = await this.#show(job);
    const outcome =
      hidden && must_be_seen
        ? this.#end(job, 'job:failed', hidden)
        : await this.#perform(job, request, hidden?.message);
    job.ended = true;
    await job.publication?.close();
    this.#running.delete(job.id);
    return outcome;
  }

  /** Lets other processes see the job; returns why they cannot. What changes nothing leaves no traces either. */
  async #show(job: Running): Promise<BifractError | undefined> {
    const { board, installation } = this.#services;
    if (installation.read_only) return undefined;
    try {
      job.publication = await board.publish(job.id, {
        onCancel: (reason) => this.cancel(job.id, reason),
        onTrouble: ({ message }) => {
          if (!job.ended) this.#tell(job, 'job:warning', { message });
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
    const emit: Emit = (event, payload) => void this.#tell(job, event, payload);
    emit('job:started', { ...started(request), by: this.#services.owner() });
    if (warning !== undefined) emit('job:warning', { message: warning });
    try {
      const context = { id: job.id, signal, emit, now: () => this.#services.now() };
      const result = await perform(this.#services, request, context);
      return this.#tell(job, 'job:done', { result: { ...result } }) as JobOutcome;
    } catch (thrown) {
      const reason = endReason(thrown, signal);
      if (reason.code === 'INTERNAL') this.#onFault(thrown);
      return this.#end(job, signal.aborted ? 'job:cancelled' : 'job:failed', reason);
    }
  }

  #end(job: Running, event: 'job:failed' | 'job:cancelled', error: BifractError): JobOutcome {
    return this.#tell(job, event, { error: error.report() }) as JobOutcome;
  }

  #tell<Name extends keyof JobEventMap>(job: Running, event: Name, payload: JobEventMap[Name]): JobEvent {
    const time = this.#services.now().toISOString();
    const stamped = { event, job: job.id, time, ...payload } as unknown as JobEvent;
    job.publication?.add(stamped);
    for (const listener of this.#listeners) {
      try {
        listener(stamped);
      } catch {
        // A listener that breaks is its own trouble; the job goes on.
      }
    }
    return stamped;
  }
}

/** The first reason wins: what a cancelled job throws while it unwinds is not news, unless it says more of the same end. */
function endReason(thrown: unknown, signal: AbortSignal): BifractError {
  if (!signal.aborted) return asBifractError(thrown);
  const reason = asBifractError(signal.reason);
  return thrown instanceof BifractError && thrown.code === reason.code ? thrown : reason;
}

/** A name for a new job: its kind, the time, and what tells it from others of that second. */
export function jobId(kind: JobKind, now: Date): string {
  return `${kind}-${stampOf(now)}-${randomBytes(3).toString('hex')}`;
}
