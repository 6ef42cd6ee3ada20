import { asBifractError } from '../contract/errors.ts';
import type { JobEventMap } from '../contract/events.ts';
import type { FileJobRequest } from '../contract/files.ts';
import { storagesOf } from '../features/files/record-file.ts';
import { pathOf, RECORD_ID, type TargetRef, targetOfRecord } from '../features/files/target.ts';
import { verify } from '../features/inspect/verify.ts';
import { adopt } from '../features/orphans/adopt.ts';
import { clean } from '../features/orphans/clean.ts';
import { ARCHIVES_PREFIX, isArchive } from '../features/orphans/plan-adopt.ts';
import type { JobContext } from '../job/context.ts';
import { backupTime } from '../policy/names.ts';
import type { ArchiveRecord } from '../ports/catalog.ts';
import type { Storage, StoredObject } from '../ports/storage.ts';
import type { CallOptions } from '../ports/types.ts';
import { findTarget } from './find-target.ts';
import type { Services } from './services.ts';
import { orphanDeps } from './wire-file-queries.ts';

/** Prefix of every backup name: a bucket may hold other objects. */
const BACKUPS_PREFIX = 'bifract-backup-';

/** Runs a job on existing files. */
export async function runFileJob(services: Services, request: FileJobRequest, context: JobContext) {
  switch (request.kind) {
    case 'verify': {
      const { targets, quick = false } = request;
      const refs = (warn: (message: string) => void) =>
        targets === 'all'
          ? everything(services, warn, { signal: context.signal })
          : named(services, targets, { signal: context.signal });
      return verify({ targets: refs, keys: await services.keys() }, { quick }, context);
    }
    case 'adopt': {
      const [catalog, storage, keys] = await Promise.all([
        services.catalog(),
        services.archives(),
        services.keys(),
      ]);
      return adopt({ catalog, storage, keys }, request.plan, context);
    }
    case 'clean':
      return clean(await orphanDeps(services), request.orphans, context);
  }
}

/** The `job:started` payload. */
export function fileJobStarted(request: FileJobRequest): JobEventMap['job:started'] {
  switch (request.kind) {
    case 'verify':
      return { kind: 'verify', title: `Verification of ${verifyTitle(request.targets)}` };
    case 'adopt': {
      const files = request.plan.items.filter(({ action }) => action === 'adopt').length;
      return { kind: 'adopt', title: `Adoption of ${files} ${files === 1 ? 'file' : 'files'}` };
    }
    case 'clean':
      return {
        kind: 'clean',
        title: `Clean-up of ${request.orphans.length} ${request.orphans.length === 1 ? 'orphan' : 'orphans'}`,
      };
  }
}

function verifyTitle(targets: string[] | 'all'): string {
  if (targets === 'all') return 'all files';
  return targets.length === 1 ? (targets[0] as string) : `${targets.length} files`;
}

/** The named targets; a group stands for all its archives. */
async function named(
  services: Services,
  labels: readonly string[],
  options: CallOptions,
): Promise<TargetRef[]> {
  const refs: TargetRef[] = [];
  for (const label of labels) {
    // Without the database, the id is looked up like any other target and fails by itself.
    const group = RECORD_ID.test(label) ? await groupOf(services, label, options).catch(() => []) : [];
    options.signal?.throwIfAborted();
    if (group.length > 0) refs.push(...group.map((record) => refOfRecord(services, record)));
    else refs.push({ label, find: (call) => findTarget(services, label, call) });
  }
  return refs;
}

async function groupOf(services: Services, id: string, options: CallOptions): Promise<ArchiveRecord[]> {
  const catalog = await services.catalog();
  const group = (await catalog.groups({}, options)).find((one) => one.id === id);
  if (!group) return [];
  const records = await catalog.archives({ fractal_id: group.fractal_id }, options);
  return records.filter((record) => record.group_id === id && isThere(record));
}

/** Every backup and every completed archive; without the database, the archive files alone. */
async function everything(
  services: Services,
  warn: (message: string) => void,
  options: CallOptions,
): Promise<TargetRef[]> {
  const refs = await stored(
    await services.backups(),
    BACKUPS_PREFIX,
    (name) => backupTime(name) !== undefined,
    options,
  );
  const archives = await services.archives();
  try {
    const records = await (await services.catalog()).archives({}, options);
    return [...refs, ...records.filter(isThere).map((record) => refOfRecord(services, record))];
  } catch (error) {
    options.signal?.throwIfAborted();
    const { message } = asBifractError(error);
    warn(`Cannot read the archive records (${message}): archive files are verified without comparing them`);
    return [...refs, ...(await stored(archives, ARCHIVES_PREFIX, isArchive, options, message))];
  }
}

function isThere({ status }: ArchiveRecord): boolean {
  return status === 'completed' || status === 'restoring';
}

function refOfRecord(services: Services, record: ArchiveRecord): TargetRef {
  const label = record.storage_path;
  return {
    label,
    find: async (call) => targetOfRecord(await storagesOf(services, record), record, label, call),
  };
}

async function stored(
  storage: Storage,
  prefix: string,
  isWanted: (name: string) => boolean,
  options: CallOptions,
  record_unknown: string | null = null,
): Promise<TargetRef[]> {
  const refs: TargetRef[] = [];
  for await (const object of storage.list(prefix, options)) {
    if (isWanted(object.name)) refs.push(refOfObject(storage, object, record_unknown));
  }
  return refs;
}

function refOfObject(storage: Storage, object: StoredObject, record_unknown: string | null): TargetRef {
  const label = object.name;
  const path = pathOf(storage, label);
  return { label, find: async () => ({ label, storage, object, path, record: null, record_unknown }) };
}
