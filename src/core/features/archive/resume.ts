import { isDeepStrictEqual } from 'node:util';
import type { ArchiveRecord, Fractal } from '../../ports/catalog.ts';
import type { ArchiveProgressRecord, ArchiveRequest, JobRecord } from '../../ports/state.ts';
import type { Storage, UnfinishedObject } from '../../ports/storage.ts';
import type { CallOptions } from '../../ports/types.ts';
import { namesOwnFile } from '../files/target.ts';
import type { Connected } from './connect.ts';
import {
  type ArchiveFileName,
  type ArchivePlan,
  type ArchiveWindow,
  nextMillisecond,
  planWindows,
} from './plan.ts';

type InterruptedArchive = JobRecord & { archive: ArchiveProgressRecord };

/**
 * The plan for the rest of an interrupted archive of the same request; undefined if there is none. With `fresh`, or
 * if it cannot be resumed, its partial data is deleted.
 */
export async function planResume(
  connected: Connected,
  { fractal, request, fresh }: { fractal: Fractal; request: ArchiveRequest; fresh: boolean },
  now: Date,
  options: CallOptions,
): Promise<ArchivePlan | undefined> {
  const { state, archive_limits } = connected.services;
  const interrupted = (await state.interrupted()).filter((job): job is InterruptedArchive =>
    isDeepStrictEqual(job.archive?.request, request),
  );
  const latest = interrupted.at(-1);
  if (!latest) return undefined;
  const resumable = !fresh && isResumable(latest.archive, archive_limits.max_duration_ms, now);
  const plan = resumable ? await planRemaining(connected, fractal, latest, interrupted, options) : undefined;
  if (!plan) await discardInterrupted(connected, interrupted);
  return plan;
}

/** Whether an archive started recently enough to be resumed. */
export function isResumable(
  { begun_at }: ArchiveProgressRecord,
  max_duration_ms: number,
  now: Date,
): boolean {
  return now.getTime() - Date.parse(begun_at) < max_duration_ms;
}

/** The rest of the latest of these interruptions of an archive; undefined if there is none. */
async function planRemaining(
  { services, catalog, storage }: Connected,
  fractal: Fractal,
  latest: InterruptedArchive,
  interrupted: readonly InterruptedArchive[],
  options: CallOptions,
): Promise<ArchivePlan | undefined> {
  const { request, end, begun_at } = latest.archive;
  const [record] = await catalog.archives({ ids: [latest.archive_id ?? ''] }, options);
  const group_id = latest.archive.group_id ?? record?.group_id;
  if (!group_id || (record && !isIn(storage, record, latest))) return undefined;
  const records = (await catalog.archives({ fractal_id: fractal.id }, options)).filter(
    (one) => one.group_id === group_id,
  );
  if (!records.every(namesOwnFile)) return undefined;
  const completed = new Set(
    records.filter(({ status }) => status === 'completed').map((one) => one.period_label),
  );
  const windows = (await remainingWindows(services, latest.archive, options)).filter(
    ({ label }) => !completed.has(label),
  );
  if (windows.length === 0) return undefined;
  const files = new Map(records.map((one) => [one.period_label, nameOf(one)]));
  const unfinished = await listUnfinished(storage, interrupted);
  const resumed = { group_id, files, unfinished, job_ids: interrupted.map(({ id }) => id) };
  return { fractal, request, end, begun_at, windows, resumed };
}

/** Whether the file is in this storage: its settings may have changed since. */
function isIn(
  { kind }: Storage,
  { storage_type, storage_path }: ArchiveRecord,
  { object }: JobRecord,
): boolean {
  return storage_path === object && (storage_type === 's3') === (kind === 's3');
}

/** All windows to archive, including those that failed before; the interrupted one with the row count it had then. */
async function remainingWindows(
  services: Connected['services'],
  { request, window, end }: ArchiveProgressRecord,
  options: CallOptions,
): Promise<ArchiveWindow[]> {
  if (request.split === 'none') return [window];
  const { windows } = await planWindows(services, { ...request, to: nextMillisecond(end) }, options);
  const others = windows.filter(({ label }) => label !== window.label);
  return [...others, window].sort((a, b) => (a.to < b.to ? -1 : 1));
}

function nameOf({ id, filename, storage_path }: ArchiveRecord): ArchiveFileName {
  return { archive_id: id, filename, path: storage_path };
}

/**
 * Partial files of interrupted jobs, and those that they had taken over, the longest first; none if the storage cannot
 * read them.
 */
async function listUnfinished(
  storage: Storage,
  interrupted: readonly InterruptedArchive[],
): Promise<UnfinishedObject[]> {
  if (!storage.readUnfinished) return [];
  const names = new Set(interrupted.map(({ object }) => object));
  const jobs = new Set(interrupted.map(({ id }) => id));
  const ids = new Set(interrupted.flatMap(({ archive }) => archive.leftovers));
  const unfinished: UnfinishedObject[] = [];
  for await (const object of storage.listUnfinished()) {
    const { id, name, job } = object;
    if (ids.has(id) || (job !== undefined && jobs.has(job) && names.has(name))) unfinished.push(object);
  }
  return unfinished.sort((a, b) => b.size_bytes - a.size_bytes);
}

async function discardInterrupted(
  { storage, services }: Connected,
  interrupted: readonly InterruptedArchive[],
): Promise<void> {
  for (const job of interrupted) {
    await discardUnfinished(storage, await listUnfinished(storage, [job]));
    await services.state.remove(job.id);
  }
}

/** Deletes partial files. Those that cannot be deleted become orphans, which `bifract clean` removes. */
export async function discardUnfinished(
  storage: Storage,
  objects: readonly UnfinishedObject[],
): Promise<void> {
  for (const object of objects) await storage.discardUnfinished(object).catch(() => undefined);
}
