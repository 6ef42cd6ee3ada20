import { asBifractError, BifractError } from '../contract/errors.ts';
import type { Services } from '../ports/services.ts';
import type { JobRecord, State } from '../ports/state.ts';
import type { CallOptions } from '../ports/types.ts';
import { type JobRequest, jobTypeOf } from './jobs.ts';
import { dueWarnings, interruptedRecords, type Left, noteLeftovers, notKnown } from './leftovers.ts';
import { type Limits, TimeBudget, type Watched } from './time-budget.ts';
import { UnfinishedObjects } from './unfinished.ts';

/** A job starts soon, even if a server hangs: what could not be cleaned up is left to a later one. */
const BEFORE_JOB: Limits = { quiet_ms: 4_000, total_ms: 8_000 };
/** For a cleanup that somebody waits for. */
const ON_REQUEST: Limits = { quiet_ms: 60_000, total_ms: 180_000 };

interface RecoveryOptions extends CallOptions {
  /** The job that is about to start: it may resume an interrupted one. */
  request?: JobRequest;
  limits?: Limits;
}

/** What was cleaned up, one sentence per action, and what was not. */
interface Recovery {
  done: string[];
  left: Left[];
}

/**
 * Cleans up before a job starts. What is left is a warning, once a day for each interrupted job, unless the job needs it
 * to be cleaned up: then it is waited for, and `BUSY` if that fails.
 */
export async function recoverBefore(
  services: Services,
  request: JobRequest,
  { warn, ...options }: RecoveryOptions & { warn: (message: string) => void },
): Promise<void> {
  const type = jobTypeOf(request);
  const { left } = await recoverAll(services, { limits: BEFORE_JOB, ...options, request });
  const blocker = left.find(({ record }) => type?.needsCleaned?.(request, record));
  if (blocker) throw mustBeCleaned(blocker);
  for (const message of await dueWarnings(services, left)) warn(message);
}

function mustBeCleaned({ record, error }: Left): BifractError {
  return new BifractError('BUSY', `Interrupted job ${record.id} must be cleaned up first: ${error.message}`, {
    hint: error.hint,
    cause: error,
  });
}

/**
 * Cleans up on request, with longer time limits. Returns one sentence per action; what fails is noted.
 */
export async function recover(services: Services, options: RecoveryOptions = {}): Promise<string[]> {
  return (await recoverAll(services, options)).done;
}

/**
 * Recovers from interrupted jobs, one process at a time: removes unfinished objects, then lets each kind of job clean
 * up as its record tells. Jobs that can be resumed, by `request` or later, keep their records and unfinished objects.
 * What fails is noted, and does not keep the others from being tried.
 */
async function recoverAll(services: Services, options: RecoveryOptions): Promise<Recovery> {
  // A failure here shows up when the first record is written.
  await services.state.cleanUp().catch(() => undefined);
  const records = await interruptedRecords(services.state);
  if (records.length === 0) return { done: [], left: [] };
  const urgent = records.some((record) => isNeeded(record, options.request));
  return exclusively(services.state, () => new Recoverer(services, options).run(), { ...options, urgent });
}

/** While another process cleans up, the job need not wait long, unless it needs the result. */
async function exclusively(
  state: State,
  work: () => Promise<Recovery>,
  { signal, limits, urgent }: RecoveryOptions & { urgent: boolean },
): Promise<Recovery> {
  if (!limits || urgent) return state.exclusive(work, { signal });
  const limit = AbortSignal.timeout(limits.quiet_ms);
  try {
    return await state.exclusive(work, { signal: signal ? AbortSignal.any([signal, limit]) : limit });
  } catch (error) {
    signal?.throwIfAborted();
    if (error !== limit.reason) throw error;
    return { done: [], left: [] };
  }
}

function isNeeded(record: JobRecord, request: JobRequest | undefined): boolean {
  return (request && jobTypeOf(request)?.needsCleaned?.(request, record)) ?? false;
}

/** One recovery, under the lock. */
class Recoverer {
  readonly #services: Services;
  readonly #options: RecoveryOptions;
  readonly #budget: TimeBudget;
  readonly #done: string[] = [];
  readonly #left: Left[] = [];

  constructor(services: Services, options: RecoveryOptions) {
    this.#services = services;
    this.#options = options;
    this.#budget = new TimeBudget(options.limits ?? ON_REQUEST);
  }

  async run(): Promise<Recovery> {
    const { state } = this.#services;
    const records = await interruptedRecords(state);
    const resumable = new Set<JobRecord>();
    for (const record of records) if (await this.#canResume(record)) resumable.add(record);
    const unfinished = new UnfinishedObjects(this.#services, resumable);
    for (const record of records) {
      const recoverOne = (watched: Watched) =>
        this.#recover(record, unfinished, { ...watched, resumable: resumable.has(record) });
      await this.#attempt(record, recoverOne);
    }
    await noteLeftovers(this.#services, this.#left);
    return { done: this.#done, left: this.#left };
  }

  /** A job that may be resumable keeps what it has until that is known. */
  async #canResume(record: JobRecord): Promise<boolean> {
    const { request, signal } = this.#options;
    const own = request?.kind === record.kind ? request : undefined;
    try {
      const ask = async (watched: Watched) =>
        jobTypeOf(record)?.resumable?.(this.#services, record, { ...watched, request: own });
      return (await this.#budget.run(ask, { signal })) ?? false;
    } catch {
      signal?.throwIfAborted();
      return true;
    }
  }

  async #attempt(record: JobRecord, work: (watched: Watched) => Promise<void>): Promise<void> {
    const { signal, request } = this.#options;
    if (isNeeded(record, request)) return this.#noteFailure(record, work({ signal, alive: () => undefined }));
    return this.#noteFailure(record, this.#budget.run(work, { signal }));
  }

  async #noteFailure(record: JobRecord, attempt: Promise<void>): Promise<void> {
    try {
      await attempt;
    } catch (error) {
      this.#options.signal?.throwIfAborted();
      this.#left.push({ record, error: asBifractError(error) });
    }
  }

  /** The two parts do not depend on each other. */
  async #recover(
    record: JobRecord,
    unfinished: UnfinishedObjects,
    options: Watched & { resumable: boolean },
  ): Promise<void> {
    const type = jobTypeOf(record);
    if (!type) throw notKnown(record).error;
    const errors: unknown[] = [];
    const done = this.#done;
    await unfinished.remove(record, { ...options, done }).catch((error) => errors.push(error));
    options.signal?.throwIfAborted();
    const recovered = type.recover?.(this.#services, record, options);
    await recovered?.then((lines) => done.push(...lines)).catch((error) => errors.push(error));
    options.signal?.throwIfAborted();
    if (errors.length > 0) throw errors[0];
    if (!options.resumable) await this.#remove(record);
  }

  async #remove({ id }: JobRecord): Promise<void> {
    try {
      await this.#services.state.remove(id);
    } catch (error) {
      const { code, message } = asBifractError(error);
      const hint = `Nothing else is left of the job: delete .bifract/jobs/${id}.json.`;
      throw new BifractError(code, message, { hint, cause: error });
    }
  }
}
