import { randomBytes } from 'node:crypto';
import type { JobHandle, JobOutcome, JobRequest } from './engine.ts';
import { asBifractError, type BifractError, cancelled } from './errors.ts';
import type { Emit, JobEvent, JobEventMap, JobKind } from './events.ts';
import type { JobContext } from './jobs/context.ts';
import { perform, started } from './perform.ts';
import { stampOf } from './policy/names.ts';
import type { Services } from './services.ts';

interface Running {
  controller: AbortController;
  outcome: Promise<JobOutcome>;
}

/** Runs jobs in this process: stamps what they emit, hands it to whoever listens, ends them when asked. */
export class JobRunner {
  readonly #services: Services;
  readonly #listeners = new Set<(event: JobEvent) => void>();
  readonly #running = new Map<string, Running>();

  constructor(services: Services) {
    this.#services = services;
  }

  /** Starts a job, under a new id unless one is given. Never throws: whatever goes wrong is the job's own end. */
  start(request: JobRequest, id = jobId(request.kind, this.#services.now())): JobHandle {
    const controller = new AbortController();
    const outcome = this.#run(id, request, controller.signal);
    this.#running.set(id, { controller, outcome });
    return { id, kind: request.kind, outcome };
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

  /** Ends what runs, and waits for it to clean up. */
  async end(reason: BifractError): Promise<void> {
    const running = [...this.#running.values()];
    for (const { controller } of running) controller.abort(reason);
    await Promise.all(running.map(({ outcome }) => outcome));
  }

  async #run(id: string, request: JobRequest, signal: AbortSignal): Promise<JobOutcome> {
    // The caller gets its handle, and can subscribe, before the first event.
    await Promise.resolve();
    const emit: Emit = (event, payload) => {
      this.#publish(id, event, payload);
    };
    emit('job:started', started(request));
    const outcome = await this.#settle(id, request, { id, signal, emit, now: () => this.#services.now() });
    this.#running.delete(id);
    return outcome;
  }

  async #settle(id: string, request: JobRequest, context: JobContext): Promise<JobOutcome> {
    try {
      const result = await perform(this.#services, request, context);
      return this.#publish(id, 'job:done', { result: { ...result } }) as JobOutcome;
    } catch (thrown) {
      const error = endReason(thrown, context.signal);
      const event = context.signal.aborted ? 'job:cancelled' : 'job:failed';
      return this.#publish(id, event, { error: error.report() }) as JobOutcome;
    }
  }

  #publish<Name extends keyof JobEventMap>(job: string, event: Name, payload: JobEventMap[Name]): JobEvent {
    const stamped = {
      event,
      job,
      time: this.#services.now().toISOString(),
      ...payload,
    } as unknown as JobEvent;
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

/** The first reason wins: what a cancelled job throws while it unwinds is not news. */
function endReason(thrown: unknown, signal: AbortSignal): BifractError {
  return asBifractError(signal.aborted ? signal.reason : thrown);
}

/** A name for a new job: its kind, the time, and what tells it from others of that second. */
export function jobId(kind: JobKind, now: Date): string {
  return `${kind}-${stampOf(now)}-${randomBytes(3).toString('hex')}`;
}
