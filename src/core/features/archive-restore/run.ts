import { asBifractError, BifractError } from '../../contract/errors.ts';
import type { JobContext } from '../../job/context.ts';
import { Retrier, type RetryOptions } from '../../job/retry.ts';
import { throttle } from '../../job/throttle.ts';
import type { LogDatabase } from '../../ports/log-database.ts';
import type { LogRestore } from '../../ports/log-restore.ts';
import type { Services } from '../../ports/services.ts';
import { findTarget } from '../files/find-target.ts';
import { pathOf, type Target } from '../files/target.ts';
import type { RestoreCheckpoint } from './checkpoint.ts';
import type { ArchiveRestoreFile, ArchiveRestorePlan } from './contract.ts';

/** Limits the total retry time; named when it was too short. */
const MAX_ERROR_TIME = 'BIFRACT_ARCHIVE_MAX_ERROR_TIME';
/** How long a restore past the point of no return may continue after it was cancelled. */
const CANCEL_GRACE_MS = 60_000;
const LOCK_REPORT_INTERVAL_MS = 2000;

/** What all steps of one restore share. */
export interface RestoreRun {
  services: Services;
  rows: LogRestore;
  logs: LogDatabase;
  plan: ArchiveRestorePlan;
  checkpoint: RestoreCheckpoint;
  lock: RestoreRecordLock;
  retry: RetryOptions;
  retrier: Retrier;
  context: JobContext;
  progress: RestoreProgress;
  limits: RestoreLimits;
}

/** Overridden by recovery, and by tests. */
export interface RestoreLimits {
  /** Total retry time, and the first wait, milliseconds. */
  retry_ms?: number;
  first_wait_ms?: number;
  cancel_grace_ms: number;
  /** Rows and bytes of one staging table: what must be sent again if the connection breaks. */
  table: { rows: number; bytes: number };
  /** What is attached together: each step takes about ten statements, and compares that many rows at a time. */
  step: { partitions: number; rows: number };
  /** Log lines that are sent to the server together. */
  batch: { rows: number; bytes: number };
}

const LIMITS: RestoreLimits = {
  cancel_grace_ms: CANCEL_GRACE_MS,
  table: { rows: 4_000_000, bytes: 1024 ** 3 },
  step: { partitions: 32, rows: 2_000_000 },
  batch: { rows: 5000, bytes: 1024 * 1024 },
};

/** Opens what a restore needs, and last its checkpoint. */
export async function openRun(
  services: Services,
  openCheckpoint: () => Promise<RestoreCheckpoint>,
  context: JobContext,
  overrides: Partial<RestoreLimits> = {},
): Promise<RestoreRun> {
  const [rows, logs] = await Promise.all([services.logRestore(), services.logs()]);
  const checkpoint = await openCheckpoint();
  const { plan } = checkpoint.data;
  const limits = { ...LIMITS, ...overrides };
  const retry = {
    max_ms: limits.retry_ms ?? services.archive_limits.max_error_time_ms,
    first_ms: limits.first_wait_ms,
    variable: MAX_ERROR_TIME,
  };
  const retrier = new Retrier(retry, context);
  const lock = new RestoreRecordLock(services, checkpoint, retrier, context);
  const progress = new RestoreProgress(plan, context.emit);
  return { services, rows, logs, plan, checkpoint, lock, retry, retrier, context, progress, limits };
}

/**
 * Finds a file of the plan again: by its record, in the archive storage, or at its path. `BUSY` if its size differs from
 * the plan.
 */
export async function findPlanned(
  { services, context: { signal } }: Pick<RestoreRun, 'services' | 'context'>,
  file: ArchiveRestoreFile,
): Promise<Target> {
  const target =
    file.archive_id === null
      ? await findByPath(services, file, signal)
      : await findTarget(services, file.archive_id, { signal });
  if (file.archive_id !== null && !target.record)
    throw new BifractError('NOT_FOUND', `The record of archive ${file.archive_id} is gone`);
  if (target.object.size_bytes === file.size_bytes) return target;
  throw new BifractError('BUSY', `${file.path} has changed since the restore was planned: its size differs`, {
    hint: 'Plan the restore again.',
  });
}

