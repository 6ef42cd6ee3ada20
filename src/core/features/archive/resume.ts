import { isDeepStrictEqual } from 'node:util';
import type { ArchiveRecord, Catalog, Fractal } from '../../ports/catalog.ts';
import type { LogDatabase } from '../../ports/log-database.ts';
import type { ArchiveProgressRecord, ArchiveRequest, JobRecord, State } from '../../ports/state.ts';
import type { Storage } from '../../ports/storage.ts';
import type { CallOptions } from '../../ports/types.ts';
import type { ArchivePlan } from './plan-types.ts';
import { discardAll, listUnfinishedOf } from './unfinished.ts';
import { type ArchiveWindow, nextMillisecond, planWindows, type WindowPlan } from './windows.ts';

export interface ResumeDeps {
  catalog: Catalog;
  logs: LogDatabase;
  storage: Storage;
  state: State;
  /** Wall-clock limit of one file, milliseconds: an archive started longer ago is not resumed. */
  max_duration_ms: number;
}

type InterruptedArchive = JobRecord & { archive: ArchiveProgressRecord };

/**
 * The plan for the rest of an interrupted archive of the same request; undefined if there is none. With `fresh`, or
 * if it cannot be resumed, its partial data is deleted.
 */
export async function planResume(
  deps: ResumeDeps,
  { fractal, request, fresh }: { fractal: Fractal; request: ArchiveRequest; fresh: boolean },
  select: (plan: WindowPlan) => Promise<WindowPlan>,
  { now, signal }: { now(): Date; signal: AbortSignal },
): Promise<ArchivePlan | undefined> {
  const interrupted = (await deps.state.interrupted()).filter((job): job is InterruptedArchive =>
    isDeepStrictEqual(job.archive?.request, request),
  );
  const latest = interrupted.at(-1);
  if (!latest) return undefined;
  const resumable = !fresh && isResumable(latest.archive, deps.max_duration_ms, now());
  const plan = resumable
    ? await planRemaining(deps, fractal, latest, interrupted, select, { signal })
    : undefined;
  if (!plan) await discardInterrupted(deps, interrupted);
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

async function discardInterrupted(
  deps: ResumeDeps,
  interrupted: readonly InterruptedArchive[],
): Promise<void> {
  for (const job of interrupted) {
    await discardAll(deps.storage, await unfinishedOf(deps.storage, [job]));
    await deps.state.remove(job.id);
  }
}

function unfinishedOf(storage: Storage, interrupted: readonly InterruptedArchive[]) {
  return listUnfinishedOf(storage, {
    names: new Set(interrupted.map(({ object }) => object)),
    jobs: new Set(interrupted.map(({ id }) => id)),
    ids: new Set(interrupted.flatMap(({ archive }) => archive.leftovers)),
  });
}

async function planRemaining(
  deps: ResumeDeps,
  fractal: Fractal,
  job: InterruptedArchive,
  interrupted: readonly InterruptedArchive[],
  select: (plan: WindowPlan) => Promise<WindowPlan>,
  options: CallOptions,
): Promise<ArchivePlan | undefined> {
  const { request, end, begun_at } = job.archive;
  const [record] = await deps.catalog.archives({ ids: [job.archive_id ?? ''] }, options);
  const group_id = job.archive.group_id ?? record?.group_id;
  if (!group_id || (record && !matchesStorage(record, job, deps.storage))) return undefined;
  const records = (await deps.catalog.archives({ fractal_id: fractal.id }, options)).filter(
    (one) => one.group_id === group_id,
  );
  const completed = new Set(
    records.filter(({ status }) => status === 'completed').map((one) => one.period_label),
  );
  const windows = (await remainingWindows(deps, job.archive, select, options)).filter(
    ({ label }) => !completed.has(label),
  );
  if (windows.length === 0) return undefined;
  const files = new Map(records.map((one) => [one.period_label, nameOf(one)]));
  const unfinished = await unfinishedOf(deps.storage, interrupted);
  const resumed = { group_id, files, unfinished, job_ids: interrupted.map(({ id }) => id) };
  return { fractal, request, end, begun_at, windows, resumed };
}

function nameOf({ id, filename, storage_path }: ArchiveRecord) {
  return { archive_id: id, filename, path: storage_path };
}

/** The storage settings may have changed since. */
function matchesStorage(
  { storage_type, storage_path }: ArchiveRecord,
  { object }: JobRecord,
  { kind }: Storage,
): boolean {
  return storage_path === object && (storage_type === 's3') === (kind === 's3');
}

function windowOf({ window: { label, from, to, rows } }: ArchiveProgressRecord): ArchiveWindow {
  return { label, ...(from === null ? {} : { from }), to, rows };
}

/** All windows to archive, including those that failed before; the interrupted one with the row count it had then. */
async function remainingWindows(
  { logs }: ResumeDeps,
  job: ArchiveProgressRecord,
  select: (plan: WindowPlan) => Promise<WindowPlan>,
  options: CallOptions,
): Promise<ArchiveWindow[]> {
  const current = windowOf(job);
  const { fractal_id, split, from } = job.request;
  if (split === 'none') return [current];
  const query = { fractal_id, split, ...(from === null ? {} : { from }), to: nextMillisecond(job.end) };
  const { windows } = await select(await planWindows(logs, query, options));
  const others = windows.filter(({ label }) => label !== current.label);
  return [...others, current].sort((a, b) => (a.to < b.to ? -1 : 1));
}
