import { isDeepStrictEqual } from 'node:util';
import type { ArchiveRecord, Catalog, Fractal } from '../ports/catalog.ts';
import type { LogDatabase } from '../ports/log-database.ts';
import type { ArchiveNote, ArchiveRequest, JobNote, State } from '../ports/state.ts';
import type { Storage } from '../ports/storage.ts';
import type { CallOptions } from '../ports/types.ts';
import type { ArchivePlan } from './archive-group.ts';
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
    await discardStored(deps.storage, await leftoversOfNotes(deps.storage, note, [note]));
    await deps.state.forget(note.id);
  }
}

function leftoversOfNotes(storage: Storage, newest: Interrupted, notes: readonly Interrupted[]) {
  return leftoversOf(storage, {
    name: newest.object ?? '',
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
  const open = record?.status === 'completed' ? undefined : record;
  const current = record?.status === 'completed' ? [] : [windowOf(note.archive)];
  const rest = request.split === 'none' ? [] : await windowsAfter(deps, note.archive, select, options);
  const windows = [...current, ...rest];
  if (windows.length === 0) return undefined;
  const file = open && { archive_id: open.id, filename: open.filename, path: open.storage_path };
  const leftovers = open ? await leftoversOfNotes(deps.storage, note, notes) : [];
  const continued = { group_id, leftovers, notes: notes.map(({ id }) => id), ...(file && { file }) };
  return { fractal, request, end, begun_at, windows, continued };
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

async function windowsAfter(
  { logs }: ContinueDeps,
  { request, end, window }: ArchiveNote,
  select: (plan: WindowPlan) => Promise<WindowPlan>,
  options: CallOptions,
): Promise<ArchiveWindow[]> {
  const { fractal_id, split } = request;
  const after = { fractal_id, split, from: window.to, to: justAfter(end) };
  return (await select(await planWindows(logs, after, options))).windows;
}