async function findByPath(
  services: Services,
  { path, name }: ArchiveRestoreFile,
  signal: AbortSignal,
): Promise<Target> {
  const root = pathOf(await services.archives(), '');
  const found = await findTarget(services, path.startsWith(root) ? path.slice(root.length) : path, {
    signal,
  });
  if (found.path === path) return found;
  throw new BifractError('NOT_FOUND', `${name} is no longer at ${path}`);
}

/**
 * Marks the record of one archive as being restored, which locks the other archives of its fractal: only one may be
 * active.
 */
class RestoreRecordLock {
  readonly #services: Pick<Services, 'catalog'>;
  readonly #checkpoint: RestoreCheckpoint;
  readonly #retrier: Retrier;
  readonly #context: JobContext;
  readonly #update = throttle(
    (archive_id: string, lines: number) => void this.#updateRecord(archive_id, lines).catch(() => undefined),
    LOCK_REPORT_INTERVAL_MS,
  );
  #held: string | null = null;
  #lines = 0;

  constructor(
    services: Pick<Services, 'catalog'>,
    checkpoint: RestoreCheckpoint,
    retrier: Retrier,
    context: JobContext,
  ) {
    this.#services = services;
    this.#checkpoint = checkpoint;
    this.#retrier = retrier;
    this.#context = context;
  }

  /**
   * Moves the lock to another record; a file without a record leaves it unchanged. `BUSY` if another archive of the
   * fractal is active.
   */
  async acquire(archive_id: string | null): Promise<void> {
    if (archive_id === null || archive_id === this.#held) return;
    const { signal } = this.#context;
    const previous =
      this.#held === null ? undefined : { archive_id: this.#held, lines: this.#lines, error: null };
    // Saved first: a lock that no job knows of would never be released.
    await this.#checkpoint.save({
      archive_ids: this.#held === null ? [archive_id] : [this.#held, archive_id],
    });
    const lock = async () => (await this.#services.catalog()).beginRestore(archive_id, previous, { signal });
    await this.#retrier.through(lock, signal);
    this.#held = archive_id;
    this.#lines = 0;
  }

  /** Rows sent of the current file. Reported to the catalog from time to time; errors are ignored. */
  report(lines: number): void {
    this.#lines = lines;
    if (this.#held !== null) this.#update(this.#held, lines);
  }

  /** Releases the lock, whatever the outcome. False if the catalog does not answer. */
  async release(error: unknown): Promise<boolean> {
    if (this.#held === null) return true;
    const message = error === undefined ? null : asBifractError(error).message;
    const result = { archive_id: this.#held, lines: this.#lines, error: message };
    const { signal } = this.#context;
    const unlock = async () => (await this.#services.catalog()).endRestore(result);
    try {
      // After a cancellation there is only one attempt.
      await (signal.aborted ? unlock() : this.#retrier.through(unlock, signal));
      this.#held = null;
      return true;
    } catch (thrown) {
      const { message: reason } = asBifractError(thrown);
      this.#context.emit('job:warning', {
        message: `Cannot release the lock on archive ${this.#held}; its status stays "restoring": ${reason}`,
      });
      return false;
    }
  }

  async #updateRecord(archive_id: string, lines: number): Promise<void> {
    await (await this.#services.catalog()).updateRestore(archive_id, lines);
  }
}

/** Progress of one reading of the files, which never decreases, even if rows are read again. */
class RestoreProgress {
  readonly #plan: ArchiveRestorePlan;
  readonly #emit: (item: string) => void;
  #rows = 0;
  #bytes = 0;

  constructor(plan: ArchiveRestorePlan, emit: JobContext['emit']) {
    this.#plan = plan;
    this.#emit = throttle((item: string) => emit('job:progress', { item, ...this.#current() }));
  }

  /** Starts with another reading. */
  restart(): void {
    this.#rows = 0;
    this.#bytes = 0;
  }

  report(item: string, rows: number, bytes_in: number): void {
    this.#rows = Math.max(this.#rows, rows);
    this.#bytes = Math.max(this.#bytes, bytes_in);
    this.#emit(item);
  }

  #current() {
    return {
      rows: this.#rows,
      total_rows: Math.max(this.#plan.rows, this.#rows),
      bytes_in: this.#bytes,
      total_bytes: Math.max(this.#plan.content_bytes, this.#bytes),
    };
  }
}
