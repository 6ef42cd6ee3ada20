import type { Services } from '../ports/services.ts';
import type { JobRecord } from '../ports/state.ts';
import type { CallOptions } from '../ports/types.ts';
import type { Row } from '../text/rows.ts';
import type { JobContext } from './context.ts';

/** What the engine must know of a kind of job. A feature exports one for each kind; the engine's table lists them. */
export interface JobType<Request, Summary extends object> {
  /** What the job does and to what, human-readable: `Backup of PostgreSQL`. */
  title(request: Request): string;
  /** The fractal it works on, if it is exactly one. */
  target?(request: Request): { kind: 'fractal'; id: string };
  /** What it destroys or changes for good, one line each, for the audit log; undefined if there is no such thing. */
  destroys(request: Request): string[] | undefined;
  /** Set on jobs that change nothing: they are allowed with --read-only and run no recovery first. */
  readonly readsOnly?: true;
  /**
   * Set if it deletes or replaces files or records: it works under the installation lock, where nothing else does, and
   * must check there that its plan still holds.
   */
  readonly locks?: true;
  /** Set on jobs that change records of archives: their copy is updated afterwards, see `copyRecords`. */
  readonly changesRecords?: true;
  /** Does the work. Throws what went wrong; after an abort the signal's reason. */
  run(services: Services, request: Request, context: JobContext): Promise<Summary>;
  /** What it did, human-readable. */
  summary(summary: Summary): Row[];
  /** What cancelling it means, one or two sentences. */
  readonly cancelEffect: string;
  /** What a cancelled job left behind, as a hint; the job may throw a more exact one with the reason. */
  readonly cancelledHint: string;
  /** Set if the total of its progress in bytes is an estimate. */
  readonly estimatesTotal?: true;

  /**
   * Set on kinds that can be queued: checks a request that was stored, and possibly changed by somebody since. Undefined
   * if it is not one of this kind.
   */
  readRequest?(stored: object): Request | undefined;

  /** For jobs that can be resumed: what to do after a crash, human-readable. */
  readonly resumeHint?: string;
  /**
   * Whether an interrupted job can still be resumed: then recovery keeps its record and its unfinished objects.
   * `request` is a job of the same kind that is about to start, and may resume it.
   */
  resumable?(
    services: Services,
    record: JobRecord,
    options: CallOptions & { request?: Request },
  ): Promise<boolean>;
  /** The request that resumes an interrupted job; undefined if its record has nothing to resume. */
  resumeRequest?(
    services: Pick<Services, 'catalog'>,
    record: JobRecord,
    options?: CallOptions,
  ): Promise<Request | undefined>;
  /**
   * Cleans up after an interrupted job of this kind, as far as its record tells; the engine removes the record
   * afterwards unless the job is resumable. Returns what was done, one line each. A `BifractError` means that it must
   * be tried again later.
   */
  recover?(services: Services, record: JobRecord, options: RecoverOptions): Promise<string[]>;
  /**
   * Whether this job's own result could be wrong, or lose data, while an interrupted job with this record is not cleaned
   * up. Then it waits for the cleanup, and fails if that fails. By default nothing stops it: it gives the cleanup a few
   * seconds and warns.
   */
  needsCleaned?(request: Request, record: JobRecord): boolean;
}

export interface RecoverOptions extends CallOptions {
  /** Whether the job can be resumed: what it needs for that must be kept. */
  resumable: boolean;
  /** Call this during long work: a cleanup that reports no progress for a few seconds is given up. */
  alive(): void;
}
