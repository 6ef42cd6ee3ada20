import type { JobOwner } from '../../ports/job-launcher.ts';
import type { QueuedRecord } from '../../ports/job-queue.ts';
import type { FileCheck, JobRecord, KnownFolder, Leftover } from '../../ports/state.ts';

type Check = (value: unknown) => boolean;
type Shape<T> = { [Name in keyof T]-?: Check };

const isText: Check = (value) => typeof value === 'string';
const isFlag: Check = (value) => typeof value === 'boolean';
const isNumber: Check = (value) => typeof value === 'number';
const isTime: Check = (value) => typeof value === 'string' && !Number.isNaN(Date.parse(value));
const optional = (check: Check) => (value: unknown) => value === undefined || value === null || check(value);
const oneOf = (...values: string[]) => ((value) => values.includes(value as string)) satisfies Check;
const listOf = (check: Check) => ((value) => Array.isArray(value) && value.every(check)) satisfies Check;

/** Members that are not named are those of other versions, or of the feature that saves them. */
const object = <T>(shape: Shape<T>) =>
  ((value) =>
    typeof value === 'object' &&
    value !== null &&
    Object.entries<Check>(shape).every(([name, check]) =>
      check((value as Record<string, unknown>)[name]),
    )) satisfies Check;

const isRequest = object<NonNullable<JobRecord['archive']>['request']>({
  fractal_id: isText,
  split: oneOf('none', 'hour', 'day', 'week'),
  from: optional(isText),
  to: optional(isText),
  fields: optional(isFlag),
  archive_type: oneOf('adhoc', 'scheduled'),
  only_uncovered: optional(isFlag),
});

const isArchive = object<NonNullable<JobRecord['archive']>>({
  request: isRequest,
  end: isText,
  begun_at: isText,
  group_id: optional(isText),
  window: object<NonNullable<JobRecord['archive']>['window']>({
    label: optional(isText),
    from: optional(isText),
    to: isText,
    rows: isNumber,
  }),
  leftovers: listOf(isText),
});

const isRestoring = object<NonNullable<JobRecord['restoring']>>({
  key: isText,
  // The second file of a record has no plan.
  plan: optional(object({ into: object({ id: isText }), files: listOf(object({ name: isText })) })),
  phase: isText,
  archive_ids: listOf(isText),
  left: optional(isFlag),
});

const isJobRecord = object<JobRecord>({
  id: isText,
  kind: isText,
  started_at: isTime,
  archive_id: optional(isText),
  object: optional(isText),
  archive: optional(isArchive),
  databases: optional(listOf(isText)),
  rekey: optional(listOf(object({ place: oneOf('backups', 'archives'), name: isText }))),
  deleting: optional(listOf(object({ archive_id: isText }))),
  copying: optional(
    object<NonNullable<JobRecord['copying']>>({
      place: oneOf('backups', 'archives'),
      name: isText,
      to: oneOf('disk', 's3'),
      archive_id: optional(isText),
    }),
  ),
  restoring: optional(isRestoring),
  app_stopped: optional(isFlag),
  containers_stopped: optional(listOf(isText)),
});

/** Whether the content of a file is a job record. Anyone who may write to the installation can put anything there. */
export function hasRecordShape(value: object): boolean {
  return isJobRecord(value);
}

/** The same for a note about what could not be cleaned up. */
export const hasLeftoverShape = object<Leftover>({
  job: isText,
  kind: isText,
  since: isText,
  code: isText,
  message: isText,
  hint: isText,
  warned_at: optional(isText),
}) as (value: unknown) => value is Leftover;

const isId: Check = (value) => typeof value === 'string' && /^[\w-]{1,100}$/.test(value);

/** The same for a job in the queue; its request is checked by the job's type. */
export const hasQueuedShape = object<QueuedRecord>({
  id: isId,
  request: object<QueuedRecord['request']>({ kind: isText }),
  queued_at: isTime,
  by: object<JobOwner>({
    user: isText,
    sudo_user: optional(isText),
    host: isText,
    pid: isNumber,
    from: optional(isText),
  }),
  started_at: optional(isTime),
  problem: optional(object({ code: isText, message: isText, hint: isText })),
}) as (value: unknown) => value is QueuedRecord;

/** The same for the result of a check. */
export const hasCheckShape = object<FileCheck>({
  kind: oneOf('verify', 'quick', 'drill'),
  path: isText,
  size_bytes: optional(isNumber),
  modified_at: optional(isTime),
  uuid: optional(isText),
  checksum: optional(isText),
  key_id: optional(isText),
  at: isTime,
  message: isText,
  error: optional(
    object<NonNullable<FileCheck['error']>>({ code: isText, message: isText, hint: optional(isText) }),
  ),
}) as (value: unknown) => value is FileCheck;

/** The same for a folder that held files. */
export const hasFolderShape = object<KnownFolder>({ path: isText, id: isText, seen_at: isTime }) as (
  value: unknown,
) => value is KnownFolder;
