import { asBifractError } from './errors.ts';
import type { JobEventMap } from './events.ts';
import { orphanDeps } from './file-queries.ts';
import type { FileJobRequest } from './files.ts';
import { adopt } from './jobs/adopt.ts';
import { clean } from './jobs/clean.ts';
import type { JobContext } from './jobs/context.ts';
import { ARCHIVES_PREFIX, isArchive } from './jobs/plan-adopt.ts';
import { storagesOf } from './jobs/record-file.ts';
import { pathOf, RECORD_ID, type TargetRef, targetOfRecord } from './jobs/target.ts';
import { verify } from './jobs/verify.ts';
import { backupTime } from './policy/names.ts';
import type { ArchiveRecord } from './ports/catalog.ts';
import type { Storage, StoredObject } from './ports/storage.ts';
import type { CallOptions } from './ports/types.ts';
import type { Services } from './services.ts';
import { findTarget } from './target.ts';

/** What the name of every backup begins with: a bucket holds more than backups. */
const BACKUPS_PREFIX = 'bifract-backup-';

/** Runs a job on files that are there. */
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

/** What a job says of itself when it starts. */
export function fileJobStarted(request: FileJobRequest): JobEventMap['job:started'] {
  switch (request.kind) {
    case 'verify':
      return { kind: 'verify', title: `Verification of ${verifyTitle(request.targets)}` };
    case 'adopt': {
      const files = request.plan.items.filter(({ action }) => action === 'adopt').length;
      return { kind: 'adopt', title: `Adoption of ${files} ${files === 1 ? 'file' : 'files'}` };
    }
    case 'clean':
      return { kind: 'clean', title: `Clean-up of ${request.orphans.length}` };
  }
}

function verifyTitle(targets: string[] | 'all'): string {
  if (targets === 'all') return 'all files';
  return targets.length === 1 ? (targets[0] as string) : `${targets.length} files`;
}

/** What was named, one by one; of a group all its archives. */
async function named(
  services: Services,
  labels: readonly string[],
  options: CallOptions,
): Promise<TargetRef[]> {
  const refs: TargetRef[] = [];
  for (const label of labels) {
    // Where the records are away, the id is looked for as any other, and fails by itself.
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

/** Every backup and every completed archive; where the records are away, the archive files by themselves. */
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
    warn(
      `The records could not be read (${message}): archive files are verified by themselves, not against them`,
    );
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
