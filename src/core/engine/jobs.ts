import { asBifractError, BifractError } from '../contract/errors.ts';
import type { JobDescription } from '../contract/events.ts';
import { archiveJob } from '../features/archive/job.ts';
import { archiveRestoreJob } from '../features/archive-restore/job.ts';
import { backupJob, pruneJob } from '../features/backup/job.ts';
import { copyJob } from '../features/copy/job.ts';
import { deleteJob } from '../features/delete/job.ts';
import { verifyJob } from '../features/inspect/job.ts';
import { rotateKeyJob } from '../features/keys/job.ts';
import { adoptJob, cleanJob } from '../features/orphans/job.ts';
import { drillJob, restoreJob } from '../features/restore/job.ts';
import { runDueJob } from '../features/schedule/job.ts';
import type { JobType } from '../job/job-type.ts';
import type { Row } from '../text/rows.ts';

/** Every kind of job. A new kind is one line here: its name is what requests, events and records call it. */
export const JOBS = {
  backup: backupJob,
  restore: restoreJob,
  drill: drillJob,
  prune: pruneJob,
  archive: archiveJob,
  'restore-archive': archiveRestoreJob,
  'run-due': runDueJob,
  verify: verifyJob,
  adopt: adoptJob,
  clean: cleanJob,
  delete: deleteJob,
  copy: copyJob,
  'rotate-key': rotateKeyJob,
};

type Jobs = typeof JOBS;

/** What kinds of job the engine runs. */
export type JobKind = keyof Jobs;

/** What a job of a kind is asked to do: plain data, so that it can be stored and handed to another process. */
export type RequestOf<Kind extends JobKind> =
  Jobs[Kind] extends JobType<infer Request, infer _> ? Request : never;

/** What `job:done` of a kind carries. */
export type SummaryOf<Kind extends JobKind> =
  Jobs[Kind] extends JobType<infer _, infer Summary> ? Summary : never;

export type JobRequest = { [Kind in JobKind]: RequestOf<Kind> }[JobKind];

/** The table's entry for a request; undefined for a kind that this version does not know. */
export function jobTypeOf({ kind }: { kind: string }): JobType<object, object> | undefined {
  return Object.hasOwn(JOBS, kind) ? (JOBS[kind as JobKind] as JobType<object, object>) : undefined;
}

/** What screens must know of a kind of job; nothing is set for a kind that this version does not know. */
type JobFacts = Partial<Pick<JobType<never, object>, 'cancelEffect' | 'estimatesTotal'>>;

export function jobFacts(kind: string): JobFacts {
  return jobTypeOf({ kind }) ?? {};
}

/** The table's entry for a request. `USAGE` for a kind that this version does not know. */
export function typeOf(request: JobRequest): JobType<object, object> {
  const type = jobTypeOf(request);
  if (type) return type;
  throw new BifractError('USAGE', `Unknown kind of job: ${request.kind}`);
}

/** What a job is: human-readable, and for its `job:started`. */
export function describeJob<Request extends JobRequest>(
  request: Request,
): JobDescription & { kind: Request['kind'] } {
  const type = jobTypeOf(request);
  const target = type?.target?.(request);
  return { kind: request.kind, title: type?.title(request) ?? request.kind, ...(target ? { target } : {}) };
}

/** What to do after a crash of a job of this kind, human-readable; undefined if it cannot be resumed. */
export function resumeHint(kind: string): string | undefined {
  return jobTypeOf({ kind })?.resumeHint;
}

/** What a finished job did, human-readable. The result of a job of another version may have another shape. */
export function summaryRows(kind: string, result: object): Row[] {
  try {
    return jobTypeOf({ kind })?.summary(result) ?? [];
  } catch (error) {
    return [{ label: 'Result', value: `not readable by this version: ${asBifractError(error).message}` }];
  }
}
