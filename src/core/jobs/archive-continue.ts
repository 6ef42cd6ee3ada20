import { isDeepStrictEqual } from 'node:util';
import type { ArchiveRecord, Catalog, Fractal } from '../ports/catalog.ts';
import type { LogDatabase } from '../ports/log-database.ts';
import type { ArchiveNote, ArchiveRequest, JobNote, State } from '../ports/state.ts';
import type { Storage } from '../ports/storage.ts';
import type { CallOptions } from '../ports/types.ts';
import type { ArchivePlan } from './archive-plan.ts';
import { type ArchiveWindow, justAfter, planWindows, type WindowPlan } from './archive-windows.ts';
import { discardStored, leftoversOf } from './stored-lines.ts';

export interface ContinueDeps {
  catalog: Catalog;
  logs: LogDatabase;
  storage: Storage;
  state: State;
  /** Wall-clock limit of one file, milliseconds: what was begun longer ago does not go on. */
  max_duration_ms: number;
}

type Interrupted = JobNote & { archive: ArchiveNote };

/**
 * The plan of an archive of the same request that was interrupted; undefined where there is none, or where it is not
 * to go on (`fresh`): then what was left of it is gone.
 */
export async function takeUp(
  deps: ContinueDeps,
  { fractal, request, fresh }: { fractal: Fractal; request: ArchiveRequest; fresh: boolean },
  select: (plan: WindowPlan) => Promise<WindowPlan>,
  { now, signal }: { now(): Date; signal: AbortSignal },
): Promise<ArchivePlan | undefined> {
  const notes = (await deps.state.dead()).filter((note): note is Interrupted =>
    isDeepStrictEqual(note.archive?.request, request),
  );
  const newest = notes.at(-1);
  if (!newest) return undefined;
  const go = !fresh && isYoung(newest.archive, deps.max_duration_ms, now());
  const plan = go ? await planRest(deps, fractal, newest, notes, select, { signal }) : undefined;
  if (!plan) await giveUp(deps, notes);
  return plan;
}

/** Whether an archive was begun so lately that it may go on. */
export function isYoung({ begun_at }: ArchiveNote, max_duration_ms: number, now: Date): boolean {
  return now.getTime() - Date.parse(begun_at) < max_duration_ms;
}

async function giveUp(deps: ContinueDeps, notes: readonly Interrupted[]): Promise<void> {
  for (const note of notes) {
    await discardStored(deps.storage, await leftoversOfNotes(deps.storage, [note]));
    await deps.state.forget(note.id);
  }
}

function leftoversOfNotes(storage: Storage, notes: readonly Interrupted[]) {
  return leftoversOf(storage, {
    names: new Set(notes.map(({ object }) => object)),
    jobs: new Set(notes.map(({ id }) => id)),
    ids: new Set(notes.flatMap(({ archive }) => archive.leftovers)),
  });
}

async function planRest(
  deps: ContinueDeps,
  fractal: Fractal,
  note: Interrupted,
  notes: readonly Interrupted[],
  select: (plan: WindowPlan) => Promise<WindowPlan>,
  options: CallOptions,
): Promise<ArchivePlan | undefined> {
  const { request, end, begun_at } = note.archive;
  const [record] = await deps.catalog.archives({ ids: [note.archive_id ?? ''] }, options);
  const group_id = note.archive.group_id ?? record?.group_id;
  if (!group_id || (record && !fits(record, note, deps.storage))) return undefined;
  const held = (await deps.catalog.archives({ fractal_id: fractal.id }, options)).filter(
    (one) => one.group_id === group_id,
  );
  const done = new Set(held.filter(({ status }) => status === 'completed').map((one) => one.period_label));
  const windows = (await allWindows(deps, note.archive, select, options)).filter(
    ({ label }) => !done.has(label),
  );
  if (windows.length === 0) return undefined;
  const files = new Map(held.map((one) => [one.period_label, fileOf(one)]));
  const leftovers = await leftoversOfNotes(deps.storage, notes);
  const continued = { group_id, files, leftovers, notes: notes.map(({ id }) => id) };
  return { fractal, request, end, begun_at, windows, continued };
}

function fileOf({ id, filename, storage_path }: ArchiveRecord) {
  return { archive_id: id, filename, path: storage_path };
}

/** The settings may name another storage by now. */
function fits(
  { storage_type, storage_path }: ArchiveRecord,
  { object }: JobNote,
  { kind }: Storage,
): boolean {
  return storage_path === object && (storage_type === 's3') === (kind === 's3');
}

function windowOf({ window: { label, from, to, rows } }: ArchiveNote): ArchiveWindow {
  return { label, ...(from === null ? {} : { from }), to, rows };
}

/** All that were to be made, those that failed on the way too; the one that was under way as it was counted then. */
async function allWindows(
  { logs }: ContinueDeps,
  note: ArchiveNote,
  select: (plan: WindowPlan) => Promise<WindowPlan>,
  options: CallOptions,
): Promise<ArchiveWindow[]> {
  const current = windowOf(note);
  const { fractal_id, split, from } = note.request;
  if (split === 'none') return [current];
  const query = { fractal_id, split, ...(from === null ? {} : { from }), to: justAfter(note.end) };
  const { windows } = await select(await planWindows(logs, query, options));
  const others = windows.filter(({ label }) => label !== current.label);
  return [...others, current].sort((a, b) => (a.to < b.to ? -1 : 1));
}
